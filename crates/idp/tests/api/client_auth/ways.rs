//! Each way to authenticate, tried at each endpoint that announces it.

use idp::{
    domain::{auth_method::AuthMethod, client_keys::ClientKeys},
    keys::KeyAlg,
};
use jsonwebtoken::Header;
use serde_json::{Value, json};

use super::{Key, PRIVATE_KEY, PUBLIC, SECRET, TYPE, claims, client, signed_with_secret};
use crate::helpers::{Answer, Idp, basic, http};

/// Each way to authenticate, as a client that may ask for anything.
pub struct Ways {
    idp: Idp,
    keys: Vec<Key>,
}

impl Ways {
    pub fn start() -> Self {
        let keys: Vec<_> = KeyAlg::ALL.into_iter().map(Key::new).collect();
        // A key that says what it is for is for nothing else: PS256 takes one that does not.
        let mut public: Vec<_> = keys.iter().map(|key| key.public.clone()).collect();
        for key in &mut public {
            key.as_object_mut().unwrap().remove("alg");
        }
        let set = json!({ "keys": public }).to_string();
        let idp = Idp::start_with(|settings| {
            for client in &mut settings.clients {
                client.grant_types = idp::domain::client::GrantType::ALL.to_vec();
            }
            let keys = idp::domain::client_keys::PublicKeys::parse(set.as_bytes()).unwrap();
            client(&mut settings.clients, PRIVATE_KEY).keys = Some(ClientKeys::Registered(keys));
        });
        Self { idp, keys }
    }

    /// A request to `path`, with credentials of this kind; `None` where the kind does not sign like that.
    pub async fn ask(&self, path: &str, method: &str, alg: &str) -> Option<Answer> {
        let fields = [("token", "x"), ("grant_type", "refresh_token"), ("refresh_token", "rt_x")];
        let mut fields = fields.map(|(name, value)| (name, value.to_owned())).to_vec();
        let mut header = None;
        let assertion =
            |token: String| [("client_assertion", token), ("client_assertion_type", TYPE.to_owned())];
        match (AuthMethod::find(method).unwrap(), alg) {
            (AuthMethod::ClientSecretBasic, _) => header = Some(basic("client2", "client2-secret")),
            (AuthMethod::ClientSecretPost, _) => fields.extend([
                ("client_id", "client-post".to_owned()),
                ("client_secret", "client-post-secret".to_owned()),
            ]),
            (AuthMethod::ClientSecretJwt, "HS256") => {
                fields.extend(assertion(signed_with_secret(SECRET.1, &claims(&self.idp, SECRET.0))));
            }
            (AuthMethod::PrivateKeyJwt, alg) if alg != "HS256" => {
                fields.extend(assertion(self.signed(alg, &claims(&self.idp, PRIVATE_KEY))?));
            }
            (AuthMethod::None, _) => fields.push(("client_id", PUBLIC.to_owned())),
            _ => return None,
        }
        let request = http().post(self.idp.at(path)).form(&fields);
        let request =
            header.into_iter().fold(request, |request, value| request.header("authorization", value));
        let mut answer = Answer::of(request).await;
        // The token endpoint has let it in when what it looks at next is the refresh token.
        if path.ends_with("/token") && answer.error() == "invalid_grant" {
            answer.status = 200;
        }
        Some(answer)
    }

    fn signed(&self, alg: &str, claims: &Value) -> Option<String> {
        let key = self.keys.iter().find(|key| key.alg.as_str() == alg.replace("PS", "RS"))?;
        let header = Header { alg: alg.parse().unwrap(), ..key.header() };
        Some(jsonwebtoken::encode(&header, claims, &key.encoding()).unwrap())
    }
}
