//! What a client asks for: the authorization request, and the code that came of it.

use shared::{pkce::CodeVerifier, random::SystemRandom};

use super::{CLIENT2, Location, OTHER_CLIENT, REDIRECT_URI, SCOPE};

/// An authorization request that a test can spoil.
pub struct AuthorizationRequest {
    pub verifier: CodeVerifier,
    pairs: Vec<(String, String)>,
}

impl AuthorizationRequest {
    pub fn new() -> Self {
        let verifier = CodeVerifier::generate(&SystemRandom);
        let challenge = verifier.challenge();
        let pairs = [
            ("client_id", "client1"),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", SCOPE),
            ("state", "af0ifjsldkj"),
            ("nonce", "n-0S6_WzA2Mj"),
            ("prompt", "login"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { verifier, pairs }
    }

    /// The same for the second client.
    pub fn of_other_client() -> Self {
        let redirect_uri = "https://rp.example/cb?foo=bar";
        Self::new().with("client_id", OTHER_CLIENT.0).with("redirect_uri", redirect_uri)
    }

    /// The same for the client whose users are not asked twice; and without `prompt`.
    pub fn of_client2() -> Self {
        Self::new().with("client_id", CLIENT2.0).without("prompt")
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.and(name, value)
    }

    pub fn without(mut self, name: &str) -> Self {
        self.pairs.retain(|(known, _)| known != name);
        self
    }

    /// Adds a parameter, even a second time.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.pairs.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn get(&self, name: &str) -> String {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    pub fn query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.pairs).finish()
    }

    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}

/// A code and what redeems it.
#[derive(Clone)]
pub struct Code {
    pub value: String,
    pub verifier: String,
    pub redirect_uri: String,
}

impl Code {
    /// The code that came back, with what redeems it.
    #[track_caller]
    pub fn of(asked: &AuthorizationRequest, location: &Location) -> Self {
        Self {
            value: location.param("code").unwrap_or_else(|| panic!("no code in {location:?}")),
            verifier: asked.verifier.expose().to_owned(),
            redirect_uri: asked.get("redirect_uri"),
        }
    }

    pub fn fields(&self) -> Vec<(&str, &str)> {
        vec![
            ("grant_type", "authorization_code"),
            ("code", &self.value),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &self.verifier),
        ]
    }

    /// The fields with one of them changed, or left out when `value` is empty.
    pub fn fields_with<'a>(&'a self, name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut fields = self.fields();
        fields.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
        fields
    }
}
