//! `[[clients]]`: client metadata under its registered names, with the defaults of OpenID Connect Dynamic Client
//! Registration §2 where that has one.

use std::{fs, path::Path, str::FromStr as _};

use jsonwebtoken::Algorithm;
use shared::{scope::Scope, secret::Secret};
use url::Url;

use super::{
    document::{Member, Table},
    values::{filled, shown, visible, web_address},
};
use crate::{
    domain::{
        auth_method::{AuthMethod, SIGNING_ALGS},
        client::{AccessTokenFormat, Client, GrantType},
        client_keys::{ClientKeys, PublicKeys},
        localized::Localized,
        redirect_uri::RedirectUri,
    },
    keys::{HS256_BYTES, KeyAlg},
};

/// Every member that a client can have.
const MEMBERS: [&str; 28] = [
    "client_id",
    "client_secret",
    "client_secret_file",
    "client_name",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "jwks",
    "jwks_uri",
    "redirect_uris",
    "post_logout_redirect_uris",
    "grant_types",
    "scope",
    "access_token_format",
    "resource",
    "id_token_signed_response_alg",
    "request_object_signing_alg",
    "require_signed_request_object",
    "require_pushed_authorization_requests",
    "default_max_age",
    "require_pkce",
    "remember_consent",
    "claims_in_id_token",
    "refresh_without_offline_access",
];

/// Those that are for people, and may differ by language (RFC 7591 §2.2).
pub(super) const LOCALIZED: [&str; 5] = ["client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"];

/// Reads a client. What is missing is noted, and has the value that stands for "not said": a file with a mistake
/// registers nobody. Secret files lie in `folder` unless they say otherwise.
pub(super) fn client(table: &Table<'_>, folder: &Path) -> Client {
    table.refuse_others(&MEMBERS, &LOCALIZED, |_| None);
    let id = table.must("client_id", |it| it.parse(visible)).unwrap_or_default();
    let auth_method = auth_method_of(table);
    let secret = secret(table, folder, auth_method).map(Secret::new);
    described(table, Client { secret, auth_method, ..Client::of(&id) })
}

/// The way to authenticate, which says whether there is a secret.
pub(super) fn auth_method_of(table: &Table<'_>) -> AuthMethod {
    table.may("token_endpoint_auth_method", |it| it.parse(auth_method)).unwrap_or_default()
}

/// Reads what else a registration says of a client of which so much is known: what a consistent registration is stands
/// here, whoever registers.
pub(super) fn described(table: &Table<'_>, unsaid: Client) -> Client {
    let auth_method = unsaid.auth_method;
    let scope = scope(table).unwrap_or(unsaid.scope);
    let grant_types = table.may("grant_types", grant_types).unwrap_or(unsaid.grant_types);
    let redirect_uris = if grant_types.contains(&GrantType::AuthorizationCode) {
        table.must("redirect_uris", some_redirect_uris)
    } else {
        table.may("redirect_uris", redirect_uris_of)
    };
    let redirect_uris = redirect_uris.unwrap_or_default();
    let in_any_case = table.may("refresh_without_offline_access", Member::flag).unwrap_or(false);
    refresh_tokens(table, &grant_types, &scope, in_any_case);
    if auth_method == AuthMethod::None {
        without_credentials(table, &grant_types);
    }
    let address = |name| table.localized(name, |it| it.parse(web_address));
    let said = |said: Localized, unsaid: Localized| if said.is_empty() { unsaid } else { said };
    let home = redirect_uris.first().map(|it| it.site().into()).unwrap_or_default();
    let secret = unsaid.secret.as_ref().map(Secret::expose);
    let keys = keys(table, auth_method);
    let (request_object_signing_alg, require_signed_request_object) =
        request_objects(table, secret, keys.as_ref());
    Client {
        name: said(table.localized("client_name", |it| it.parse(shown)), unsaid.name),
        uri: said(address("client_uri"), home),
        logo_uri: address("logo_uri"),
        policy_uri: address("policy_uri"),
        tos_uri: address("tos_uri"),
        contacts: table.may("contacts", contacts).unwrap_or_default(),
        auth_method,
        auth_signing_alg: table.may("token_endpoint_auth_signing_alg", |it| auth_alg(it, auth_method)),
        keys,
        post_logout_redirect_uris: table
            .may("post_logout_redirect_uris", redirect_uris_of)
            .unwrap_or_default(),
        grant_types,
        scope,
        access_token_format: table
            .may("access_token_format", |it| it.parse(access_token_format))
            .unwrap_or_default(),
        resource: table.may("resource", resources).unwrap_or_default(),
        id_token_signed_response_alg: algorithm(table, secret),
        request_object_signing_alg,
        require_signed_request_object,
        require_pushed_authorization_requests: table
            .may("require_pushed_authorization_requests", Member::flag)
            .unwrap_or(false),
        default_max_age: table.may("default_max_age", Member::number),
        require_pkce: table.may("require_pkce", Member::flag).unwrap_or(unsaid.require_pkce),
        remember_consent: table.may("remember_consent", Member::flag).unwrap_or(unsaid.remember_consent),
        claims_in_id_token: table.may("claims_in_id_token", Member::flag).unwrap_or(false),
        refresh_without_offline_access: in_any_case,
        id: unsaid.id,
        secret: unsaid.secret,
        registered: unsaid.registered,
        redirect_uris,
    }
}

/// `client_secret`, or what the file says that `client_secret_file` names.
fn secret(table: &Table<'_>, folder: &Path, auth_method: AuthMethod) -> Option<String> {
    let given = table.may("client_secret", |it| it.parse(visible));
    let from_file = |it: &Member<'_>| {
        let path = folder.join(it.text()?);
        let text = fs::read_to_string(&path)
            .map_err(|error| it.mistake(format_args!("{} cannot be read: {error}", path.display())))
            .ok()?;
        visible(text.trim_end_matches(['\r', '\n'])).map_err(|reason| it.mistake(reason)).ok()
    };
    let named = [table.get("client_secret"), table.get("client_secret_file")];
    let secret = match &named {
        [Some(_), None] => given,
        [None, Some(file)] => from_file(file),
        [Some(_), Some(file)] => {
            file.mistake("there is a client_secret already: keep one of them");
            None
        }
        [None, None] => {
            if auth_method.needs_secret() {
                table.mistake(
                    "client_secret is missing (or client_secret_file, which names a file that holds it)",
                );
            }
            None
        }
    };
    if let Some(member) = named.iter().flatten().next() {
        let is_short = secret.as_ref().is_some_and(|secret| secret.len() < HS256_BYTES);
        match auth_method {
            // RFC 6749 §2.1: what everybody can read is no secret.
            AuthMethod::None => {
                member.mistake("a client whose token_endpoint_auth_method is none has no secret");
            }
            // RFC 7518 §3.2: a key as long as the hash, at least.
            AuthMethod::ClientSecretJwt if is_short => {
                member.mistake("must have 32 bytes at least, since it signs with HS256 (client_secret_jwt)");
            }
            _ => (),
        }
    }
    secret
}

/// RFC 7591 §2: `jwks` or `jwks_uri`, and one of them where the client signs with a key of its own.
fn keys(table: &Table<'_>, auth_method: AuthMethod) -> Option<ClientKeys> {
    let registered = |it: &Member<'_>| {
        let keys = it.parse(|text| PublicKeys::parse(text.as_bytes()))?;
        Some(ClientKeys::Registered(keys))
    };
    let published = |it: &Member<'_>| {
        it.parse(web_address).and_then(|address| Url::parse(&address).ok()).map(ClientKeys::Published)
    };
    match (table.get("jwks"), table.get("jwks_uri")) {
        (Some(_), Some(address)) => {
            address.mistake("there is a jwks already: keep one of them");
            None
        }
        (None, None) if auth_method == AuthMethod::PrivateKeyJwt => {
            table.mistake("jwks_uri is missing (or jwks), which private_key_jwt needs");
            None
        }
        (Some(keys), None) => registered(&keys),
        (None, address) => address.as_ref().and_then(published),
    }
}

/// OpenID Connect Dynamic Client Registration §2: how the assertions are signed by which the client authenticates.
fn auth_alg(member: &Member<'_>, auth_method: AuthMethod) -> Option<Algorithm> {
    let possible = auth_method.signing_algs();
    let alg = Algorithm::from_str(member.text()?).ok().filter(|alg| possible.contains(alg));
    if alg.is_none() {
        let names: Vec<_> = possible.iter().map(|alg| format!("{alg:?}")).collect();
        match names.as_slice() {
            [] => member.mistake(format_args!("is of no use with {}", auth_method.as_str())),
            names => member.mistake(format_args!("must be {}", names.join(" or "))),
        }
    }
    alg
}

/// OpenID Connect Dynamic Client Registration §2, RFC 9101 §10.5: how request objects are signed, and whether they must be.
/// Who has nothing to sign with could never ask.
fn request_objects(
    table: &Table<'_>,
    secret: Option<&str>,
    keys: Option<&ClientKeys>,
) -> (Option<Algorithm>, bool) {
    let by_secret = secret.filter(|secret| secret.len() >= HS256_BYTES).map(|_| Algorithm::HS256);
    let by_key = keys.map_or(&[][..], |_| SIGNING_ALGS);
    let alg = table.may("request_object_signing_alg", |it| {
        let known = |it: &Algorithm| *it == Algorithm::HS256 || SIGNING_ALGS.contains(it);
        let alg = Algorithm::from_str(it.text()?).ok().filter(known);
        match alg {
            None => it.mistake("must be RS256, PS256, ES256, EdDSA or HS256"),
            // RFC 7518 §3.2: a key as long as the hash, at least.
            Some(Algorithm::HS256) if by_secret.is_none() => {
                it.mistake("HS256 signs with the client_secret, which must then have 32 bytes at least");
            }
            Some(alg) if alg != Algorithm::HS256 && by_key.is_empty() => {
                it.mistake("needs the keys of the client: jwks_uri (or jwks)");
            }
            Some(_) => (),
        }
        alg
    });
    let must = table.may("require_signed_request_object", |it| {
        let must = it.flag()?;
        if must && by_secret.is_none() && by_key.is_empty() {
            it.mistake(
                "there is nothing to sign with: neither jwks_uri (or jwks) nor a client_secret of 32 bytes",
            );
        }
        Some(must)
    });
    (alg, must.unwrap_or(false))
}

/// What a public client cannot be registered for: whoever knows its name would have it.
fn without_credentials(table: &Table<'_>, grant_types: &[GrantType]) {
    let mistake = |member: &str, reason: &str| {
        if let Some(member) = table.get(member) {
            member.mistake(format_args!("{reason}, since token_endpoint_auth_method is none"));
        }
    };
    // RFC 6749 §4.4: for confidential clients only.
    if grant_types.contains(&GrantType::ClientCredentials) {
        mistake("grant_types", "client_credentials is not possible");
    }
    if table.get("require_pkce").is_some_and(|it| it.as_flag() == Some(false)) {
        mistake("require_pkce", "must be true");
    }
    // RFC 8252 §8.6.
    if table.get("remember_consent").is_some_and(|it| it.as_flag() == Some(true)) {
        mistake("remember_consent", "must be false");
    }
    // RFC 7662 §2.1: whoever asks about tokens is authenticated.
    mistake("resource", "is not possible");
}

fn contacts(member: &Member<'_>) -> Option<Vec<String>> {
    Some(member.list()?.iter().filter_map(|it| it.parse(filled)).collect())
}

fn redirect_uris_of(member: &Member<'_>) -> Option<Vec<RedirectUri>> {
    Some(member.list()?.iter().filter_map(|it| it.parse(RedirectUri::parse)).collect())
}

/// OpenID Connect Dynamic Client Registration §2: one at least.
fn some_redirect_uris(member: &Member<'_>) -> Option<Vec<RedirectUri>> {
    if member.list()?.is_empty() {
        member.mistake("there must be one at least");
    }
    redirect_uris_of(member)
}

fn auth_method(text: &str) -> Result<AuthMethod, String> {
    AuthMethod::find(text)
        .ok_or_else(|| format!("must be {}", AuthMethod::ALL.map(AuthMethod::as_str).join(" or ")))
}

fn access_token_format(text: &str) -> Result<AccessTokenFormat, String> {
    let format = AccessTokenFormat::ALL.into_iter().find(|format| format.as_str() == text);
    format.ok_or_else(|| {
        format!("must be {}", AccessTokenFormat::ALL.map(AccessTokenFormat::as_str).join(" or "))
    })
}

fn grant_types(member: &Member<'_>) -> Option<Vec<GrantType>> {
    let here = || format!("must be {}", GrantType::ALL.map(GrantType::as_str).join(" or "));
    let read = |it: &Member<'_>| it.parse(|text| GrantType::find(text).ok_or_else(here));
    Some(member.list()?.iter().filter_map(read).collect())
}

/// RFC 8707 §2: absolute addresses without a fragment.
fn resources(member: &Member<'_>) -> Option<Vec<String>> {
    let read = |it: &Member<'_>| {
        it.parse(|text| {
            let is_one = Url::parse(text).is_ok_and(|url| url.fragment().is_none()) && visible(text).is_ok();
            if is_one && !text.contains(' ') {
                Ok(text.to_owned())
            } else {
                Err("must be an absolute URI without a fragment")
            }
        })
    };
    Some(member.list()?.iter().filter_map(read).collect())
}

/// A registration that asks for refresh tokens in one place, and makes them impossible in another, is a mistake.
fn refresh_tokens(table: &Table<'_>, grant_types: &[GrantType], scope: &Scope, in_any_case: bool) {
    let may = grant_types.contains(&GrantType::RefreshToken);
    let gets = in_any_case || scope.contains(Scope::OFFLINE_ACCESS);
    let (member, reason) = match (may, gets) {
        (true, false) => (
            "grant_types",
            "refresh_token needs offline_access in the scope, or refresh_without_offline_access",
        ),
        (false, true) if in_any_case => {
            ("refresh_without_offline_access", "needs refresh_token among the grant_types")
        }
        (false, true) => ("scope", "offline_access needs refresh_token among the grant_types"),
        _ => return,
    };
    if let Some(member) = table.get(member) {
        member.mistake(reason);
    }
}

fn scope(table: &Table<'_>) -> Option<Scope> {
    table.may("scope", |it| {
        let scope = it.parse(Scope::parse)?;
        if scope.is_empty() {
            it.mistake("must name what the client may ask for");
        }
        Some(scope)
    })
}

fn algorithm(table: &Table<'_>, secret: Option<&str>) -> Option<Algorithm> {
    table.may("id_token_signed_response_alg", |it| {
        let here = |it: &Algorithm| *it == Algorithm::HS256 || KeyAlg::ALL.map(Algorithm::from).contains(it);
        let algorithm = Algorithm::from_str(it.text()?).ok().filter(here);
        match algorithm {
            None => it.mistake("must be RS256, ES256, EdDSA or HS256"),
            // RFC 7518 §3.2: a key as long as the hash, at least.
            Some(Algorithm::HS256) if secret.is_none_or(|secret| secret.len() < HS256_BYTES) => {
                it.mistake("HS256 signs with the client_secret, which must then have 32 bytes at least");
            }
            Some(_) => (),
        }
        algorithm
    })
}

#[cfg(test)]
mod tests;
