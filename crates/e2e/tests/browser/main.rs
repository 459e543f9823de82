//! Stories of learners in front of a real browser.

mod login;
mod sso;

mod back;
mod by_form;
mod endings;
mod provider;
mod tabs;

mod outages;
mod refusals;
mod sites;

mod barriers;
mod comfort;
mod pages;

mod flows;
mod flows_comfort;
mod flows_live;
mod flows_saved;
mod flows_strange;
mod flows_wire;

mod steps;
mod steps_edits;
mod steps_forged;
mod steps_pages;
mod steps_time;
mod steps_tokens;
mod steps_told;

mod registration;
mod tokens;

mod script_client;
