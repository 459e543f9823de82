//! `[[clients]]`: client metadata under its registered names, with the defaults of OpenID Connect Dynamic Client
//! Registration §2 where that has one.

use std::{fs, path::Path, str::FromStr as _};

use jsonwebtoken::Algorithm;
use shared::{ids::ClientId, scope::Scope, secret::Secret};
use url::Url;

use super::{
    document::{Member, Table},
    values::{filled, visible, web_address},
};
use crate::{
    domain::client::{AccessTokenFormat, AuthMethod, Client, GrantType, RedirectUri},
    keys::KeyAlg,
};

/// Every member that a client can have.
const MEMBERS: [&str; 18] = [
    "client_id",
    "client_secret",
    "client_secret_file",
    "client_name",
    "client_uri",
    "token_endpoint_auth_method",
    "redirect_uris",
    "post_logout_redirect_uris",
    "grant_types",
    "scope",
    "access_token_format",
    "resource",
    "id_token_signed_response_alg",
    "default_max_age",
    "require_pkce",
    "remember_consent",
    "claims_in_id_token",
    "refresh_without_offline_access",
];
/// What a client may ask for when nothing is said: the values to which OpenID Connect Core gives a meaning.
const STANDARD_SCOPE: &str = "openid profile email address phone";

/// Reads a client. What is missing is noted, and empty here: a file with a mistake registers nobody. Secret files lie
/// in `folder` unless they say otherwise.
pub(super) fn client(table: &Table<'_>, folder: &Path) -> Client {
    table.refuse_others(&MEMBERS, |_| None);
    let id = table.must("client_id", |it| it.parse(visible)).unwrap_or_default();
    let secret = secret(table, folder).unwrap_or_default();
    let scope = scope(table);
    let grant_types =
        table.may("grant_types", grant_types).unwrap_or_else(|| vec![GrantType::AuthorizationCode]);
    let redirect_uris = if grant_types.contains(&GrantType::AuthorizationCode) {
        table.must("redirect_uris", some_redirect_uris)
    } else {
        table.may("redirect_uris", redirect_uris_of)
    };
    let redirect_uris = redirect_uris.unwrap_or_default();
    let in_any_case = table.may("refresh_without_offline_access", Member::flag).unwrap_or(false);
    refresh_tokens(table, &grant_types, &scope, in_any_case);
    let home = || redirect_uris.first().map(RedirectUri::site).unwrap_or_default();
    Client {
        name: table.may("client_name", |it| it.parse(filled)).unwrap_or_else(|| id.clone()),
        uri: table.may("client_uri", |it| it.parse(web_address)).unwrap_or_else(home),
        auth_method: table.may("token_endpoint_auth_method", |it| it.parse(auth_method)).unwrap_or_default(),
        post_logout_redirect_uris: table
            .may("post_logout_redirect_uris", redirect_uris_of)
            .unwrap_or_default(),
        grant_types,
        scope,
        access_token_format: table
            .may("access_token_format", |it| it.parse(access_token_format))
            .unwrap_or_default(),
        resource: table.may("resource", resources).unwrap_or_default(),
        id_token_signed_response_alg: algorithm(table, &secret),
        default_max_age: table.may("default_max_age", Member::number),
        require_pkce: table.may("require_pkce", Member::flag).unwrap_or(true),
        remember_consent: table.may("remember_consent", Member::flag).unwrap_or(true),
        claims_in_id_token: table.may("claims_in_id_token", Member::flag).unwrap_or(false),
        refresh_without_offline_access: in_any_case,
        id: ClientId::new(id),
        secret: Secret::new(secret),
        redirect_uris,
    }
}

/// `client_secret`, or what the file says that `client_secret_file` names.
fn secret(table: &Table<'_>, folder: &Path) -> Option<String> {
    let given = table.may("client_secret", |it| it.parse(visible));
    let from_file = |it: &Member<'_>| {
        let path = folder.join(it.text()?);
        let text = fs::read_to_string(&path)
            .map_err(|error| it.mistake(format_args!("{} cannot be read: {error}", path.display())))
            .ok()?;
        visible(text.trim_end_matches(['\r', '\n'])).map_err(|reason| it.mistake(reason)).ok()
    };
    match (table.get("client_secret"), table.get("client_secret_file")) {
        (Some(_), None) => given,
        (None, Some(file)) => from_file(&file),
        (Some(_), Some(file)) => {
            file.mistake("there is a client_secret already: keep one of them");
            None
        }
        (None, None) => {
            table.mistake(
                "client_secret is missing (or client_secret_file, which names a file that holds it)",
            );
            None
        }
    }
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
    let method = AuthMethod::ALL.into_iter().find(|method| method.as_str() == text);
    method.ok_or_else(|| format!("must be {}", AuthMethod::ALL.map(AuthMethod::as_str).join(" or ")))
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

fn scope(table: &Table<'_>) -> Scope {
    let written = table.may("scope", |it| {
        let scope = it.parse(Scope::parse)?;
        if scope.is_empty() {
            it.mistake("must name what the client may ask for");
        }
        Some(scope)
    });
    written.or_else(|| Scope::parse(STANDARD_SCOPE).ok()).unwrap_or_default()
}

fn algorithm(table: &Table<'_>, secret: &str) -> Option<Algorithm> {
    table.may("id_token_signed_response_alg", |it| {
        let here = |it: &Algorithm| *it == Algorithm::HS256 || KeyAlg::ALL.map(Algorithm::from).contains(it);
        let algorithm = Algorithm::from_str(it.text()?).ok().filter(here);
        match algorithm {
            None => it.mistake("must be RS256, ES256, EdDSA or HS256"),
            // RFC 7518 §3.2: a key as long as the hash, at least.
            Some(Algorithm::HS256) if secret.len() < 32 => {
                it.mistake("HS256 signs with the client_secret, which must then have 32 bytes at least");
            }
            Some(_) => (),
        }
        algorithm
    })
}
