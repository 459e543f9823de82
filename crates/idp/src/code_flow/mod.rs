//! The authorization code flow, the provider's half, in the order in which it happens (OpenID Connect Core §3.1).
//!
//! | step | here |
//! |---|---|
//! | before | [`discovery`]: what the provider says about itself |
//! | | [`par`]: the client leaves the authorization request here by itself |
//! | 2 | [`authorize`]: the authorization request is checked and becomes an interaction |
//! | | [`asked`], [`request_object`]: in whichever way it comes |
//! | | `turn`: who and what is still to be asked |
//! | | `visit`: the same browser as before, and a form of our own page |
//! | | `asking`: what the pages show of the client that asks
//! | 3 | [`account`]: the choice among those who are signed in already |
//! | 3, 4 | [`login`]: the login page and the password |
//! | 5 | [`consent`]: the consent page and the decision |
//! | 6 | [`redirect`]: the browser goes back with a code or an error |
//! | | [`form_post`]: in a form, if the client asked for that |
//! | 8, 9 | [`exchange`]: the code becomes tokens |
//! | after 10 | [`userinfo`]: the claims about the user |

pub mod discovery;

pub mod par;

pub mod authorize;

pub mod asked;

pub mod request_object;

mod turn;

mod visit;

mod asking;

pub mod account;

pub mod login;

pub mod consent;

pub mod redirect;

pub mod form_post;

pub mod exchange;

pub mod userinfo;
