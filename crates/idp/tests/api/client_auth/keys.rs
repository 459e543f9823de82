//! The keys that a client publishes: when they are asked for, and that it may change them.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use idp::{
    domain::{client::Client, client_keys::ClientKeys},
    keys::KeyAlg,
};
use serde_json::{Value, json};
use shared::clock::Clock as _;
use url::Url;

use super::{Key, PRIVATE_KEY, claims, client, is_known, is_unknown, shows};
use crate::helpers::{Answer, Idp};

/// What a client publishes, and how often it was asked.
#[derive(Clone, Default)]
pub struct Published(Arc<Mutex<(u32, Vec<Value>)>>);

impl Published {
    /// Serves it, and says where.
    pub fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/jwks", listener.local_addr().unwrap());
        let published = self.clone();
        let serve = move || {
            let published = published.clone();
            let answer = move || {
                let published = published.clone();
                async move {
                    let mut kept = published.0.lock().unwrap();
                    kept.0 += 1;
                    match kept.1.as_slice() {
                        [] => HttpResponse::InternalServerError().finish(),
                        keys => HttpResponse::Ok().json(json!({ "keys": keys })),
                    }
                }
            };
            App::new().route("/jwks", web::get().to(answer))
        };
        let server = HttpServer::new(serve).workers(1).disable_signals().listen(listener).unwrap().run();
        actix_web::rt::spawn(server);
        address
    }

    pub fn set(&self, keys: &[&Key]) {
        self.0.lock().unwrap().1 = keys.iter().map(|key| key.public.clone()).collect();
    }

    pub fn asked(&self) -> u32 {
        self.0.lock().unwrap().0
    }
}

/// A provider for whose clients everything is known.
pub struct Keyed {
    pub idp: Idp,
    pub key: Key,
    published: Published,
}

impl Keyed {
    pub fn start(alg: KeyAlg) -> Self {
        Self::start_with(alg, |_| ())
    }

    pub fn start_with(alg: KeyAlg, change: impl FnOnce(&mut Client)) -> Self {
        let (key, published) = (Key::new(alg), Published::default());
        published.set(&[&key]);
        let address = Url::parse(&published.serve()).unwrap();
        let idp = Idp::start_with(|settings| {
            let client = client(&mut settings.clients, PRIVATE_KEY);
            client.keys = Some(ClientKeys::Published(address));
            change(client);
        });
        Self { idp, key, published }
    }

    pub fn claims(&self) -> Value {
        claims(&self.idp, PRIVATE_KEY)
    }

    /// Whom the provider takes an assertion to be from: a refresh token that nobody has is refused to a client that it
    /// knows.
    pub async fn shows(&self, assertion: &str) -> Answer {
        shows(&self.idp, assertion).await
    }
}

#[actix_web::test]
async fn a_client_changes_its_keys_when_it_likes() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    is_known(&keyed.shows(&keyed.key.signs(&keyed.claims())).await);
    let next = Key::new(KeyAlg::EdDsa);
    keyed.published.set(&[&next]);
    keyed.idp.passes(5);
    is_known(&keyed.shows(&next.signs(&keyed.claims())).await);
    is_unknown(&keyed.shows(&keyed.key.signs(&keyed.claims())).await, "the old one is gone");
    assert_eq!(keyed.published.asked(), 2, "asked for the new key; then not again within five seconds");
}

#[actix_web::test]
async fn unknown_keys_make_the_provider_ask_once_in_five_seconds_and_the_last_good_ones_stay() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    is_known(&keyed.shows(&keyed.key.signs(&keyed.claims())).await);
    keyed.published.set(&[]);
    keyed.idp.passes(5);
    let stranger = Key::new(KeyAlg::EdDsa);
    let tokens: Vec<_> = (0..20).map(|_| stranger.signs(&keyed.claims())).collect();
    futures_util::future::join_all(tokens.iter().map(|token| keyed.shows(token))).await;
    assert_eq!(keyed.published.asked(), 2);
    is_known(&keyed.shows(&keyed.key.signs(&keyed.claims())).await);
}

#[actix_web::test]
async fn a_client_whose_keys_cannot_be_had_is_unknown() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    keyed.published.set(&[]);
    is_unknown(&keyed.shows(&keyed.key.signs(&keyed.claims())).await, "500");
}

#[actix_web::test]
async fn i22_however_many_clients_registered_themselves_every_client_is_heard() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let strangers = Published::default();
    strangers.set(&[&Key::new(KeyAlg::EdDsa)]);
    let address = strangers.serve();
    let now = keyed.idp.clock.now();
    let registered = Client { registered: Some(now), ..Client::of("app-x") };
    let asks = async |number: u32| {
        let address = Url::parse(&format!("{address}?{number}")).unwrap();
        keyed.idp.state.client_keys.at(&registered, &address, None, now).await.is_some()
    };
    for number in 0..1000 {
        assert!(asks(number).await, "{number}");
    }
    assert!(asks(0).await);
    assert_eq!(strangers.asked(), 1000, "what there is room for is kept");
    assert!(asks(1000).await && asks(1000).await);
    assert_eq!(strangers.asked(), 1002, "what there is no room for is fetched, and not kept");
    for _ in 0..2 {
        is_known(&keyed.shows(&keyed.key.signs(&keyed.claims())).await);
    }
    assert_eq!(keyed.published.asked(), 1, "those of the settings have their room");
}
