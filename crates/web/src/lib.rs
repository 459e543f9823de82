//! What both servers do because they are web sites, and nothing that is OpenID Connect.
//!
//! A request comes in through the [`front_door`], which knows the site's own [`origin`]; its form is read by
//! [`form`], its JSON by [`json`]; the answer is a page ([`pages`], in a [`lang`]uage, with texts from the [`catalogue`]) or a [`problem`].
//! Around them: [`assets`], [`telemetry`], [`health`], how a [`server`] starts and ends, who the [`visitor`] is, and what
//! settings and stores have in common.

pub mod assets;
pub mod catalogue;
pub mod cookies;
pub mod expiring;
pub mod form;
pub mod front_door;
pub mod health;
pub mod json;
pub mod lang;
pub mod last_segment;
pub mod moment;
pub mod origin;
pub mod pages;
pub mod problem;
pub mod server;
pub mod settings;
pub mod telemetry;
pub mod visitor;
