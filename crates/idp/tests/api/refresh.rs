//! New tokens for a refresh token.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use idp::{
    domain::user::{User, Username},
    store::{Stored, Stores, UserStore},
};
use serde_json::{Value, json};
use shared::{
    flow::{Entry, Rule, Step, Story, Turn, Verdict},
    ids::Subject,
};

use crate::{
    exchange::payload,
    helpers::{Answer, AuthorizationRequest, Browser, CLIENT2, Code, DEMO, Idp, SCOPE},
};

pub const CLIENT1: (&str, &str) = ("client1", "client1-secret");

/// The request of somebody who wants to act while the user is away.
pub fn offline() -> AuthorizationRequest {
    AuthorizationRequest::new().with("scope", &format!("{SCOPE} offline_access"))
}

/// Allows everything that is asked for, `offline_access` included.
pub async fn allowed(browser: &mut Browser) -> &Answer {
    let ticked = SCOPE.split(' ').chain(["offline_access"]).map(|value| ("scope", value));
    browser.submits(&ticked.chain([("decision", "allow")]).collect::<Vec<_>>()).await
}

impl Browser {
    /// For who has been away for so long that the session has ended.
    async fn signs_in_again(&mut self, idp: &Idp) {
        self.opens(&AuthorizationRequest::new()).await;
        self.signs_in(DEMO.0, DEMO.1).await;
        assert!(self.page.starts_with(&idp.issuer));
    }
}

impl Idp {
    /// The tokens of a login of client1 in which `offline_access` was allowed.
    pub async fn offline_tokens(&self) -> Value {
        self.offline_tokens_in(&mut Browser::new(self)).await
    }

    pub async fn offline_tokens_in(&self, browser: &mut Browser) -> Value {
        let asked = offline();
        browser.opens(&asked).await;
        browser.signs_in(DEMO.0, DEMO.1).await;
        let location = allowed(browser).await.location();
        self.redeems(&Code::of(&asked, &location)).await.json()
    }

    pub async fn refreshes(&self, refresh_token: &str) -> Answer {
        self.refreshes_with(CLIENT1, refresh_token, &[]).await
    }

    async fn refreshes_with(
        &self,
        client: (&str, &str),
        refresh_token: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.token_as(Some(client), &[&fields, more].concat()).await
    }
}

pub fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name} in {tokens}"))
}

#[track_caller]
fn is_refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (400, error), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[actix_web::test]
async fn a_refresh_token_brings_new_tokens_about_the_same_login() {
    let idp = Idp::start();
    let first = idp.offline_tokens().await;
    assert_eq!(first["scope"], format!("{SCOPE} offline_access"));
    idp.passes(1800);
    let answer = idp.refreshes(text(&first, "refresh_token")).await;
    assert_eq!(
        (answer.status, answer.header("cache-control"), answer.header("pragma")),
        (200, "no-store", "no-cache")
    );
    let second = answer.json();
    assert_eq!((&second["token_type"], &second["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(second["scope"], first["scope"]);
    for name in ["access_token", "refresh_token", "id_token"] {
        assert_ne!(second[name], first[name], "{name}");
    }
    let (before, after) = (payload(&first), payload(&second));
    for claim in ["iss", "sub", "aud", "auth_time", "amr"] {
        assert_eq!(after[claim], before[claim], "{claim}");
    }
    assert_eq!(after["iat"], 1_795_496_600 + 1800);
    assert_eq!(after["at_hash"], shared::id_token::at_hash(text(&second, "access_token")));
    assert!(after.get("nonce").is_none());
    // The access token that was bought first goes on until it ends.
    for tokens in [&first, &second] {
        assert_eq!(idp.userinfo(text(tokens, "access_token")).await.json()["sub"], "1");
    }
    idp.passes(1800);
    assert_eq!(idp.userinfo(text(&first, "access_token")).await.status, 401);
    assert_eq!(idp.userinfo(text(&second, "access_token")).await.status, 200);
}

#[actix_web::test]
async fn without_offline_access_there_is_no_refresh_token() {
    let idp = Idp::start();
    // Not asked for; asked for and unticked; asked for by a client that is not registered for it.
    assert!(idp.redeems(&idp.code().await).await.json().get("refresh_token").is_none());
    let unticked = idp.code_for(&offline()).await;
    let tokens = idp.redeems(&unticked).await.json();
    assert!(tokens.get("refresh_token").is_none());
    assert_eq!(tokens["scope"], SCOPE);
    let asked = offline().with("client_id", "client-hs256");
    let mut browser = Browser::new(&idp);
    browser.opens(&asked).await;
    assert!(!browser.shown.body.contains("offline_access"));
    browser.signs_in(DEMO.0, DEMO.1).await;
    let location = allowed(&mut browser).await.location();
    let client = ("client-hs256", "client-hs256-secret-of-32-bytes-or-more");
    let tokens = idp.token_as(Some(client), &Code::of(&asked, &location).fields()).await.json();
    assert!(tokens.get("refresh_token").is_none());
    let answer = idp.refreshes_with(client, "rt_x", &[]).await;
    is_refused(&answer, "unauthorized_client");
}

#[actix_web::test]
async fn a_client_may_be_registered_to_get_one_in_any_case() {
    let idp = Idp::start_with(|settings| settings.clients[0].refresh_without_offline_access = true);
    let tokens = idp.redeems(&idp.code().await).await.json();
    let renewed = idp.refreshes(text(&tokens, "refresh_token")).await;
    assert_eq!((renewed.status, &renewed.json()["scope"]), (200, &json!(SCOPE)));
}

#[actix_web::test]
async fn offline_access_is_asked_for_each_time_and_ignored_where_no_page_may_be_shown() {
    let idp = Idp::start();
    let asked = || AuthorizationRequest::of_client2().with("scope", "openid offline_access");
    let mut browser = Browser::new(&idp);
    browser.opens(&asked()).await;
    browser.signs_in(DEMO.0, DEMO.1).await;
    allowed(&mut browser).await.location();
    // The consent is remembered, and covers it; still, the page is shown.
    browser.opens(&asked()).await;
    assert!(browser.shown.body.contains("offline_access"), "{:?}", browser.shown);
    let silent = asked().with("prompt", "none");
    let location = browser.opens(&silent).await.location();
    let tokens = idp.token_as(Some(CLIENT2), &Code::of(&silent, &location).fields()).await.json();
    assert!(tokens.get("refresh_token").is_none());
    assert_eq!(tokens["scope"], "openid");
}

#[actix_web::test]
async fn i6_a_refresh_token_works_once_and_reuse_kills_the_whole_family() {
    let idp = Idp::start();
    let first = idp.offline_tokens().await;
    let second = idp.refreshes(text(&first, "refresh_token")).await.json();
    let third = idp.refreshes(text(&second, "refresh_token")).await.json();
    is_refused(&idp.refreshes(text(&first, "refresh_token")).await, "invalid_grant");
    for tokens in [&first, &second, &third] {
        is_refused(&idp.refreshes(text(tokens, "refresh_token")).await, "invalid_grant");
        assert_eq!(idp.userinfo(text(tokens, "access_token")).await.error(), "invalid_token");
    }
    // Another login of the same user at the same client is another family.
    let other = idp.offline_tokens().await;
    assert_eq!(idp.refreshes(text(&other, "refresh_token")).await.status, 200);
}

#[actix_web::test]
async fn i6_fifty_at_once_get_at_most_one_answer_and_the_family_is_dead() {
    let idp = Idp::start();
    let first = idp.offline_tokens().await;
    let refresh_token = text(&first, "refresh_token");
    let answers = futures_util::future::join_all((0..50).map(|_| idp.refreshes(refresh_token))).await;
    let (good, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert!(good.len() <= 1, "{}", good.len());
    assert!(refused.iter().all(|answer| answer.error() == "invalid_grant"));
    for tokens in good.iter().map(|answer| answer.json()).chain([first.clone()]) {
        is_refused(&idp.refreshes(text(&tokens, "refresh_token")).await, "invalid_grant");
        assert_eq!(idp.userinfo(text(&tokens, "access_token")).await.status, 401);
    }
}

#[actix_web::test]
async fn i6_an_unknown_or_truncated_refresh_token_is_refused_and_burns_nothing() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    let good = text(&tokens, "refresh_token");
    let (longer, other_kind) = (format!("{good}A"), good.replace("rt_", "code_"));
    for wrong in [&good[..good.len() - 1], &longer, &other_kind, "rt_", "x", text(&tokens, "access_token")] {
        is_refused(&idp.refreshes(wrong).await, "invalid_grant");
    }
    is_refused(&idp.token(&[("grant_type", "refresh_token")]).await, "invalid_request");
    assert_eq!(idp.refreshes(good).await.status, 200);
}

#[actix_web::test]
async fn i6_another_clients_attempt_burns_nothing() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    let good = text(&tokens, "refresh_token");
    is_refused(&idp.refreshes_with(CLIENT2, good, &[]).await, "invalid_grant");
    let wrong = idp.refreshes_with(("client1", "wrong"), good, &[]).await;
    assert_eq!((wrong.status, wrong.error().as_str()), (401, "invalid_client"));
    let twice = idp.refreshes_with(CLIENT1, good, &[("refresh_token", good)]).await;
    is_refused(&twice, "invalid_request");
    assert_eq!(idp.refreshes(good).await.status, 200);
}

#[actix_web::test]
async fn i6_less_may_be_asked_for_and_no_more_than_was_allowed() {
    let idp = Idp::start();
    let first = idp.offline_tokens().await;
    for wider in ["openid phone", "openid nonsense", "a\"b"] {
        let answer = idp.refreshes_with(CLIENT1, text(&first, "refresh_token"), &[("scope", wider)]).await;
        is_refused(&answer, "invalid_scope");
    }
    let narrow = idp.refreshes_with(CLIENT1, text(&first, "refresh_token"), &[("scope", "openid")]).await;
    let narrow = narrow.json();
    assert_eq!(narrow["scope"], "openid");
    assert_eq!(idp.userinfo(text(&narrow, "access_token")).await.json(), json!({ "sub": "1" }));
    // RFC 6749 §6: the next refresh token reaches as far as the first one did.
    let plain = [("scope", "api.access")];
    let plain = idp.refreshes_with(CLIENT1, text(&narrow, "refresh_token"), &plain).await.json();
    assert!(plain.get("id_token").is_none(), "without openid nobody is signed in");
    let whole = idp.refreshes(text(&plain, "refresh_token")).await.json();
    assert_eq!(whole["scope"], first["scope"]);
}

#[actix_web::test]
async fn i6_a_family_ends_when_it_is_not_used_and_however_often_it_is() {
    let lifetimes = |settings: &mut idp::config::Settings| {
        settings.refresh_idle = Duration::from_secs(1000);
        settings.refresh_most = Duration::from_secs(2500);
    };
    let idp = Idp::start_with(lifetimes);
    let (unused, mut used) = (idp.offline_tokens().await, idp.offline_tokens().await);
    for waited in [999, 999, 501] {
        idp.passes(waited);
        used = idp.refreshes(text(&used, "refresh_token")).await.json();
    }
    is_refused(&idp.refreshes(text(&unused, "refresh_token")).await, "invalid_grant");
    idp.passes(1);
    is_refused(&idp.refreshes(text(&used, "refresh_token")).await, "invalid_grant");
    // What was bought in the last second goes on.
    assert_eq!(idp.userinfo(text(&used, "access_token")).await.status, 200);
}

#[actix_web::test]
async fn i6_a_code_that_comes_again_kills_the_family_that_it_began() {
    let idp = Idp::start();
    let asked = offline();
    let mut browser = Browser::new(&idp);
    browser.opens(&asked).await;
    browser.signs_in(DEMO.0, DEMO.1).await;
    let location = allowed(&mut browser).await.location();
    let code = Code::of(&asked, &location);
    let first = idp.redeems(&code).await.json();
    // Long after the code has ended, and its first access token.
    idp.passes(10 * 24 * 3600);
    let second = idp.refreshes(text(&first, "refresh_token")).await.json();
    browser.signs_in_again(&idp).await;
    let may_act = r#"<input type="hidden" name="client""#;
    assert!(browser.goes(&idp.at("/")).await.body.contains(may_act));
    is_refused(&idp.redeems(&code).await, "invalid_grant");
    assert!(!browser.goes(&idp.at("/")).await.body.contains(may_act));
    is_refused(&idp.refreshes(text(&second, "refresh_token")).await, "invalid_grant");
    assert_eq!(idp.userinfo(text(&second, "access_token")).await.status, 401);
}

#[actix_web::test]
async fn i6_when_the_user_takes_it_back_everything_is_dead() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    // client1 has no consent that would be remembered: what it does while the user is away is shown all the same.
    let tokens = idp.offline_tokens_in(&mut browser).await;
    let page = browser.goes(&idp.at("/")).await;
    assert!(page.body.contains("offline_access"), "{}", page.body);
    let csrf = page.csrf();
    browser.page = idp.at("/withdraw");
    browser.submits_raw(&[("csrf", &csrf), ("account", "1"), ("client", "client2")]).await;
    let tokens = idp.refreshes(text(&tokens, "refresh_token")).await.json();
    browser.page = idp.at("/withdraw");
    browser.submits_raw(&[("csrf", &csrf), ("account", "1"), ("client", "client1")]).await;
    assert!(!browser.shown.body.contains(r#"name="client" value="client1""#), "{}", browser.shown.body);
    is_refused(&idp.refreshes(text(&tokens, "refresh_token")).await, "invalid_grant");
    assert_eq!(idp.userinfo(text(&tokens, "access_token")).await.status, 401);
}

/// Users who are there until somebody says that they are gone.
struct Leaving(Arc<dyn UserStore>, Arc<AtomicBool>);

#[async_trait]
impl UserStore for Leaving {
    async fn find_by_name(&self, name: &Username) -> Stored<Option<Arc<User>>> {
        self.0.find_by_name(name).await
    }

    async fn find(&self, subject: &Subject) -> Stored<Option<Arc<User>>> {
        let gone = self.1.load(Ordering::Relaxed);
        Ok(self.0.find(subject).await?.filter(|_| !gone))
    }
}

#[actix_web::test]
async fn i6_for_a_user_who_is_gone_nothing_is_renewed() {
    let gone = Arc::new(AtomicBool::new(false));
    let leaving = |stores: &mut Stores| stores.users = Arc::new(Leaving(stores.users.clone(), gone.clone()));
    let idp = Idp::start_with_stores(leaving);
    let tokens = idp.offline_tokens().await;
    let tokens = idp.refreshes(text(&tokens, "refresh_token")).await.json();
    gone.store(true, Ordering::Relaxed);
    is_refused(&idp.refreshes(text(&tokens, "refresh_token")).await, "invalid_grant");
}

#[actix_web::test]
async fn i23_a_refresh_token_is_not_used_up_when_there_is_no_room_for_what_it_buys() {
    let idp = Idp::start_with(|settings| settings.capacity = 16);
    let tokens = idp.offline_tokens().await;
    crate::room::keeps_tokens(&idp, true).await;
    let refused = idp.refreshes(text(&tokens, "refresh_token")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "30"));
    idp.passes(3600);
    assert_eq!(idp.refreshes(text(&tokens, "refresh_token")).await.status, 200);
}

#[actix_web::test]
async fn i17_a_refresh_token_opens_nothing_and_nothing_else_is_one() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    assert_eq!(idp.userinfo(text(&tokens, "refresh_token")).await.error(), "invalid_token");
    let code = idp.code().await;
    is_refused(&idp.refreshes(&code.value).await, "invalid_grant");
    let as_code = Code { value: text(&tokens, "refresh_token").to_owned(), ..code };
    is_refused(&idp.redeems(&as_code).await, "invalid_grant");
    assert_eq!(idp.refreshes(text(&tokens, "refresh_token")).await.status, 200);
}

#[actix_web::test]
async fn a_renewal_is_told_beside_the_steps_of_its_login() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    let tokens = idp.refreshes(text(&tokens, "refresh_token")).await.json();
    is_refused(&idp.refreshes_with(CLIENT2, text(&tokens, "refresh_token"), &[]).await, "invalid_grant");
    idp.refreshes(text(&tokens, "refresh_token")).await;
    let flows = idp.state.recorder.as_ref().unwrap().flows(10, |_| true);
    assert_eq!(flows.len(), 1, "another client's message joins no flow, and begins none");
    let story = Story::tell(&flows[0].events, idp.state.clock.now_millis(), 600_000);
    let renewal = story.stage(Entry::Refresh).unwrap();
    let requests = renewal.messages.iter().filter(|it| it.message.is_request());
    assert_eq!((requests.count(), renewal.messages.len()), (2, 4));
    assert!(renewal.checks.iter().all(|(_, check)| check.verdict == Verdict::Passed));
    assert!(renewal.checks.iter().any(|(_, check)| check.rule == Rule::RefreshTokenUnused));
    assert_eq!(story.current, Entry::Step(Step::TokenResponse));
    let turns = |stage: Entry| {
        let lives = &story.stage(stage).unwrap().lives;
        let own = lives.iter().filter(|(_, life)| life.value == shared::flow::Value::RefreshToken);
        own.map(|(_, life)| life.turn).collect::<Vec<_>>()
    };
    assert_eq!(turns(Entry::Step(Step::TokenResponse)), [Turn::Created, Turn::Stored, Turn::Sent]);
    assert_eq!(turns(Entry::Refresh)[..2], [Turn::Compared, Turn::Destroyed], "told where it happens");
}
