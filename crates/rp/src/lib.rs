//! A Relying Party that shows what it checks.
//!
//! It does the client's half of the ten steps. Read the modules in their order: a click becomes an authorization
//! request ([`login`], steps 1 and 2), which is kept as an [`attempt`] and bound to the browser ([`attempt_cookie`]);
//! the browser comes back ([`callback`], step 7), the code becomes tokens for whoever proves that it is this [`client`],
//! with a secret or with its [`key`] ([`exchange`], steps 8 and 9), the ID token is judged ([`validate`], step 10), the
//! claims are fetched ([`userinfo`]), a [`session`] starts (one of all [`sessions`]), and [`home`] shows it all.
//! [`logout`] ends it, here and at the provider. Messages to the provider travel over a [`wire`], where a learner can
//! hold them ([`step`]). Beside all this stands a client without a server ([`spa`]).

pub mod config;
pub mod startup;
pub mod state;

pub mod algorithm;
pub mod provider;

pub mod login;
pub mod next;
pub mod own_form;
pub mod way;

pub mod attempt;
pub mod attempt_cookie;

pub mod callback;
pub mod posted;

pub mod wire;

pub mod client;
pub mod exchange;
pub mod identity;
pub mod key;
pub mod validate;

pub mod userinfo;

pub mod session;
pub mod sessions;

pub mod home;

pub mod deed;
pub mod renewal;
pub mod token_desk;

pub mod logout;
pub mod logouts;

pub mod flows;

pub mod spa;

pub mod step;

pub mod registration;

pub mod forge;
pub mod time;

pub mod health;
pub mod problems;
