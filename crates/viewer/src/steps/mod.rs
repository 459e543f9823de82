//! Step by step: a learner holds the messages of a flow, reads them, changes them, drops or repeats them, and lets them go.
//!
//! It is the same servers and the same code. What leads the browser on is held at a [`gate`] behind the server's door; what
//! the RP's own code sends and receives passes through [`Steps::hold`]. A held message is a [`Draft`]; what its page
//! (`page`) lets somebody do with it is read by `form`, and done by `desk`. What can be done where says one table,
//! [`Pause::verbs`](shared::flow::Pause::verbs).

mod desk;
mod draft;
mod form;
mod gate;
mod page;
mod store;
mod told;

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse};
use async_trait::async_trait;
use shared::{
    flow::{Exchange, Pause},
    random::Random,
};
use web::problem::{Foretold, Problem};

pub use self::{
    desk::routes,
    draft::Draft,
    form::{Forgery, Mistake, Signature},
    gate::{gate, hold_deed, presented},
    page::Validity,
    store::{Over, Released, Steps},
};
use crate::{desk::Desk, recorder::Flow};

/// What a server says about going through its flows step by step.
#[async_trait(?Send)]
pub trait Hands: Desk {
    /// What its own code brings in the end.
    type Ended: Send + Sync + 'static;

    /// The logins that are gone through step by step; `None` where that is not possible.
    fn steps(&self) -> Option<&Steps<Self::Ended>>;

    /// Its randomness.
    fn random(&self) -> &dyn Random;

    /// How the names of the cookies begin that say which browser it is.
    fn step_cookie(&self) -> &'static str;

    /// How long a login may take from its beginning to its end.
    fn login_lifetime(&self) -> Duration;

    /// Where the answer of `exchange` that leads the browser on, with what is in `draft`, is to be held, if it is.
    fn pause_at(&self, request: &HttpRequest, exchange: Exchange, draft: &Draft) -> Option<Pause>;

    /// The page that has the browser post what was held. A server that holds no such page has none.
    async fn posting(
        &self,
        _request: &HttpRequest,
        _flow: &str,
        _draft: &Draft,
    ) -> Result<HttpResponse, Problem> {
        Err(Problem::not_found())
    }

    /// For how long things stay good.
    async fn validity(&self, flow: &Flow) -> Validity;

    /// The browser is about to go to `location`: whoever is there may want to know that it goes step by step.
    async fn announce(&self, _location: &str) {}

    /// Makes an ID token as it is wanted in the place of `token`.
    async fn forge(&self, token: &str, _forgery: Forgery) -> String {
        token.to_owned()
    }

    /// Tells the user, on the page that is next, what they foretold of the message at `pause`, and what happened.
    fn tell(&self, _request: &HttpRequest, _pause: Pause, _foretold: Foretold) {}

    /// What its own code has brought becomes the answer to the browser. A server whose own code is never held brings nothing.
    async fn finish(&self, _request: &HttpRequest, _ended: Self::Ended) -> Result<HttpResponse, Problem> {
        Err(Problem::not_found())
    }

    /// Where `flow` is shown to the sender of `request`, if it is.
    fn shown_at(&self, request: &HttpRequest, flow: &Flow) -> Option<String>;

    /// Whether its clock can be put forward.
    fn travels(&self) -> bool {
        false
    }
}
