//! Pushed authorization requests (RFC 9126): the client leaves its request, the browser brings the address of it.

use std::collections::HashSet;

use reqwest::header;
use shared::params;

use crate::{
    client_auth::client,
    helpers::{
        Answer, AuthorizationRequest, Browser, CLIENT2, Code, DEMO, Idp, REDIRECT_URI, basic, http,
        http_from, signed_in,
    },
};

const CLIENT1: (&str, &str) = ("client1", "client1-secret");
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// `POST /oauth/par` as `client`.
pub async fn pushes(idp: &Idp, client: (&str, &str), asked: &AuthorizationRequest) -> Answer {
    let request = http().post(idp.at("/oauth/par")).form(asked.pairs());
    Answer::of(request.header(header::AUTHORIZATION, basic(client.0, client.1))).await
}

/// The address of a request that was pushed.
#[track_caller]
pub fn request_uri(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["request_uri"].as_str().unwrap().to_owned()
}

/// Where the browser goes with it.
pub fn address(idp: &Idp, client_id: &str, request_uri: &str) -> String {
    idp.at(&format!("/oauth/authorize?client_id={client_id}&request_uri={}", params::encode(request_uri)))
}

async fn pushed(idp: &Idp) -> String {
    request_uri(&pushes(idp, CLIENT1, &AuthorizationRequest::new()).await)
}

async fn opens(idp: &Idp, address: &str) -> Answer {
    let browser = http().get(address).header("sec-fetch-site", "none");
    let answer = Answer::of(browser).await;
    assert_ne!(answer.status, 500, "{idp_issuer}", idp_issuer = idp.issuer);
    answer
}

#[actix_web::test]
async fn a_login_begins_with_a_request_that_the_browser_never_carried() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::new();
    let answer = pushes(&idp, CLIENT1, &asked).await;
    assert_eq!(
        (answer.header("cache-control"), answer.header("content-type")),
        ("no-store", "application/json")
    );
    assert_eq!(answer.json()["expires_in"], 600);
    let mut browser = Browser::new(&idp);
    browser.goes(&address(&idp, "client1", &request_uri(&answer))).await;
    assert!(browser.page.contains("/login/in_"), "{}", browser.page);
    browser.signs_in(DEMO.0, DEMO.1).await;
    let location = browser.decides("allow").await.location();
    assert_eq!(location.param("state"), Some(asked.get("state")));
    let tokens = idp.redeems(&Code::of(&asked, &location)).await;
    assert_eq!(crate::exchange::payload(&tokens.json())["nonce"], asked.get("nonce"));
}

#[actix_web::test]
async fn i1_the_address_of_a_pushed_request_cannot_be_guessed() {
    let idp = Idp::start();
    let mut seen = HashSet::new();
    for _ in 0..20 {
        let address = pushed(&idp).await;
        let random = address.strip_prefix(PREFIX).unwrap().to_owned();
        assert_eq!(random.len(), 43, "256 bits in base64url");
        assert!(seen.insert(random));
    }
}

#[actix_web::test]
async fn fifty_browsers_at_once_begin_one_login_with_a_pushed_request() {
    let idp = Idp::start();
    let address = address(&idp, "client1", &pushed(&idp).await);
    let client = http();
    let all = (0..50).map(|_| Answer::of(client.get(&address).header("sec-fetch-site", "none")));
    let answers = futures_util::future::join_all(all).await;
    let begun = answers.iter().filter(|answer| answer.status == 303);
    assert_eq!(begun.count(), 1);
    let refused = answers.iter().filter(|answer| answer.status == 400);
    assert_eq!(refused.clone().count(), 49);
    refused.for_each(|answer| answer.is_error_page("invalid_request_uri"));
}

#[actix_web::test]
async fn whoever_comes_again_ends_nothing_of_the_login_that_has_begun() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::new();
    let address = address(&idp, "client1", &request_uri(&pushes(&idp, CLIENT1, &asked).await));
    let mut browser = Browser::new(&idp);
    browser.goes(&address).await;
    let page = browser.page.clone();
    browser.goes(&address).await;
    browser.shown.is_error_page("invalid_request_uri");
    browser.goes(&page).await;
    browser.signs_in(DEMO.0, DEMO.1).await;
    let location = browser.decides("allow").await.location();
    assert_eq!(idp.redeems(&Code::of(&asked, &location)).await.status, 200);
}

#[actix_web::test]
async fn a_late_browser_is_sent_back_and_later_the_request_is_forgotten() {
    let idp = Idp::start_with(|settings| settings.par_lifetime = std::time::Duration::from_secs(60));
    let answer = pushes(&idp, CLIENT1, &AuthorizationRequest::new()).await;
    assert_eq!(answer.json()["expires_in"], 60);
    let address = address(&idp, "client1", &request_uri(&answer));
    idp.passes(60);
    opens(&idp, &address).await.location().is_refusal(&idp, "invalid_request_uri");
    idp.passes(60);
    opens(&idp, &address).await.is_error_page("invalid_request_uri");
}

#[actix_web::test]
async fn i2_a_pushed_request_is_for_the_client_that_pushed_it() {
    let idp = Idp::start();
    let pushed = pushed(&idp).await;
    opens(&idp, &address(&idp, "client2", &pushed)).await.is_error_page("invalid_request_uri");
    opens(&idp, &address(&idp, "nobody", &pushed)).await.is_error_page("invalid_request");
    let nameless = address(&idp, "", &pushed);
    opens(&idp, &nameless).await.is_error_page("invalid_request");
    // It is still there for its own client.
    assert_eq!(opens(&idp, &address(&idp, "client1", &pushed)).await.status, 303);
}

#[actix_web::test]
async fn i2_an_address_that_nobody_gave_out_leads_nowhere() {
    let idp = Idp::start();
    let made_up = format!("{PREFIX}{}", "A".repeat(43));
    let address = address(&idp, "client1", &made_up);
    let with_redirect = format!("{address}&redirect_uri={}", params::encode(REDIRECT_URI));
    opens(&idp, &with_redirect).await.is_error_page("invalid_request_uri");
}

#[actix_web::test]
async fn i13_the_address_of_a_request_stands_once() {
    let idp = Idp::start();
    let pushed = pushed(&idp).await;
    let twice = format!("{}&request_uri={}", address(&idp, "client1", &pushed), params::encode(&pushed));
    opens(&idp, &twice).await.is_error_page("invalid_request");
    let beside = format!("{}&state=a&state=b", address(&idp, "client1", &pushed));
    opens(&idp, &beside).await.is_error_page("invalid_request");
    let again = AuthorizationRequest::new().and("nonce", "n2");
    let answer = pushes(&idp, CLIENT1, &again).await;
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"));
}

#[actix_web::test]
async fn what_stands_beside_the_address_of_a_pushed_request_counts_for_nothing() {
    let idp = Idp::start();
    let address = address(&idp, "client1", &pushed(&idp).await);
    let beside =
        "&redirect_uri=https%3A%2F%2Fevil.example%2F&state=evil&prompt=none&response_type=token&request=x";
    let answer = opens(&idp, &format!("{address}{beside}")).await;
    assert!(answer.location().0.as_str().starts_with(&idp.at("/login/in_")), "{answer:?}");
}

#[actix_web::test]
async fn i2_what_is_wrong_with_a_request_is_told_to_the_client_that_pushes_it() {
    let idp = Idp::start();
    let good = AuthorizationRequest::new;
    for (asked, error) in [
        (good().with("redirect_uri", "https://evil.example/"), "invalid_request"),
        (good().without("redirect_uri"), "invalid_request"),
        (good().without("response_type"), "invalid_request"),
        (good().with("response_type", "token"), "unsupported_response_type"),
        (good().with("scope", "unknown"), "invalid_scope"),
        (good().without("code_challenge"), "invalid_request"),
        (good().with("code_challenge_method", "plain"), "invalid_request"),
        (good().with("prompt", "none login"), "invalid_request"),
        (good().with("max_age", "-1"), "invalid_request"),
        (good().with("claims", "[]"), "invalid_request"),
        (good().with("resource", "https://unknown.example/"), "invalid_target"),
        (good().with("request", "x"), "invalid_request_object"),
        (good().with("request_uri", "https://evil.example/r"), "invalid_request"),
        (good().with("request_uri", &format!("{PREFIX}x")), "invalid_request"),
        (good().with("client_id", "client2"), "invalid_request"),
    ] {
        let answer = pushes(&idp, CLIENT1, &asked).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{}", asked.query());
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.location.is_none());
    }
}

#[actix_web::test]
async fn i12_only_the_client_itself_pushes_requests() {
    let idp = Idp::start();
    let answer = pushes(&idp, ("client1", "wrong"), &AuthorizationRequest::new()).await;
    assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"));
    let nameless = http().post(idp.at("/oauth/par")).form(AuthorizationRequest::new().pairs());
    assert_eq!(Answer::of(nameless).await.status, 401, "client1 has a secret");
    let query =
        http().post(format!("{}?x=1", idp.at("/oauth/par"))).form(AuthorizationRequest::new().pairs());
    let query = query.header(header::AUTHORIZATION, basic(CLIENT1.0, CLIENT1.1));
    assert_eq!(Answer::of(query).await.error(), "invalid_request");
    let got = Answer::of(http().get(idp.at("/oauth/par"))).await;
    assert_eq!((got.status, got.header("allow")), (405, "POST"));
}

#[actix_web::test]
async fn a_public_client_pushes_by_its_name() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::new().with("client_id", "client-public");
    let answer = Answer::of(http().post(idp.at("/oauth/par")).form(asked.pairs())).await;
    let answer = opens(&idp, &address(&idp, "client-public", &request_uri(&answer))).await;
    assert!(answer.location().0.as_str().starts_with(&idp.at("/login/in_")));
}

#[actix_web::test]
async fn who_is_registered_to_push_is_refused_in_plain_parameters() {
    let idp = Idp::start_with(|settings| {
        client(&mut settings.clients, "client1").require_pushed_authorization_requests = true;
    });
    let plain = idp.at(&format!("/oauth/authorize?{}", AuthorizationRequest::new().query()));
    opens(&idp, &plain).await.location().is_refusal(&idp, "invalid_request");
    assert_eq!(opens(&idp, &address(&idp, "client1", &pushed(&idp).await)).await.status, 303);
}

#[actix_web::test]
async fn a_pushed_request_can_be_answered_without_a_page() {
    let idp = Idp::start();
    let mut browser = signed_in(&idp, &[DEMO]).await;
    let asked = AuthorizationRequest::of_client2().with("prompt", "none");
    let pushed = request_uri(&pushes(&idp, CLIENT2, &asked).await);
    let location = browser.goes(&address(&idp, CLIENT2.0, &pushed)).await.location();
    let tokens = idp.token_as(Some(CLIENT2), &Code::of(&asked, &location).fields()).await;
    assert_eq!(tokens.status, 200);
}

#[actix_web::test]
async fn i23_a_full_store_refuses_new_requests_for_a_while() {
    let idp = Idp::start_with(|settings| settings.capacity = 16);
    for _ in 0..8 {
        pushed(&idp).await;
    }
    let answer = pushes(&idp, CLIENT1, &AuthorizationRequest::new()).await;
    assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"));
    assert_eq!(answer.header("retry-after"), "30");
    request_uri(&pushes(&idp, CLIENT2, &AuthorizationRequest::of_client2()).await);
}

#[actix_web::test]
async fn i23_whoever_pushes_in_the_name_of_a_public_client_leaves_room_for_others() {
    let idp = Idp::start_with(|settings| settings.capacity = 16);
    let asked = AuthorizationRequest::new().with("client_id", "client-public");
    let push = async |last: u8| {
        let from = http_from([127, 0, 0, last].into());
        Answer::of(from.post(idp.at("/oauth/par")).form(asked.pairs())).await.status
    };
    assert_eq!([push(2).await, push(2).await, push(2).await, push(3).await], [201, 201, 503, 201]);
}
