//! A registered client: an application that may ask for logins (RFC 6749 §2).

use jsonwebtoken::Algorithm;
use shared::{clock::Timestamp, ids::ClientId, scope::Scope, secret::Secret};

use super::{
    auth_method::AuthMethod, client_keys::ClientKeys, localized::Localized, redirect_uri::RedirectUri,
};

/// What a client exchanges for tokens (RFC 7591 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// A code (RFC 6749 §4.1).
    AuthorizationCode,
    /// A refresh token (RFC 6749 §6).
    RefreshToken,
    /// Its own credentials, and nothing else: for tokens of its own (RFC 6749 §4.4).
    ClientCredentials,
}

impl GrantType {
    /// Those that the token endpoint knows.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The one that is called `name`.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

/// What an access token looks like to the API that it is shown to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessTokenFormat {
    /// A random value, which means something to this provider only.
    #[default]
    Opaque,
    /// A signed document, which an API reads by itself (RFC 9068).
    Jwt,
}

impl AccessTokenFormat {
    /// The formats that there are.
    pub const ALL: [Self; 2] = [Self::Opaque, Self::Jwt];

    /// Its name in a registration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Jwt => "jwt",
        }
    }
}

/// A client as it is registered. Members are named as in client metadata (RFC 7591 §2, OpenID Connect Dynamic Client
/// Registration §2); `access_token_format`, `resource` and the last four
/// are this provider's own.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a registration has these members")]
pub struct Client {
    /// `client_id`: its name on the wire.
    pub id: ClientId,
    /// When it registered itself (RFC 7591); not at all if whoever runs this provider registered it.
    pub registered: Option<Timestamp>,
    /// `client_name`: its name for people.
    pub name: Localized,
    /// `client_uri`: where it is at home; pages lead back there.
    pub uri: Localized,
    /// `logo_uri`: its picture, for the pages on which it asks.
    pub logo_uri: Localized,
    /// `policy_uri`: how it says that it deals with what it learns about people.
    pub policy_uri: Localized,
    /// `tos_uri`: the terms of its service.
    pub tos_uri: Localized,
    /// `contacts`: how to reach the people who are responsible for it.
    pub contacts: Vec<String>,
    /// `client_secret`: what it authenticates with, and what signs its ID tokens if it chose HS256. Who has a key of
    /// its own needs none, and a public client could not keep it.
    pub secret: Option<Secret>,
    /// `token_endpoint_auth_method`.
    pub auth_method: AuthMethod,
    /// `token_endpoint_auth_signing_alg`: how its assertions are signed; without it, in any way that is supported.
    pub auth_signing_alg: Option<Algorithm>,
    /// `jwks` or `jwks_uri`: the public halves of the keys that it signs with.
    pub keys: Option<ClientKeys>,
    /// `redirect_uris`: where answers may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// `post_logout_redirect_uris`: where a browser may go after it signed out.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// `grant_types`: what it may exchange for tokens.
    pub grant_types: Vec<GrantType>,
    /// `scope`: what it may ask for.
    pub scope: Scope,
    /// `access_token_format`: what its access tokens look like.
    pub access_token_format: AccessTokenFormat,
    /// `resource`: the resources that it answers for (RFC 8707 §2). With one it is a resource server, and is told about
    /// the tokens that are meant for it.
    pub resource: Vec<String>,
    /// `id_token_signed_response_alg`: how its ID tokens are signed; without it, as the settings say.
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// `request_object_signing_alg`: how its request objects are signed; without it, in any way that is supported.
    pub request_object_signing_alg: Option<Algorithm>,
    /// `require_signed_request_object`: whether its requests must be signed (RFC 9101 §10.5).
    pub require_signed_request_object: bool,
    /// `require_pushed_authorization_requests`: whether its requests must be pushed first (RFC 9126 §6).
    pub require_pushed_authorization_requests: bool,
    /// `default_max_age`: how many seconds a login may be old when the request does not say.
    pub default_max_age: Option<u64>,
    /// Whether its requests must use PKCE (RFC 9700 §2.1.1).
    pub require_pkce: bool,
    /// Whether a consent that was given is remembered, so that it is not asked for again.
    pub remember_consent: bool,
    /// Whether the claims that its scopes open stand in the ID token too, and not in userinfo alone.
    pub claims_in_id_token: bool,
    /// Whether it gets refresh tokens without asking for `offline_access`.
    pub refresh_without_offline_access: bool,
}

/// What a client may ask for when its registration does not say: the values to which OpenID Connect Core gives a meaning.
const STANDARD_SCOPE: &str = "openid profile email address phone";

impl Client {
    /// The client called `id` of whom nothing else is registered: everything has the value that stands for "not said"
    /// (OpenID Connect Dynamic Client Registration §2).
    pub fn of(id: &str) -> Self {
        Self {
            id: ClientId::new(id),
            registered: None,
            name: id.into(),
            uri: Localized::default(),
            logo_uri: Localized::default(),
            policy_uri: Localized::default(),
            tos_uri: Localized::default(),
            contacts: Vec::new(),
            secret: None,
            auth_method: AuthMethod::default(),
            auth_signing_alg: None,
            keys: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grant_types: vec![GrantType::AuthorizationCode],
            scope: Scope::parse(STANDARD_SCOPE).unwrap_or_default(),
            access_token_format: AccessTokenFormat::default(),
            resource: Vec::new(),
            id_token_signed_response_alg: None,
            request_object_signing_alg: None,
            require_signed_request_object: false,
            require_pushed_authorization_requests: false,
            default_max_age: None,
            require_pkce: true,
            remember_consent: true,
            claims_in_id_token: false,
            refresh_without_offline_access: false,
        }
    }

    /// Where pages lead back to when the reader's language does not matter; empty if that is nowhere.
    pub fn home(&self) -> &str {
        self.uri.usual()
    }

    /// Every web address of its that browsers or this provider will open, with the member that holds it.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let answers = self.redirect_uris.iter().map(|it| ("redirect_uris", it.as_str()));
        let farewells =
            self.post_logout_redirect_uris.iter().map(|it| ("post_logout_redirect_uris", it.as_str()));
        let keys = self.keys.as_ref().and_then(ClientKeys::address).map(|it| ("jwks_uri", it.as_str()));
        let shown = [
            ("client_uri", &self.uri),
            ("logo_uri", &self.logo_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
        ];
        let shown = shown.into_iter().flat_map(|(name, said)| said.versions().map(move |(_, it)| (name, it)));
        answers.chain(farewells).chain(keys).chain(shown)
    }

    /// Whether it has nothing to prove who it is with (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.auth_method == AuthMethod::None
    }

    /// Whether what the user allowed is remembered. RFC 8252 §8.6: whoever knows the name of a public client can act as
    /// it, so the user is asked each time.
    pub fn remembers_consent(&self) -> bool {
        self.remember_consent && !self.is_public()
    }

    /// Whether a request of its must use PKCE: RFC 7636 §1, a public client has nothing else that ties a code to it.
    pub fn requires_pkce(&self) -> bool {
        self.require_pkce || self.is_public()
    }

    /// Whether a script of `origin` is this client: a public one, registered for an address of that origin.
    pub fn lives_at(&self, origin: &str) -> bool {
        self.is_public() && self.redirect_uris.iter().any(|address| address.origin() == origin)
    }

    /// Whether it may exchange this for tokens.
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Whether a code for `scope` buys a refresh token, too: where the user allowed `offline_access` (OpenID Connect
    /// Core §11), or where the client is registered to get one in any case.
    pub fn gets_refresh_token(&self, scope: &Scope) -> bool {
        self.may_use(GrantType::RefreshToken)
            && (self.refresh_without_offline_access || scope.contains(Scope::OFFLINE_ACCESS))
    }

    /// The registered redirect URI that is `presented`, character by character (RFC 9700 §2.1, §4.1.3). No
    /// prefix, no wildcard, no other port on loopback.
    pub fn redirect_uri(&self, presented: &str) -> Option<&RedirectUri> {
        self.redirect_uris.iter().find(|registered| registered.as_str() == presented)
    }

    /// The same for the address after a sign-out (OpenID Connect RP-Initiated Logout §3).
    pub fn post_logout_redirect_uri(&self, presented: &str) -> Option<&RedirectUri> {
        self.post_logout_redirect_uris.iter().find(|registered| registered.as_str() == presented)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REGISTERED: &str = "http://127.0.0.1:5002/auth";

    fn client() -> Client {
        crate::demo::clients(&RedirectUri::parse(REGISTERED).unwrap()).remove(0)
    }

    proptest! {
        #[test]
        fn only_the_registered_string_itself_is_registered(presented in "\\PC{0,60}") {
            prop_assert_eq!(client().redirect_uri(&presented).is_some(), presented == REGISTERED);
        }

        #[test]
        fn one_changed_character_is_another_address(at in 0..REGISTERED.len(), to in any::<char>()) {
            let mut changed: Vec<char> = REGISTERED.chars().collect();
            changed[at] = to;
            let changed: String = changed.into_iter().collect();
            prop_assert_eq!(client().redirect_uri(&changed).is_some(), changed == REGISTERED);
        }

        #[test]
        fn nothing_can_be_added_or_taken_away(more in "\\PC{1,20}", kept in 0..REGISTERED.len()) {
            let (longer, in_front) = (format!("{REGISTERED}{more}"), format!("{more}{REGISTERED}"));
            prop_assert!(client().redirect_uri(&longer).is_none());
            prop_assert!(client().redirect_uri(&in_front).is_none());
            prop_assert!(client().redirect_uri(&REGISTERED[..kept]).is_none());
        }
    }
}
