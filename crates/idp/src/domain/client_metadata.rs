//! A client as the document in which it would register (RFC 7591 §2, OpenID Connect Dynamic Client Registration §2): every
//! member that counts, those included that were not said.

use serde_json::{Map, Value};

use super::{
    client::{Client, GrantType},
    client_keys::ClientKeys,
    localized::Localized,
    redirect_uri::RedirectUri,
};

/// The members, but for the secret. `usual_alg` signs ID tokens where the client did not choose.
pub fn of(client: &Client, usual_alg: &str) -> Map<String, Value> {
    let mut document = Map::new();
    let mut say = |name: &str, value: Value| document.insert(name.to_owned(), value);
    say("client_id", client.id.as_str().into());
    say("grant_types", client.grant_types.iter().map(|it| it.as_str()).collect());
    say("redirect_uris", addresses(&client.redirect_uris));
    say("scope", client.scope.to_string().into());
    say("token_endpoint_auth_method", client.auth_method.as_str().into());
    if let Some(alg) = client.auth_signing_alg {
        say("token_endpoint_auth_signing_alg", format!("{alg:?}").into());
    }
    match &client.keys {
        Some(ClientKeys::Registered(keys)) => drop(say("jwks", keys.to_json())),
        Some(ClientKeys::Published(address)) => drop(say("jwks_uri", address.as_str().into())),
        None => (),
    }
    if client.may_use(GrantType::AuthorizationCode) {
        let alg = client.id_token_signed_response_alg.map(|alg| format!("{alg:?}"));
        say("id_token_signed_response_alg", alg.unwrap_or_else(|| usual_alg.to_owned()).into());
        say("response_types", vec!["code"].into());
        // OpenID Connect Core §8: every client sees the same `sub`.
        say("subject_type", "public".into());
        // OpenID Connect Core §2: it stands in every ID token.
        say("require_auth_time", true.into());
        if let Some(alg) = client.request_object_signing_alg {
            say("request_object_signing_alg", format!("{alg:?}").into());
        }
        say("require_signed_request_object", client.require_signed_request_object.into());
        say("require_pushed_authorization_requests", client.require_pushed_authorization_requests.into());
        say("require_pkce", client.requires_pkce().into());
        say("remember_consent", client.remembers_consent().into());
        say("claims_in_id_token", client.claims_in_id_token.into());
        say("refresh_without_offline_access", client.refresh_without_offline_access.into());
    }
    say("access_token_format", client.access_token_format.as_str().into());
    if let Some(seconds) = client.default_max_age {
        say("default_max_age", seconds.into());
    }
    for (name, values) in [("contacts", &client.contacts), ("resource", &client.resource)] {
        if !values.is_empty() {
            say(name, values.as_slice().into());
        }
    }
    if !client.post_logout_redirect_uris.is_empty() {
        say("post_logout_redirect_uris", addresses(&client.post_logout_redirect_uris));
    }
    for (name, said) in shown(client) {
        for (tag, said) in said.versions() {
            say(&format!("{name}{tag}"), said.into());
        }
    }
    document
}

/// What people see of it.
fn shown(client: &Client) -> [(&'static str, &Localized); 5] {
    [
        ("client_name", &client.name),
        ("client_uri", &client.uri),
        ("logo_uri", &client.logo_uri),
        ("policy_uri", &client.policy_uri),
        ("tos_uri", &client.tos_uri),
    ]
}

fn addresses(registered: &[RedirectUri]) -> Value {
    registered.iter().map(RedirectUri::as_str).collect()
}
