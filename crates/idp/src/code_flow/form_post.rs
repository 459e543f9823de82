//! Step 6 when the client asked for it so: the answer goes back in a form that the browser posts (OAuth 2.0 Form Post
//! Response Mode §2). Nothing of it stands in an address, and so neither in the history nor in anybody's log.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use serde::Serialize;
use shared::{flow::Step, response_mode::FormPost};
use web::{
    pages::{Kind, Progress},
    problem::Problem,
};

use crate::state::AppState;

#[derive(Serialize)]
struct FormPostPage<'a> {
    client_name: &'a str,
    /// `host:port` of the place that the browser will return to.
    return_to: &'a str,
    action: &'a str,
    fields: Vec<Field<'a>>,
}

#[derive(Serialize)]
struct Field<'a> {
    name: &'a str,
    value: &'a str,
}

/// The page. Its script submits the form; without scripts a button does. As with a redirect the request is answered by
/// then: what comes back with Back and is sent again is a code that works once.
pub fn page(
    state: &AppState,
    request: &HttpRequest,
    client_name: &str,
    form: FormPost,
) -> Result<HttpResponse, Problem> {
    let page = FormPostPage {
        client_name,
        return_to: host_of(&form.action),
        action: &form.action,
        fields: form.params.iter().map(|(name, value)| Field { name, value }).collect(),
    };
    let progress = Some(Progress::Now(Step::Redirect));
    // Without `form-action`: it would stop the form here, and the redirects behind it at the other site.
    let mut response = state.site.pages.respond(
        request,
        StatusCode::OK,
        Kind::Form,
        "idp/form_post.html",
        progress,
        &page,
    )?;
    // Like the `Location` of a redirect, for whoever wants to know where the page leads.
    response.extensions_mut().insert(form);
    Ok(response)
}

/// `host:port`: what stands before an `@` is no host, however much it looks like one.
fn host_of(address: &str) -> &str {
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_the_host_that_the_form_goes_to() {
        assert_eq!(host_of("https://app.example:8443/cb?x=@y"), "app.example:8443");
        assert_eq!(host_of("https://bank.example@evil.example/cb"), "evil.example");
        assert_eq!(host_of("http://[::1]:5002"), "[::1]:5002");
    }
}
