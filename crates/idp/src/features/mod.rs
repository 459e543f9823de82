//! What stands beside the code flow, one capability a file.

pub mod flows;
pub mod home;
pub mod logout;
pub mod refresh;
