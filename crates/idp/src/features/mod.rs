//! What stands beside the code flow, one capability a file.

pub mod refresh;

pub mod client_credentials;

pub mod revocation;

pub mod introspection;

pub mod registration;

pub mod logout;

pub mod home;

pub mod flows;

pub mod steps;
