//! Before step 2, if the client likes: it leaves the authorization request here by itself, and the browser brings no more
//! than the address where it lies (RFC 9126). Nobody sees it on the way, and nobody can change it.
//!
//! It is checked when it is pushed. What a browser comes for is the request that passed.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use serde_json::json;
use shared::{
    error::ErrorCode,
    flow::{Checks, Rule, Words},
    params::Params,
    secret::SecretHash,
};
use web::{
    form::{Form, FormError},
    problem::Problem,
    visitor,
};

use super::{
    asked::{self, Asked, REPEATABLE, Way},
    redirect::Refusal,
};
use crate::{
    domain::{
        client::Client,
        pushed_request::{PushedRequest, Take},
    },
    http::{back_channel, oauth_error::OAuthError},
    problems,
    state::AppState,
    tokens,
};

/// `POST /oauth/par`
pub async fn push(
    state: Data<AppState>,
    request: HttpRequest,
    form: Result<Form, FormError>,
) -> Result<HttpResponse, OAuthError> {
    let mut checks = state.checks();
    let (client, params) = back_channel::asked(&state, &request, form, &REPEATABLE, &mut checks).await?;
    let (_, asked) = asked::asked(&state, &client, &params, Way::Pushed, &mut checks).await?;
    let (now, lifetime) = (state.clock.now(), state.settings.par_lifetime);
    // Anybody can push in the name of a public client, and must not take all the room that it has. And where anybody can
    // register clients, whoever has several must not take the shares of all of them.
    let is_anybodys = client.is_public() || client.registered.is_some();
    let address = visitor::address(&request).filter(|_| is_anybodys);
    let request_uri = tokens::mint_request_uri(state.random.as_ref());
    let pushed = PushedRequest::new(asked?, address, now + lifetime);
    // One that nobody came for is remembered for as long again, so that the client is told that the browser is late.
    state.stores.pushed_requests.push(request_uri.hash(), pushed, now + 2 * lifetime, now).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "request_uri": request_uri.expose(), "expires_in": lifetime.as_secs() })))
}

/// The address of a pushed request that a browser brings. Any other `request_uri` is one of those that nobody fetches.
pub fn presented(params: &Params) -> Option<&str> {
    params.get("request_uri").filter(|address| address.starts_with(tokens::REQUEST_URI))
}

/// The pushed request that a browser comes for in the name of `client`. What else stands in its address counts for nothing
/// (RFC 9101 §5, which RFC 9126 §4 builds on).
///
/// RFC 9126 §4: it is there once. Who comes again, with a reloaded or copied address, gets a page, and the client hears
/// nothing: the login that began the first time goes on in its own pages, and must not be ended from outside.
pub async fn taken(
    state: &AppState,
    client: &Client,
    request_uri: &str,
    checks: &mut Checks,
) -> Result<Asked, Problem> {
    let (handle, now) = (SecretHash::of(request_uri), state.clock.now());
    let take = state.stores.pushed_requests.take(handle, &client.id, now).await;
    let take = take.map_err(problems::from_store)?;
    let unknown = |failed| problems::request_uri_unknown().check(failed).next(client.home());
    // The store found out in one step; here it is told rule by rule.
    if let Take::Unknown = take {
        return Err(unknown(checks.refuse(
            Rule::RequestUriKnown,
            Words::PushedRequest,
            Words::UnknownRequest,
        )));
    }
    checks.pass(Rule::RequestUriKnown, Words::PushedRequest);
    // RFC 9126 §2.2: it is bound to the client that pushed it.
    if let Take::OtherClient = take {
        return Err(unknown(checks.refuse(
            Rule::RequestUriOfThisClient,
            Words::ThisClient,
            Words::OtherClient,
        )));
    }
    checks.pass(Rule::RequestUriOfThisClient, Words::ThisClient);
    if let Take::Late(address) = take {
        let late = Refusal::because(
            ErrorCode::InvalidRequestUri,
            "The request was pushed too long ago. Begin again.",
        );
        let failed = checks.refuse(Rule::RequestUriFresh, Words::InTime, Words::Late);
        return Ok((address, Err(late(failed))));
    }
    checks.pass(Rule::RequestUriFresh, Words::InTime);
    let Take::Taken(asked) = take else {
        let failed = checks.refuse(Rule::RequestUriUnused, Words::Unused, Words::Used);
        return Err(problems::request_uri_used().check(failed).next(client.home()));
    };
    checks.pass(Rule::RequestUriUnused, Words::Unused);
    Ok((asked.return_address.clone(), Ok(*asked)))
}
