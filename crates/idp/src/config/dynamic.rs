//! A client that registers itself: the JSON document in which it says what it is (RFC 7591 §2, OpenID Connect Dynamic
//! Client Registration §2). What stands in it is judged as in the configuration file.
//!
//! Before that, what this provider does not have is taken out, as RFC 7591 §2 allows: clients send one document to many
//! providers, and read in the answer what they got. Only where nothing of use is left the registration is refused.

use std::net::IpAddr;

use serde_json::{Map, Value};
use shared::{
    clock::Timestamp,
    error::ErrorCode,
    ids::ClientId,
    random::{self, Random},
    scope::Scope,
    secret::Secret,
};
use url::{Host, Url};

use super::{
    EXPOSED, Settings,
    clients::{LOCALIZED, auth_method_of, described},
    document::{self, Member, Mistake, Table},
    values::{filled, web_address},
};
use crate::domain::{
    client::{Client, GrantType},
    redirect_uri,
};

/// Every member that a client which registers itself is asked about, beside those for people. Whatever else it sends is
/// ignored (RFC 7591 §2): a software statement too, as nobody's is trusted here (§2.3), and above all what says that it
/// answers for a resource, or gets refresh tokens without its users' word.
const MEMBERS: [&str; 18] = [
    "redirect_uris",
    "post_logout_redirect_uris",
    "grant_types",
    "scope",
    "contacts",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "jwks",
    "jwks_uri",
    "id_token_signed_response_alg",
    "request_object_signing_alg",
    "require_signed_request_object",
    "require_pushed_authorization_requests",
    "default_max_age",
    "access_token_format",
    "require_pkce",
    "remember_consent",
    "claims_in_id_token",
];

/// Those on which nothing here depends, or which can have one value only. Who says them is told so again.
const ALSO: [(&str, Read); 8] = [
    ("application_type", |it| one_of(it, &["web", "native"])),
    ("response_types", response_types),
    ("subject_type", |it| one_of(it, &["public"])),
    ("sector_identifier_uri", |it| {
        it.mistake("is for pairwise subject identifiers, which this provider does not have");
        None
    }),
    ("require_auth_time", |it| it.flag().map(Value::from)),
    ("initiate_login_uri", secure_address),
    ("software_id", |it| it.parse(filled).map(Value::from)),
    ("software_version", |it| it.parse(filled).map(Value::from)),
];

type Read = fn(&Member<'_>) -> Option<Value>;

/// What clients that register themselves may have.
pub struct Offer {
    /// Whatever they ask for beyond it, they do not get.
    pub scope: Scope,
    /// Whether keys may be fetched from this computer.
    pub loopback: bool,
    /// Whether addresses may use http.
    pub allow_http: bool,
}

impl Offer {
    /// What users can allow the clients of the settings, they can allow others too. Tokens without a user are for those
    /// whom whoever runs this provider knows.
    pub fn of(settings: &Settings) -> Self {
        let own = settings.clients.iter().filter(|client| client.may_use(GrantType::AuthorizationCode));
        let usual = Client::of("").scope;
        let offline = Scope::parse(Scope::OFFLINE_ACCESS).unwrap_or_default();
        Self {
            scope: own.fold(usual, |known, client| known.union(&client.scope)).union(&offline),
            loopback: settings.origin.is_loopback(),
            allow_http: settings.allow_http,
        }
    }

    /// What they may exchange for tokens.
    pub const GRANT_TYPES: [GrantType; 2] = [GrantType::AuthorizationCode, GrantType::RefreshToken];
}

/// Why a client is not registered (RFC 7591 §3.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// One of the two codes that there are for it.
    pub code: ErrorCode,
    /// Which member is wrong, and why.
    pub description: String,
}

impl From<Mistake> for Refused {
    fn from(mistake: Mistake) -> Self {
        let code = if mistake.path.starts_with("redirect_uris") {
            ErrorCode::InvalidRedirectUri
        } else {
            ErrorCode::InvalidClientMetadata
        };
        Self { code, description: mistake.to_string() }
    }
}

/// Reads what a client says of itself: the client, under a new name and with a new secret if it needs one, and what else
/// it said.
pub fn read(
    body: &[u8],
    offer: &Offer,
    random: &dyn Random,
    now: Timestamp,
) -> Result<(Client, Map<String, Value>), Refused> {
    let sent: Map<String, Value> = serde_json::from_slice(body).map_err(|_| Refused {
        code: ErrorCode::InvalidClientMetadata,
        description: "The body is no JSON object.".into(),
    })?;
    let read = document::read_json(offered(sent, offer), |table| {
        let mut also = Map::new();
        for (name, how) in ALSO {
            also.extend(table.may(name, how).map(|value| (name.to_owned(), value)));
        }
        let auth_method = auth_method_of(table);
        // RFC 7518 §3.2: it has 43 bytes, enough for HS256.
        let secret = auth_method.needs_secret().then(|| Secret::mint("", random));
        let id = unguessable_name(random);
        let known = Client { registered: Some(now), secret, auth_method, ..Client::of(id.as_str()) };
        let client = described(table, known);
        consistent(table, &client, offer);
        (client, also)
    });
    Ok(read?)
}

/// Nobody finds out who is registered by trying names.
fn unguessable_name(random: &dyn Random) -> ClientId {
    let token = random::token(random);
    ClientId::new(format!("app-{}", &token[..22]))
}

/// What was sent, as far as this provider has it.
fn offered(mut sent: Map<String, Value>, offer: &Offer) -> Map<String, Value> {
    let in_a_language = |name: &str| LOCALIZED.contains(&name.split('#').next().unwrap_or_default());
    let is_known = |name: &str| {
        MEMBERS.contains(&name) || ALSO.iter().any(|(also, _)| *also == name) || in_a_language(name)
    };
    // RFC 7591 §2 has no null: what says nothing was not said.
    sent.retain(|name, value| is_known(name) && !value.is_null());
    keep(&mut sent, "grant_types", &Offer::GRANT_TYPES.map(GrantType::as_str));
    keep(&mut sent, "response_types", &["code"]);
    scope(&mut sent, offer);
    // In the configuration file a key set is a text.
    if let Some(keys) = sent.get_mut("jwks").filter(|keys| !keys.is_string()) {
        *keys = keys.to_string().into();
    }
    sent
}

/// Takes out of a list what is none of `ours`. What is no text stays, to be complained of.
fn keep(sent: &mut Map<String, Value>, name: &str, ours: &[&str]) {
    if let Some(Value::Array(values)) = sent.get_mut(name) {
        values.retain(|value| value.as_str().is_none_or(|value| ours.contains(&value)));
    }
}

/// Without a scope of its own a client may ask for everything that there is. Refresh tokens go with `offline_access`: one
/// without the other is neither.
fn scope(sent: &mut Map<String, Value>, offer: &Offer) {
    let asked = match sent.get("scope") {
        None => offer.scope.clone(),
        Some(scope) => match scope.as_str().map(Scope::parse) {
            Some(Ok(scope)) => scope.intersection(&offer.scope),
            // It stays, to be complained of.
            _ => return,
        },
    };
    let refresh = GrantType::RefreshToken.as_str();
    let renews = |it: &Value| it.as_array().is_some_and(|types| types.iter().any(|it| *it == refresh));
    let may_renew = sent.get("grant_types").is_some_and(renews);
    if !asked.contains(Scope::OFFLINE_ACCESS) {
        keep(sent, "grant_types", &[GrantType::AuthorizationCode.as_str()]);
    }
    let asked = asked.filtered(|value| may_renew || value != Scope::OFFLINE_ACCESS);
    sent.insert("scope".to_owned(), asked.to_string().into());
}

/// What must be so of a client that nobody knows, beyond what must be so of every client.
fn consistent(table: &Table<'_>, client: &Client, offer: &Offer) {
    let mistake = |name: &str, reason: String| match table.get(name) {
        Some(member) => member.mistake(reason),
        None => table.mistake(format!("{name} {reason}")),
    };
    // OpenID Connect Dynamic Client Registration §2: response type `code` and grant type `authorization_code` go together.
    if !client.may_use(GrantType::AuthorizationCode) {
        mistake("grant_types", "must hold authorization_code: this provider has no other login".into());
    }
    let exposed =
        client.addresses().find(|(_, address)| !offer.allow_http && redirect_uri::is_exposed(address));
    if let Some((member, address)) = exposed {
        mistake(member, format!("{address:?} {EXPOSED}"));
    }
    // Whoever registers could have this server ask others on its own computer.
    let here =
        |it: &Member<'_>| it.as_text().and_then(|it| Url::parse(it).ok()).is_some_and(|it| is_here(&it));
    if !offer.loopback && table.get("jwks_uri").is_some_and(|it| here(&it)) {
        mistake("jwks_uri", "must not be on the provider's own computer".into());
    }
}

/// Whether an address is of this computer, in whatever way it is written: those of loopback, the address that stands for
/// all of its own, IPv4 in the clothes of IPv6 (RFC 4291 §2.5.5.2), and every name below `localhost` (RFC 6761 §6.3).
fn is_here(address: &Url) -> bool {
    let is_own = |it: IpAddr| it.is_loopback() || it.is_unspecified();
    match address.host() {
        Some(Host::Ipv4(it)) => is_own(it.into()),
        Some(Host::Ipv6(it)) => is_own(IpAddr::from(it).to_canonical()),
        Some(Host::Domain(name)) => name.trim_end_matches('.').rsplit('.').next() == Some("localhost"),
        None => false,
    }
}

fn one_of(member: &Member<'_>, possible: &[&str]) -> Option<Value> {
    let read =
        |text: &str| possible.iter().find(|it| **it == text).copied().ok_or_else(|| possible.join(" or "));
    member.parse(|text| read(text).map_err(|possible| format!("must be {possible}"))).map(Value::from)
}

fn response_types(member: &Member<'_>) -> Option<Value> {
    let types: Vec<_> = member.list()?.iter().filter_map(Member::text).map(ToOwned::to_owned).collect();
    if types.is_empty() {
        member.mistake("must hold code: this provider has no other login");
    }
    Some(types.into())
}

/// OpenID Connect Dynamic Client Registration §2: a login that somebody else begins is begun by https only.
fn secure_address(member: &Member<'_>) -> Option<Value> {
    let address = member.parse(web_address)?;
    if !address.to_ascii_lowercase().starts_with("https:") {
        member.mistake("must use https");
    }
    Some(address.into())
}
