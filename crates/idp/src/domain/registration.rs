//! A client that registered itself (RFC 7591), and what it can look at and delete its registration with (RFC 7592).

use std::{net::IpAddr, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use shared::secret::SecretHash;

use super::{client::Client, client_keys::ClientKeys};

/// One registration.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The client.
    pub client: Arc<Client>,
    /// What else it said of itself: it is told so again, and nothing here depends on it.
    pub also: Arc<Map<String, Value>>,
    /// The registration access token (RFC 7592 §3).
    pub access_token: SecretHash,
    /// How long it is kept while nobody uses the client.
    pub idle: Duration,
    /// Whom it counts for.
    pub address: Option<IpAddr>,
    /// How many bytes it was sent in.
    pub size: usize,
}

/// What one of a list takes beside its text, in bytes: `"a",` is four, and becomes an address or a text with a place in a
/// list that has grown, and memory of its own.
const PLACE: usize = 128;

impl Registration {
    /// How many bytes it takes at most beside its own size: what was sent, as texts and as addresses, and what there are
    /// many of.
    pub fn weight(&self) -> usize {
        let client = &self.client;
        let said = [&client.name, &client.uri, &client.logo_uri, &client.policy_uri, &client.tos_uri];
        let lists = self.also.values().filter_map(Value::as_array).map(Vec::len).sum::<usize>()
            + client.contacts.len()
            + client.redirect_uris.len()
            + client.post_logout_redirect_uris.len()
            + client.grant_types.len();
        let maps = said.map(|said| said.by_language.len()).into_iter().chain([self.also.len()]);
        // A map begins with room for eleven, and is half full later on.
        let maps: usize = maps.filter(|members| *members > 0).map(|members| 4 + 2 * members).sum();
        let keys = match &client.keys {
            Some(ClientKeys::Registered(keys)) => keys.weight(),
            Some(ClientKeys::Published(_)) | None => 0,
        };
        size_of::<Client>() + 3 * self.size + (lists + maps) * PLACE + keys
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{client_keys::PublicKeys, redirect_uri::RedirectUri};

    fn weight(client: Client, also: Map<String, Value>, sent: &str) -> usize {
        let registration = Registration {
            client: Arc::new(client),
            also: Arc::new(also),
            access_token: SecretHash::of(""),
            idle: Duration::ZERO,
            address: None,
            size: sent.len(),
        };
        registration.weight()
    }

    #[test]
    fn i23_many_small_members_weigh_what_they_take() {
        // The smallest piece of memory that there is has 32 bytes; a list that grows has up to twice the places it needs.
        let (piece, many) = (32, 1000);
        let contacts = vec!["a".to_owned(); many];
        let client = Client { contacts, ..Client::of("x") };
        assert!(
            weight(client, Map::new(), &r#""a","#.repeat(many)) >= many * (2 * size_of::<String>() + piece)
        );

        let address = RedirectUri::parse("http://a").unwrap();
        let client = Client { redirect_uris: vec![address; many], ..Client::of("x") };
        let each = 2 * size_of::<RedirectUri>() + 2 * piece;
        assert!(weight(client, Map::new(), &r#""http://a","#.repeat(many)) >= many * each);

        let types = Map::from_iter([("response_types".to_owned(), vec!["code"; many].into())]);
        let each = size_of::<Value>() + piece;
        assert!(weight(Client::of("x"), types, &r#""code","#.repeat(many)) >= many * each);

        let mut client = Client::of("x");
        client.name.by_language = (0..many).map(|it| (it.to_string(), "a".to_owned())).collect();
        let each = 2 * size_of::<[String; 2]>() + 2 * piece;
        assert!(weight(client, Map::new(), &r#""client_name#1":"a","#.repeat(many)) >= many * each);

        let set = json!({ "keys": vec![json!({ "kty": "RSA", "n": "", "e": "" }); 20] }).to_string();
        let keys = PublicKeys::parse(set.as_bytes()).unwrap();
        let taken = keys.weight();
        let client = Client { keys: Some(ClientKeys::Registered(keys)), ..Client::of("x") };
        assert!(weight(client, Map::new(), &set) >= taken);
    }
}
