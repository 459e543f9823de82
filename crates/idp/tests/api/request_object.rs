//! Signed request objects (RFC 9101, OpenID Connect Core §6.1): the request travels as a JWT that the client signed.

use idp::{
    domain::{
        client::Client,
        client_keys::{ClientKeys, PublicKeys},
    },
    keys::KeyAlg,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};
use shared::clock::Clock as _;

use crate::{
    client_auth::{Key, client},
    helpers::{Answer, AuthorizationRequest, Browser, Code, DEMO, Idp, REDIRECT_URI, base64_url, http},
    par::{address, pushes, request_uri},
};

const CLIENT: &str = "client1";
const SECRET: &str = "a-secret-of-client1-with-32-bytes-or-more";

/// A provider that knows a key of client1.
struct Signed {
    idp: Idp,
    key: Key,
    asked: AuthorizationRequest,
}

impl Signed {
    fn start(alg: KeyAlg) -> Self {
        Self::start_with(alg, |_| ())
    }

    fn start_with(alg: KeyAlg, change: impl FnOnce(&mut Client)) -> Self {
        let key = Key::new(alg);
        let mut public = key.public.clone();
        // A key that says what it is for is for nothing else: PS256 takes one that does not.
        public.as_object_mut().unwrap().remove("alg");
        let keys = PublicKeys::parse(json!({ "keys": [public] }).to_string().as_bytes()).unwrap();
        let idp = Idp::start_with(|settings| {
            let client = client(&mut settings.clients, CLIENT);
            client.keys = Some(ClientKeys::Registered(keys));
            change(client);
        });
        Self { idp, key, asked: AuthorizationRequest::new() }
    }

    /// The request as claims.
    fn claims(&self) -> Value {
        let mut claims: Map<String, Value> =
            self.asked.pairs().iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        let now = self.idp.clock.now().as_unix();
        claims.extend([
            ("iss".to_owned(), json!(CLIENT)),
            ("aud".to_owned(), json!(self.idp.issuer)),
            ("exp".to_owned(), json!(now + 60)),
            ("iat".to_owned(), json!(now)),
        ]);
        Value::Object(claims)
    }

    fn claims_with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        claims
    }

    fn header(&self) -> Header {
        Header { typ: Some("oauth-authz-req+jwt".into()), ..self.key.header() }
    }

    fn signs(&self, claims: &Value) -> String {
        self.signs_with(&self.header(), claims)
    }

    fn signs_with(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key.encoding()).unwrap()
    }

    /// What is answered to a browser that brings `object`, with `beside` next to it.
    async fn opens(&self, object: &str, beside: &[(&str, &str)]) -> Answer {
        let fields = [&[("client_id", CLIENT), ("request", object)], beside].concat();
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = http().get(self.idp.at(&format!("/oauth/authorize?{query}")));
        Answer::of(request.header("sec-fetch-site", "none")).await
    }

    #[track_caller]
    fn is_accepted(&self, answer: &Answer) {
        let page = self.idp.at("/login/in_");
        assert!(answer.location.as_ref().is_some_and(|it| it.starts_with(&page)), "{answer:?}");
    }

    /// Refused: to the address that stands outside, or on a page where none does.
    async fn is_refused(&self, object: &str, why: &str) {
        let outside = [("redirect_uri", REDIRECT_URI), ("state", "af0ifjsldkj")];
        let answer = self.opens(object, &outside).await;
        assert!(answer.location.is_some(), "{why}: {answer:?}");
        answer.location().is_refusal(&self.idp, "invalid_request_object");
        self.opens(object, &[]).await.is_error_page("invalid_request_object");
    }
}

#[actix_web::test]
async fn a_login_begins_with_a_signed_request_in_any_of_the_announced_ways() {
    for alg in KeyAlg::ALL {
        let signed = Signed::start(alg);
        signed.is_accepted(&signed.opens(&signed.signs(&signed.claims()), &[]).await);
    }
    let signed = Signed::start(KeyAlg::Rs256);
    let ps256 = Header { alg: Algorithm::PS256, ..signed.header() };
    signed.is_accepted(&signed.opens(&signed.signs_with(&ps256, &signed.claims()), &[]).await);
    let with_secret = Signed::start_with(KeyAlg::Es256, |client| {
        (client.secret, client.keys) = (Some(shared::secret::Secret::new(SECRET)), None);
    });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let object = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &with_secret.claims(), &key).unwrap();
    with_secret.is_accepted(&with_secret.opens(&object, &[]).await);
}

#[actix_web::test]
async fn a_login_ends_with_what_was_asked_for_inside() {
    let signed = Signed::start(KeyAlg::Es256);
    let object = signed.signs(&signed.claims());
    let mut browser = Browser::new(&signed.idp);
    browser.goes(&signed.idp.at(&format!("/oauth/authorize?client_id={CLIENT}&request={object}"))).await;
    browser.signs_in(DEMO.0, DEMO.1).await;
    let location = browser.decides("allow").await.location();
    assert_eq!(location.param("state"), Some(signed.asked.get("state")));
    let tokens = signed.idp.redeems(&Code::of(&signed.asked, &location)).await;
    assert_eq!(crate::exchange::payload(&tokens.json())["nonce"], signed.asked.get("nonce"));
}

#[actix_web::test]
async fn only_what_stands_inside_counts() {
    let signed = Signed::start(KeyAlg::EdDsa);
    let object = signed.signs(&signed.claims());
    // Outside stands what would be refused, were it read.
    signed
        .is_accepted(&signed.opens(&object, &[("prompt", "none"), ("claims", "["), ("max_age", "x")]).await);
    // And what is missing inside is not taken from outside.
    let object = signed.signs(&signed.claims_with("code_challenge", Value::Null));
    let challenge = signed.asked.get("code_challenge");
    let answer = signed.opens(&object, &[("code_challenge", &challenge)]).await;
    answer.location().is_refusal(&signed.idp, "invalid_request");
    let object = signed.signs(&signed.claims_with("redirect_uri", Value::Null));
    signed.opens(&object, &[("redirect_uri", REDIRECT_URI)]).await.is_error_page("invalid_request");
    let object = signed.signs(&signed.claims_with("redirect_uri", json!("https://evil.example/")));
    signed.opens(&object, &[("redirect_uri", REDIRECT_URI)]).await.is_error_page("invalid_request");
}

#[actix_web::test]
async fn i2_an_address_outside_counts_for_nothing_and_where_nothing_else_does_it_is_a_page() {
    let signed = Signed::start(KeyAlg::EdDsa);
    let object = signed.signs(&signed.claims());
    let outside = [("redirect_uri", "https://evil.example/")];
    signed.is_accepted(&signed.opens(&object, &outside).await);
    signed.opens("x", &outside).await.is_error_page("invalid_request");
    let twice = [("request", object.as_str())];
    signed.opens(&object, &twice).await.is_error_page("invalid_request");
}

#[actix_web::test]
async fn i17_a_request_object_that_is_not_signed_as_registered_is_refused() {
    let signed = Signed::start(KeyAlg::Rs256);
    let claims = signed.claims();
    let good = signed.signs(&claims);
    let payload = good.split('.').nth(1).unwrap();
    let none = format!("{}.{payload}.", base64_url(r#"{"alg":"none"}"#));
    signed.is_refused(&none, "alg none").await;
    signed
        .is_refused(
            &none.replacen(&base64_url(r#"{"alg":"none"}"#), &base64_url(r#"{"alg":"nOnE"}"#), 1),
            "nOnE",
        )
        .await;
    let public = EncodingKey::from_secret(signed.key.public.to_string().as_bytes());
    let confused = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &public).unwrap();
    signed.is_refused(&confused, "HS256 with the public key").await;
    let short = EncodingKey::from_secret(b"client1-secret");
    let short = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &short).unwrap();
    signed.is_refused(&short, "HS256 with a short secret").await;
    let (head, signature) = good.rsplit_once('.').unwrap();
    signed.is_refused(&format!("{head}.{}", signature.chars().rev().collect::<String>()), "signature").await;
    let other = Key::new(KeyAlg::Rs256);
    let forged = jsonwebtoken::encode(&signed.header(), &claims, &other.encoding()).unwrap();
    signed.is_refused(&forged, "somebody else's key").await;
    let jwk =
        Header { jwk: serde_json::from_value(other.public.clone()).unwrap(), kid: None, ..signed.header() };
    signed
        .is_refused(&jsonwebtoken::encode(&jwk, &claims, &other.encoding()).unwrap(), "a key of its own")
        .await;
}

#[actix_web::test]
async fn i17_another_kind_of_token_is_no_request_object() {
    let signed = Signed::start(KeyAlg::Es256);
    for (typ, is_one) in [
        (Some("JWT"), true),
        (None, true),
        (Some("at+jwt"), false),
        (Some("client-authentication+jwt"), false),
    ] {
        let header = Header { typ: typ.map(ToOwned::to_owned), ..signed.header() };
        let object = signed.signs_with(&header, &signed.claims());
        if is_one {
            signed.is_accepted(&signed.opens(&object, &[]).await);
        } else {
            signed.is_refused(&object, "typ").await;
        }
    }
    let critical = Header { crit: Some(vec!["b64".into()]), ..signed.header() };
    signed.is_refused(&signed.signs_with(&critical, &signed.claims()), "crit").await;
    for garbage in ["x", "a.b.c", "..", "eyJhbGciOiJFUzI1NiJ9.e30"] {
        signed.is_refused(garbage, "no JWT").await;
    }
}

#[actix_web::test]
async fn i17_what_would_prove_who_the_client_is_does_not_travel_through_a_browser() {
    let it = Signed::start(KeyAlg::Es256);
    for typ in [Some("oauth-authz-req+jwt"), Some("JWT"), None] {
        let header = Header { typ: typ.map(ToOwned::to_owned), ..it.header() };
        let assertion = it.signs_with(&header, &it.claims_with("sub", json!(CLIENT)));
        it.is_refused(&assertion, "it is about the client itself").await;
    }
    let other = it.signs(&it.claims_with("sub", json!("1")));
    it.is_accepted(&it.opens(&other, &[]).await);
}

#[actix_web::test]
async fn the_registered_algorithm_is_the_only_one() {
    let signed = Signed::start_with(KeyAlg::Rs256, |client| {
        client.request_object_signing_alg = Some(Algorithm::PS256);
    });
    signed.is_refused(&signed.signs(&signed.claims()), "RS256").await;
    let ps256 = Header { alg: Algorithm::PS256, ..signed.header() };
    signed.is_accepted(&signed.opens(&signed.signs_with(&ps256, &signed.claims()), &[]).await);
}

#[actix_web::test]
async fn a_request_object_says_who_signed_it_and_for_whom() {
    let signed = Signed::start(KeyAlg::Es256);
    for (name, value) in [
        ("iss", json!("client2")),
        ("iss", Value::Null),
        ("aud", json!("https://other.example")),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("client_id", json!("client2")),
    ] {
        signed
            .is_refused(&signed.signs(&signed.claims_with(name, value.clone())), &format!("{name} {value}"))
            .await;
    }
    let several = json!(["https://other.example", signed.idp.issuer]);
    signed.is_accepted(&signed.opens(&signed.signs(&signed.claims_with("aud", several)), &[]).await);
    let nameless = signed.signs(&signed.claims_with("client_id", Value::Null));
    signed.is_accepted(&signed.opens(&nameless, &[]).await);
}

#[actix_web::test]
async fn a_request_object_is_good_for_as_long_as_it_says() {
    let signed = Signed::start(KeyAlg::Es256);
    let now = signed.idp.clock.now().as_unix();
    for (name, time, is_good) in [
        ("exp", json!(now - 59), true),
        ("exp", json!(now - 60), false),
        ("exp", json!("soon"), false),
        ("exp", json!(1_795_500_000.5), true),
        ("exp", Value::Null, true),
        ("nbf", json!(now + 60), true),
        ("nbf", json!(now + 61), false),
        ("iat", json!(now + 61), false),
    ] {
        let object = signed.signs(&signed.claims_with(name, time.clone()));
        if is_good {
            signed.is_accepted(&signed.opens(&object, &[]).await);
        } else {
            signed.is_refused(&object, &format!("{name} {time}")).await;
        }
    }
}

#[actix_web::test]
async fn what_stands_inside_and_outside_must_be_the_same() {
    let signed = Signed::start(KeyAlg::Es256);
    let object = signed.signs(&signed.claims());
    signed.is_accepted(&signed.opens(&object, &[("response_type", "code")]).await);
    let other = [("response_type", "token"), ("redirect_uri", REDIRECT_URI), ("state", "af0ifjsldkj")];
    signed.opens(&object, &other).await.location().is_refusal(&signed.idp, "invalid_request_object");
}

#[actix_web::test]
async fn there_is_no_request_in_a_request() {
    let signed = Signed::start(KeyAlg::Es256);
    for (name, value) in [("request", "x"), ("request_uri", "urn:ietf:params:oauth:request_uri:x")] {
        signed.is_refused(&signed.signs(&signed.claims_with(name, json!(value))), name).await;
    }
    let object = signed.signs(&signed.claims());
    let both =
        [("request_uri", "https://rp.example/r"), ("redirect_uri", REDIRECT_URI), ("state", "af0ifjsldkj")];
    signed.opens(&object, &both).await.location().is_refusal(&signed.idp, "request_uri_not_supported");
}

#[actix_web::test]
async fn who_is_registered_to_sign_is_refused_in_plain_parameters() {
    let signed = Signed::start_with(KeyAlg::Es256, |client| client.require_signed_request_object = true);
    let plain = signed.idp.at(&format!("/oauth/authorize?{}", signed.asked.query()));
    let plain = Answer::of(http().get(plain).header("sec-fetch-site", "none")).await;
    plain.location().is_refusal(&signed.idp, "invalid_request");
    let pushed = pushes(&signed.idp, (CLIENT, "client1-secret"), &signed.asked).await;
    assert_eq!((pushed.status, pushed.error().as_str()), (400, "invalid_request"));
    signed.is_accepted(&signed.opens(&signed.signs(&signed.claims()), &[]).await);
}

#[actix_web::test]
async fn a_signed_request_can_be_pushed() {
    let signed = Signed::start(KeyAlg::Es256);
    let secret = (CLIENT, "client1-secret");
    let mut packed = AuthorizationRequest::new();
    for (name, _) in signed.asked.pairs() {
        packed = packed.without(name);
    }
    let object = signed.signs(&signed.claims());
    let pushed = request_uri(&pushes(&signed.idp, secret, &packed.with("request", &object)).await);
    let browser = http().get(address(&signed.idp, CLIENT, &pushed)).header("sec-fetch-site", "none");
    signed.is_accepted(&Answer::of(browser).await);
    // RFC 9126 §3: nobody pushes what another client signed.
    let stolen = AuthorizationRequest::of_client2().with("request", &object);
    let answer = pushes(&signed.idp, ("client2", "client2-secret"), &stolen).await;
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request_object"));
}

#[actix_web::test]
async fn i22_a_request_object_has_the_bounds_of_every_address_and_form() {
    let signed = Signed::start(KeyAlg::Es256);
    let long = signed.signs(&signed.claims_with("login_hint", json!("x".repeat(8 * 1024))));
    assert_eq!(signed.opens(&long, &[]).await.status, 414);
    let secret = (CLIENT, "client1-secret");
    let longer = signed.signs(&signed.claims_with("login_hint", json!("x".repeat(64 * 1024))));
    let answer = pushes(&signed.idp, secret, &AuthorizationRequest::new().with("request", &longer)).await;
    assert_eq!(answer.status, 413);
    signed.is_refused(&signed.signs(&signed.claims_with("state", json!("a\0b"))), "NUL").await;
    let scope = signed.signs(&signed.claims_with("scope", json!("x".repeat(2000))));
    signed.opens(&scope, &[]).await.location().is_refusal(&signed.idp, "invalid_scope");
}
