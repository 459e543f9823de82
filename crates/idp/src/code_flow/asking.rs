//! Who asks: what the pages of steps 3 to 5 show of the client (OpenID Connect Dynamic Client Registration §2: `logo_uri`,
//! `policy_uri` and `tos_uri` are for the people who sign in).

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use web::{lang::Lang, pages};

use super::visit::Visit;

/// A client, for people.
#[derive(Serialize)]
pub(super) struct Asking<'a> {
    name: &'a str,
    /// `host:port` of the place that the browser will return to.
    return_to: &'a str,
    home: Option<&'a str>,
    logo: Option<&'a str>,
    policy: Option<&'a str>,
    terms: Option<&'a str>,
    /// RFC 7591 §5: of a client that registered itself nobody has looked at what it says.
    unvouched: bool,
}

impl<'a> Asking<'a> {
    /// The client of this login, in the visitor's language.
    pub(super) fn of(visit: &'a Visit, request: &HttpRequest) -> Self {
        let (client, lang) = (&visit.client, Lang::of(request));
        Self {
            name: client.name.for_reader(lang).unwrap_or_default(),
            return_to: visit.return_to(),
            home: client.uri.for_reader(lang),
            logo: client.logo_uri.for_reader(lang),
            policy: client.policy_uri.for_reader(lang),
            terms: client.tos_uri.for_reader(lang),
            unvouched: client.registered.is_some(),
        }
    }

    /// Lets the page show the client's logo, and no other picture from elsewhere.
    pub(super) fn with_logo(&self, mut answer: HttpResponse) -> HttpResponse {
        if let Some(logo) = self.logo {
            pages::allow_image(&mut answer, logo);
        }
        answer
    }
}
