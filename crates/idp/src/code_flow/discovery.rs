//! Before the flow: the provider describes itself and publishes its keys (OpenID Connect Discovery §3 and §4,
//! RFC 8414 §3, RFC 7517 §5).

use std::collections::BTreeSet;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{self, ContentType, HeaderName},
    web::Data,
};
use jsonwebtoken::Algorithm;
use shared::{metadata::ProviderMetadata, response_mode::ResponseMode, scope::Scope};
use web::lang::Lang;

use crate::{
    config::{Settings, dynamic::Offer},
    domain::{
        auth_method::{AuthMethod, SIGNING_ALGS},
        claims::STANDARD,
        client::{Client, GrantType},
        prompt::Prompt,
        session::ACR_PASSWORD,
    },
    keys::KeyAlg,
    state::AppState,
};

/// What this provider says about itself. A member stands here only when what it announces works.
pub fn metadata(settings: &Settings) -> ProviderMetadata {
    let issuer = settings.origin.as_str();
    let offer = settings.registration.as_ref().map(|_| Offer::of(settings));
    let own = settings.clients.iter().map(|client| &client.scope);
    let scopes: BTreeSet<&str> =
        own.chain(offer.iter().map(|offer| &offer.scope)).flat_map(Scope::iter).collect();
    ProviderMetadata {
        issuer: settings.origin.issuer(),
        authorization_endpoint: format!("{issuer}/oauth/authorize"),
        pushed_authorization_request_endpoint: format!("{issuer}/oauth/par"),
        token_endpoint: format!("{issuer}/oauth/token"),
        revocation_endpoint: format!("{issuer}/oauth/revoke"),
        introspection_endpoint: format!("{issuer}/oauth/introspect"),
        userinfo_endpoint: format!("{issuer}/oauth/userinfo"),
        registration_endpoint: offer.as_ref().map(|_| format!("{issuer}/oauth/register")),
        end_session_endpoint: format!("{issuer}/oauth/logout"),
        jwks_uri: format!("{issuer}/oauth/jwks"),
        scopes_supported: std::iter::once(Scope::OPENID)
            .chain(scopes.into_iter().filter(|value| *value != Scope::OPENID))
            .map(ToOwned::to_owned)
            .collect(),
        response_types_supported: vec!["code"],
        response_modes_supported: ResponseMode::ALL.map(ResponseMode::as_str).to_vec(),
        grant_types_supported: grant_types(settings),
        subject_types_supported: vec!["public"],
        id_token_signing_alg_values_supported: signing_algs(settings),
        token_endpoint_auth_methods_supported: auth_methods(|_| true),
        token_endpoint_auth_signing_alg_values_supported: auth_signing_algs(),
        revocation_endpoint_auth_methods_supported: auth_methods(|_| true),
        revocation_endpoint_auth_signing_alg_values_supported: auth_signing_algs(),
        // RFC 7662 §2.1: a name that everybody knows is not enough.
        introspection_endpoint_auth_methods_supported: auth_methods(|method| method != AuthMethod::None),
        introspection_endpoint_auth_signing_alg_values_supported: auth_signing_algs(),
        claims_supported: claims(),
        acr_values_supported: vec![ACR_PASSWORD],
        prompt_values_supported: Prompt::VALUES.to_vec(),
        display_values_supported: vec!["page"],
        code_challenge_methods_supported: vec!["S256"],
        ui_locales_supported: Lang::ALL.map(Lang::tag).to_vec(),
        claims_parameter_supported: true,
        request_parameter_supported: true,
        request_uri_parameter_supported: false,
        request_object_signing_alg_values_supported: auth_signing_algs(),
        // Each client is registered for what it must do.
        require_pushed_authorization_requests: false,
        require_signed_request_object: false,
        authorization_response_iss_parameter_supported: true,
        flow_recording_endpoint: settings.record.then(|| format!("{issuer}/flows/lookup")),
        flow_steps_endpoint: settings.record.then(|| format!("{issuer}/flows/steps")),
    }
}

/// Those that a key of ours serves, and HS256 when a client is registered for it, or can register itself for it.
fn signing_algs(settings: &Settings) -> Vec<&'static str> {
    let chosen = |client: &Client| client.id_token_signed_response_alg == Some(Algorithm::HS256);
    let possible = settings.registration.is_some() || settings.clients.iter().any(chosen);
    let hs256 = possible.then_some("HS256");
    KeyAlg::ALL.map(KeyAlg::as_str).into_iter().chain(hs256).collect()
}

fn auth_methods(is_possible: impl Fn(AuthMethod) -> bool) -> Vec<&'static str> {
    AuthMethod::ALL.into_iter().filter(|method| is_possible(*method)).map(AuthMethod::as_str).collect()
}

/// How the assertions of `client_secret_jwt` and `private_key_jwt` can be signed.
fn auth_signing_algs() -> Vec<String> {
    let secret = AuthMethod::ClientSecretJwt.signing_algs();
    secret.iter().chain(SIGNING_ALGS).map(|alg| format!("{alg:?}")).collect()
}

/// Those that a client is registered for, or can register itself for; what nobody can use is not announced.
fn grant_types(settings: &Settings) -> Vec<&'static str> {
    let offered = |it: &GrantType| settings.registration.is_some() && Offer::GRANT_TYPES.contains(it);
    let used = |it: &GrantType| offered(it) || settings.clients.iter().any(|client| client.may_use(*it));
    GrantType::ALL.into_iter().filter(used).map(GrantType::as_str).collect()
}

/// Every claim that an ID token or the userinfo endpoint can say.
fn claims() -> Vec<&'static str> {
    let protocol = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "amr", "acr"];
    protocol.into_iter().chain(STANDARD.map(|(claim, _)| claim)).collect()
}

/// `GET /.well-known/openid-configuration`
pub async fn metadata_document(state: Data<AppState>) -> HttpResponse {
    public().content_type(ContentType::json()).body(state.metadata_document.clone())
}

/// `GET /oauth/jwks`: the keys that verify ID tokens, never the ones that sign.
pub async fn jwks(state: Data<AppState>) -> HttpResponse {
    let keys = state.keys.published(state.present()).await;
    public().content_type(ContentType::json()).body(keys)
}

/// `OPTIONS` at either: a browser asks whether a script of another site may read it (CORS, a preflight request).
pub async fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header(EVERYBODY)
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "*"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "86400"))
        .finish()
}

/// RFC 9700 §2.6: what clients read directly may be read by scripts of any site, and says so to everybody, so that a
/// cache need not ask who. Nothing else here is open to them, least of all the authorization endpoint.
const EVERYBODY: (HeaderName, &str) = (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");

fn public() -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        .insert_header(EVERYBODY)
        .insert_header((HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"));
    answer
}
