//! Stories of learners in front of a real browser.

mod login;

mod back;
mod endings;
mod tabs;

mod outages;
mod refusals;
mod sites;

mod comfort;
mod pages;
