//! How clients prove who they are (OpenID Connect Core §9, RFC 7523), and what is different for those who cannot.

use std::{
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use actix_web::{App, HttpResponse, HttpServer, web};
use idp::{
    domain::{auth_method::AuthMethod, client::Client, client_keys::ClientKeys},
    keys::{KeyAlg, SigningKey},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use shared::clock::Clock as _;
use url::Url;

use crate::helpers::{Answer, AuthorizationRequest, Browser, Code, Idp, base64_url, basic, http, signed_in};

pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const SECRET: (&str, &str) = ("client-secret-jwt", "client-secret-jwt-secret-of-32-bytes-or-more");
const PRIVATE_KEY: &str = "client-private-key";
const PUBLIC: &str = "client-public";
static NEXT_JTI: AtomicU32 = AtomicU32::new(0);

/// A key that a client signs with.
pub struct Key {
    pub alg: KeyAlg,
    pem: String,
    pub public: Value,
}

impl Key {
    pub fn new(alg: KeyAlg) -> Self {
        let pem = SigningKey::generate_pem(alg).unwrap();
        let public = serde_json::to_value(SigningKey::from_pem(alg, &pem).unwrap().public()).unwrap();
        Self { alg, pem, public }
    }

    fn kid(&self) -> &str {
        self.public["kid"].as_str().unwrap()
    }

    pub fn encoding(&self) -> EncodingKey {
        match self.alg {
            KeyAlg::Rs256 => EncodingKey::from_rsa_pem(self.pem.as_bytes()),
            KeyAlg::Es256 => EncodingKey::from_ec_pem(self.pem.as_bytes()),
            KeyAlg::EdDsa => EncodingKey::from_ed_pem(self.pem.as_bytes()),
        }
        .unwrap()
    }

    /// A header as this key signs.
    pub fn header(&self) -> Header {
        Header { kid: Some(self.kid().to_owned()), ..Header::new(self.alg.into()) }
    }

    pub fn signs(&self, claims: &Value) -> String {
        jsonwebtoken::encode(&self.header(), claims, &self.encoding()).unwrap()
    }
}

/// What a client publishes, and how often it was asked.
#[derive(Clone, Default)]
struct Published(Arc<Mutex<(u32, Vec<Value>)>>);

impl Published {
    /// Serves it, and says where.
    fn serve(&self) -> String {
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

    fn set(&self, keys: &[&Key]) {
        self.0.lock().unwrap().1 = keys.iter().map(|key| key.public.clone()).collect();
    }

    fn asked(&self) -> u32 {
        self.0.lock().unwrap().0
    }
}

/// A provider for whose clients everything is known.
struct Keyed {
    idp: Idp,
    key: Key,
    published: Published,
}

impl Keyed {
    fn start(alg: KeyAlg) -> Self {
        Self::start_with(alg, |_| ())
    }

    fn start_with(alg: KeyAlg, change: impl FnOnce(&mut Client)) -> Self {
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

    fn claims(&self) -> Value {
        claims(&self.idp, PRIVATE_KEY)
    }

    /// Whom the provider takes an assertion to be from: a refresh token that nobody has is refused to a client that it
    /// knows.
    async fn shows(&self, assertion: &str) -> Answer {
        shows(&self.idp, assertion).await
    }
}

pub fn client<'a>(clients: &'a mut [Client], id: &str) -> &'a mut Client {
    clients.iter_mut().find(|client| client.id.as_str() == id).unwrap()
}

/// The claims of a good assertion, each with a `jti` of its own.
pub fn claims(idp: &Idp, client_id: &str) -> Value {
    let now = idp.clock.now().as_unix();
    let jti = NEXT_JTI.fetch_add(1, Ordering::Relaxed).to_string();
    json!({ "iss": client_id, "sub": client_id, "aud": idp.issuer, "exp": now + 60, "iat": now, "jti": jti })
}

pub fn signed_with_secret(secret: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

async fn shows(idp: &Idp, assertion: &str) -> Answer {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "rt_x")];
    let shown = [("client_assertion", assertion), ("client_assertion_type", TYPE)];
    idp.token_as(None, &[fields, shown].concat()).await
}

#[track_caller]
fn is_known(answer: &Answer) {
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{answer:?}");
}

#[track_caller]
fn is_unknown(answer: &Answer, why: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{why}: {answer:?}");
}

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

#[actix_web::test]
async fn a_client_signs_with_a_key_of_its_own_in_any_of_the_announced_ways() {
    for alg in KeyAlg::ALL {
        let keyed = Keyed::start(alg);
        is_known(&keyed.shows(&keyed.key.signs(&keyed.claims())).await);
    }
}

#[actix_web::test]
async fn a_login_ends_with_an_assertion_in_the_place_of_a_secret() {
    let keyed = Keyed::start(KeyAlg::Es256);
    let asked = AuthorizationRequest::new().with("client_id", PRIVATE_KEY);
    let code = keyed.idp.code_for(&asked).await;
    let assertion = keyed.key.signs(&keyed.claims());
    let shown = [("client_assertion", assertion.as_str()), ("client_assertion_type", TYPE)];
    let answer = keyed.idp.token_as(None, &[&code.fields()[..], &shown].concat()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(crate::exchange::payload(&answer.json())["aud"], PRIVATE_KEY);
}

#[actix_web::test]
async fn an_assertion_is_meant_for_the_issuer_or_for_the_endpoint() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let (issuer, endpoint) = (keyed.idp.issuer.clone(), keyed.idp.at("/oauth/token"));
    for aud in [json!(issuer), json!(endpoint), json!([issuer]), json!(["https://other.example", endpoint])] {
        let mut claims = keyed.claims();
        claims["aud"] = aud.clone();
        let answer = keyed.shows(&keyed.key.signs(&claims)).await;
        assert_eq!(answer.error(), "invalid_grant", "{aud}");
    }
    for aud in [json!("https://other.example"), json!(format!("{issuer}/")), json!([]), json!(null), json!(1)]
    {
        let mut claims = keyed.claims();
        claims["aud"] = aud.clone();
        is_unknown(&keyed.shows(&keyed.key.signs(&claims)).await, &aud.to_string());
    }
}

#[actix_web::test]
async fn an_assertion_works_once() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let assertion = keyed.key.signs(&keyed.claims());
    is_known(&keyed.shows(&assertion).await);
    is_unknown(&keyed.shows(&assertion).await, "the same again");
    // As long as it lives, and to the last second of the tolerance.
    keyed.idp.passes(119);
    is_unknown(&keyed.shows(&assertion).await, "much later");
    let answers = keyed.key.signs(&keyed.claims());
    let answers = futures_util::future::join_all((0..50).map(|_| keyed.shows(&answers))).await;
    assert_eq!(answers.iter().filter(|answer| answer.error() == "invalid_grant").count(), 1);
}

#[actix_web::test]
async fn two_clients_may_use_one_jti() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let mut own = keyed.claims();
    own["jti"] = "1".into();
    let mut others = claims(&keyed.idp, SECRET.0);
    others["jti"] = "1".into();
    is_known(&keyed.shows(&keyed.key.signs(&own)).await);
    is_known(&keyed.shows(&signed_with_secret(SECRET.1, &others)).await);
}

#[actix_web::test]
async fn an_assertion_with_a_claim_that_is_missing_or_wrong_is_refused() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let now = keyed.idp.clock.now().as_unix();
    for (claim, values) in [
        ("iss", vec![json!(null), json!("client2"), json!(keyed.idp.issuer)]),
        ("sub", vec![json!(null), json!("client1"), json!("nobody")]),
        ("exp", vec![json!(null), json!((now + 60).to_string()), json!(now - 60), json!(now + 3601)]),
        ("nbf", vec![json!(now + 61), json!("x")]),
        ("iat", vec![json!(now + 61), json!("x")]),
        ("jti", vec![json!(null), json!(1)]),
    ] {
        for value in values {
            let mut claims = keyed.claims();
            claims[claim] = value.clone();
            is_unknown(&keyed.shows(&keyed.key.signs(&claims)).await, &format!("{claim} {value}"));
        }
    }
    for (claim, value) in [("exp", now - 59), ("exp", now + 3600), ("nbf", now + 60), ("iat", now + 60)] {
        let mut claims = keyed.claims();
        claims[claim] = value.into();
        is_known(&keyed.shows(&keyed.key.signs(&claims)).await);
    }
}

#[actix_web::test]
async fn i17_an_assertion_does_not_choose_its_key_or_its_algorithm() {
    let keyed = Keyed::start(KeyAlg::Es256);
    let (key, own) = (&keyed.key, Key::new(KeyAlg::Es256));
    let encoded = |value: &Value| base64_url(&value.to_string());
    // `none`, in each spelling.
    for alg in ["none", "None", "nOnE", ""] {
        let header = encoded(&json!({ "alg": alg, "typ": "JWT", "kid": key.kid() }));
        let token = format!("{header}.{}.", encoded(&keyed.claims()));
        is_unknown(&keyed.shows(&token).await, alg);
    }
    // HS256 with the public key, as it is published and as PEM.
    for secret in [key.public.to_string(), key.public["x"].as_str().unwrap().to_owned()] {
        is_unknown(&keyed.shows(&signed_with_secret(&secret, &keyed.claims())).await, "HS256");
    }
    // A key that it brings along, or names.
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(own.public.clone()).unwrap();
    let header = Header { jwk: Some(jwk), ..own.header() };
    let token = jsonwebtoken::encode(&header, &keyed.claims(), &own.encoding()).unwrap();
    is_unknown(&keyed.shows(&token).await, "jwk");
    let elsewhere = Published::default();
    elsewhere.set(&[&own]);
    let header = Header { jku: Some(elsewhere.serve()), ..own.header() };
    let token = jsonwebtoken::encode(&header, &keyed.claims(), &own.encoding()).unwrap();
    is_unknown(&keyed.shows(&token).await, "jku");
    assert_eq!(elsewhere.asked(), 0, "nothing is fetched that a token names");
    // The name of a right key, another hand; a path for a name.
    for kid in [key.kid(), "../../etc/passwd"] {
        let header = Header { kid: Some(kid.to_owned()), ..own.header() };
        let token = jsonwebtoken::encode(&header, &keyed.claims(), &own.encoding()).unwrap();
        is_unknown(&keyed.shows(&token).await, kid);
    }
    // Something critical that nobody here knows, and another kind of token.
    for header in [
        Header { crit: Some(vec!["exp".into()]), ..key.header() },
        Header { typ: Some("at+jwt".into()), ..key.header() },
        Header { typ: Some("logout+jwt".into()), ..key.header() },
    ] {
        let token = jsonwebtoken::encode(&header, &keyed.claims(), &key.encoding()).unwrap();
        is_unknown(&keyed.shows(&token).await, &format!("{header:?}"));
    }
    // No JWT at all, and more than a header should be.
    for token in ["", "x", "..", "a.b.c", &format!("{}.e30.x", base64_url(&"a".repeat(40_000)))] {
        let answer = keyed.shows(token).await;
        assert!([400, 401].contains(&answer.status), "{token}: {answer:?}");
    }
    is_known(&keyed.shows(&key.signs(&keyed.claims())).await);
}

#[actix_web::test]
async fn a_registered_algorithm_is_the_only_one() {
    let pinned = |alg| move |client: &mut Client| client.auth_signing_alg = Some(alg);
    let keyed = Keyed::start_with(KeyAlg::Es256, pinned(Algorithm::ES256));
    is_known(&keyed.shows(&keyed.key.signs(&keyed.claims())).await);
    let keyed = Keyed::start_with(KeyAlg::Es256, pinned(Algorithm::RS256));
    is_unknown(&keyed.shows(&keyed.key.signs(&keyed.claims())).await, "another one");
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
async fn what_is_right_in_another_way_than_the_registered_one_is_refused_and_told_which_that_is() {
    let idp = Idp::start();
    for (client, fields, registered) in [
        (Some(SECRET), vec![], "client_secret_jwt"),
        (Some(("client-post", "client-post-secret")), vec![], "client_secret_post"),
        (None, vec![("client_id", "client2"), ("client_secret", "client2-secret")], "client_secret_basic"),
    ] {
        let fields = [&[("grant_type", "refresh_token"), ("refresh_token", "rt_x")], &fields[..]].concat();
        let answer = idp.token_as(client, &fields).await;
        is_unknown(&answer, registered);
        assert!(answer.json()["error_description"].as_str().unwrap().contains(registered), "{answer:?}");
    }
    let signed = signed_with_secret(SECRET.1, &claims(&idp, SECRET.0));
    is_known(&shows(&idp, &signed).await);
    // The secret of a client that is registered for nothing of the kind signs nothing.
    let signed = signed_with_secret("client2-secret", &claims(&idp, "client2"));
    is_unknown(&shows(&idp, &signed).await, "too short to be a key");
}

#[actix_web::test]
async fn i12_an_assertion_beside_a_secret_or_another_name_is_refused() {
    let keyed = Keyed::start(KeyAlg::EdDsa);
    let token = keyed.key.signs(&keyed.claims());
    let shown =
        [("grant_type", "refresh_token"), ("client_assertion", &token), ("client_assertion_type", TYPE)];
    for more in [("client_id", "client1"), ("client_secret", "client1-secret")] {
        let answer = keyed.idp.token_as(None, &[&shown[..], &[more]].concat()).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{more:?}");
    }
    let both = keyed.idp.token_as(Some(("client1", "client1-secret")), &shown).await;
    assert_eq!(both.error(), "invalid_request");
    for half in [&shown[..2], &[shown[0], shown[2]], &[shown[0], shown[1], ("client_assertion_type", "x")]] {
        assert_eq!(keyed.idp.token_as(None, half).await.error(), "invalid_request", "{half:?}");
    }
}

#[actix_web::test]
async fn a_public_client_names_itself_and_has_its_verifier_to_show() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::new().with("client_id", PUBLIC);
    let code = idp.code_for(&asked).await;
    let name = ("client_id", PUBLIC);
    let without = [&code.fields_with("code_verifier", "")[..], &[name]].concat();
    assert_eq!(idp.token_as(None, &without).await.error(), "invalid_grant");
    let code = idp.code_for(&asked).await;
    assert_eq!(idp.token_as(None, &[&code.fields()[..], &[name]].concat()).await.status, 200);
}

#[actix_web::test]
async fn a_client_that_has_a_secret_is_not_known_by_its_name() {
    let idp = Idp::start();
    let code = idp.code().await;
    for id in ["client1", "nobody"] {
        let answer = idp.token_as(None, &[&code.fields()[..], &[("client_id", id)]].concat()).await;
        is_unknown(&answer, id);
    }
    // Nor is one without a secret known by any.
    for secret in ["", "x"] {
        is_unknown(&idp.token_as(Some((PUBLIC, secret)), &code.fields()).await, secret);
    }
    assert_eq!(idp.redeems(&code).await.status, 200);
}

#[actix_web::test]
async fn i4_a_public_client_cannot_do_without_pkce_whatever_it_is_registered_for() {
    let idp = Idp::start_with(|settings| client(&mut settings.clients, PUBLIC).require_pkce = false);
    let asked = AuthorizationRequest::new().with("client_id", PUBLIC);
    let asked = asked.without("code_challenge").without("code_challenge_method");
    Browser::new(&idp).opens(&asked).await.location().is_refusal(&idp, "invalid_request");
}

#[actix_web::test]
async fn i8_users_of_a_public_client_are_asked_for_consent_each_time() {
    let idp = Idp::start_with(|settings| client(&mut settings.clients, PUBLIC).remember_consent = true);
    let mut browser = signed_in(&idp, &[crate::helpers::DEMO]).await;
    let asked = AuthorizationRequest::new().with("client_id", PUBLIC).without("prompt");
    for _ in 0..2 {
        let page = browser.opens(&asked).await;
        assert!(page.location.is_none() && page.body.contains("decision"), "{page:?}");
        browser.decides("allow").await.location();
    }
    let silent = browser.opens(&asked.with("prompt", "none")).await.location();
    silent.is_refusal(&idp, "consent_required");
}

#[actix_web::test]
async fn i6_the_refresh_tokens_of_a_public_client_rotate() {
    let idp = Idp::start();
    let scope = "openid offline_access";
    let asked = AuthorizationRequest::new().with("client_id", PUBLIC).with("scope", scope);
    let mut browser = Browser::new(&idp);
    browser.opens(&asked).await;
    browser.signs_in("demo", "DemoTest2024!").await;
    let ticked = [("decision", "allow"), ("scope", "openid"), ("scope", "offline_access")];
    let location = browser.submits(&ticked).await.location();
    let name = ("client_id", PUBLIC);
    let code = Code::of(&asked, &location);
    let tokens = idp.token_as(None, &[&code.fields()[..], &[name]].concat()).await.json();
    let refreshes = async |token: &Value| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap()), name];
        idp.token_as(None, &fields).await
    };
    let renewed = refreshes(&tokens["refresh_token"]).await.json();
    assert_ne!(renewed["refresh_token"], tokens["refresh_token"]);
    assert_eq!(refreshes(&tokens["refresh_token"]).await.error(), "invalid_grant");
    assert_eq!(refreshes(&renewed["refresh_token"]).await.error(), "invalid_grant", "reuse kills them all");
}

#[actix_web::test]
async fn i19_a_public_client_gives_its_tokens_back_and_learns_nothing_about_any() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::new().with("client_id", PUBLIC);
    let (code, name) = (idp.code_for(&asked).await, ("client_id", PUBLIC));
    let tokens = idp.token_as(None, &[&code.fields()[..], &[name]].concat()).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    let form = [("token", token), name];
    let asked = Answer::of(http().post(idp.at("/oauth/introspect")).form(&form)).await;
    is_unknown(&asked, "introspection");
    assert_eq!(idp.userinfo(token).await.status, 200);
    assert_eq!(Answer::of(http().post(idp.at("/oauth/revoke")).form(&form)).await.status, 200);
    assert_eq!(idp.userinfo(token).await.status, 401);
}

#[actix_web::test]
async fn i16_scripts_of_public_clients_may_read_what_they_ask_for_and_others_may_not() {
    let idp = Idp::start();
    let own = "http://127.0.0.1:5002";
    for (path, method) in [
        ("/oauth/token", "POST"),
        ("/oauth/revoke", "POST"),
        ("/oauth/userinfo", "GET"),
        ("/oauth/userinfo", "POST"),
        ("/api/me", "GET"),
        ("/api/notes", "GET"),
    ] {
        let as_method = method.parse::<reqwest::Method>().unwrap();
        // client1 and client2 live at 5003, or elsewhere; they have servers that ask for them.
        for (origin, is_open) in
            [(own, true), ("http://127.0.0.1:5004", false), ("null", false), ("*", false)]
        {
            let asks = http().request(reqwest::Method::OPTIONS, idp.at(path)).header("origin", origin);
            let asks = asks.header("access-control-request-method", method);
            let reads = http().request(as_method.clone(), idp.at(path)).header("origin", origin);
            let (asked, read) = (Answer::of(asks).await, Answer::of(reads).await);
            assert_eq!(asked.status == 204, is_open, "{path} {origin}: {asked:?}");
            for answer in [&asked, &read] {
                let opened = if is_open { origin } else { "" };
                assert_eq!(answer.header("access-control-allow-origin"), opened, "{path} {origin}");
                assert_eq!(answer.header("access-control-allow-credentials"), "");
                assert!(answer.header("vary").contains("Origin"), "{path} {origin}: {answer:?}");
            }
            let headers = asked.header("access-control-allow-headers");
            assert_eq!(headers.contains("authorization"), is_open, "{path} {origin}");
        }
    }
}
