//! A client gives tokens back.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use idp::{
    domain::{
        access_token::AccessToken,
        grant::{Grant, GrantId, Redeem},
    },
    store::{AccessTokenStore, GrantStore, StoreError, Stored, Stores},
};
use serde_json::Value;
use shared::{
    clock::Timestamp,
    flow::{Entry, Story},
    ids::{ClientId, Subject},
    secret::SecretHash,
};

use crate::{
    helpers::{Answer, CLIENT2, Idp, basic, http},
    refresh::{CLIENT1, text},
};

impl Idp {
    pub async fn revokes(&self, token: &str) -> Answer {
        self.revokes_as(Some(CLIENT1), &[("token", token)]).await
    }

    async fn revokes_as(&self, client: Option<(&str, &str)>, fields: &[(&str, &str)]) -> Answer {
        let mut request = http().post(self.at("/oauth/revoke")).form(fields);
        if let Some((id, secret)) = client {
            request = request.header("authorization", basic(id, secret));
        }
        Answer::of(request).await
    }

    /// Whether each of these tokens still does what it is for.
    async fn works(&self, tokens: &Value) -> (bool, bool) {
        let access = self.userinfo(text(tokens, "access_token")).await.status == 200;
        let fields = [("token", text(tokens, "refresh_token"))];
        let request = http().post(self.at("/oauth/introspect")).form(&fields);
        let answer = Answer::of(request.header("authorization", basic(CLIENT1.0, CLIENT1.1))).await;
        (access, answer.json()["active"] == true)
    }
}

#[actix_web::test]
async fn i19_a_refresh_token_goes_with_its_family_and_all_its_access_tokens() {
    let idp = Idp::start();
    let first = idp.offline_tokens().await;
    let second = idp.refreshes(text(&first, "refresh_token")).await.json();
    let other = idp.offline_tokens().await;
    let answer = idp.revokes(text(&second, "refresh_token")).await;
    assert_eq!((answer.status, answer.body.as_str(), answer.header("cache-control")), (200, "", "no-store"));
    assert_eq!(idp.works(&first).await, (false, false));
    assert_eq!(idp.works(&second).await, (false, false));
    assert_eq!(idp.refreshes(text(&second, "refresh_token")).await.error(), "invalid_grant");
    assert_eq!(idp.works(&other).await, (true, true), "another login of the same user");
    // Once more, it is as the client wants it already.
    assert_eq!(idp.revokes(text(&second, "refresh_token")).await.status, 200);
}

#[actix_web::test]
async fn i19_an_earlier_refresh_token_of_the_family_will_do() {
    let idp = Idp::start();
    let first = idp.offline_tokens().await;
    let second = idp.refreshes(text(&first, "refresh_token")).await.json();
    assert_eq!(idp.revokes(text(&first, "refresh_token")).await.status, 200);
    assert_eq!(idp.works(&second).await, (false, false));
}

#[actix_web::test]
async fn i19_an_access_token_goes_alone() {
    let idp = Idp::start();
    let first = idp.offline_tokens().await;
    let second = idp.refreshes(text(&first, "refresh_token")).await.json();
    assert_eq!(idp.revokes(text(&first, "access_token")).await.status, 200);
    assert_eq!(idp.userinfo(text(&first, "access_token")).await.error(), "invalid_token");
    assert_eq!(idp.works(&second).await, (true, true));
}

#[actix_web::test]
async fn i19_whoever_does_not_prove_who_they_are_revokes_nothing() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    for token in ["access_token", "refresh_token"].map(|name| text(&tokens, name)) {
        for client in [None, Some(("client1", "wrong")), Some(("nobody", "client1-secret"))] {
            let answer = idp.revokes_as(client, &[("token", token)]).await;
            assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"));
            assert!(answer.header("www-authenticate").starts_with("Basic "));
        }
    }
    // RFC 7009 §2.1: a client's name alone proves nothing where clients have secrets.
    let named = [("token", text(&tokens, "access_token")), ("client_id", "client1")];
    assert_eq!(idp.revokes_as(None, &named).await.status, 401);
    assert_eq!(idp.works(&tokens).await, (true, true));
}

#[actix_web::test]
async fn i19_another_clients_token_is_not_revoked() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    for client in [CLIENT2, ("api", "api-secret")] {
        for token in ["access_token", "refresh_token"].map(|name| text(&tokens, name)) {
            let answer = idp.revokes_as(Some(client), &[("token", token)]).await;
            assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"));
        }
    }
    assert_eq!(idp.works(&tokens).await, (true, true));
}

#[actix_web::test]
async fn i19_what_nobody_knows_is_as_good_as_revoked() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    let truncated = &text(&tokens, "refresh_token")[..60];
    for unknown in ["x", "at_", "rt_x.y", "a.b.c", truncated, &idp.code().await.value] {
        assert_eq!(idp.revokes(unknown).await.status, 200, "{unknown}");
    }
    assert_eq!(idp.works(&tokens).await, (true, true));
}

#[actix_web::test]
async fn i19_a_hint_is_only_a_hint() {
    let idp = Idp::start();
    for (token, hint) in [
        ("access_token", "refresh_token"),
        ("refresh_token", "access_token"),
        ("refresh_token", "nonsense"),
        ("access_token", "access_token"),
    ] {
        let tokens = idp.offline_tokens().await;
        let fields = [("token", text(&tokens, token)), ("token_type_hint", hint)];
        assert_eq!(idp.revokes_as(Some(CLIENT1), &fields).await.status, 200);
        assert_eq!(idp.userinfo(text(&tokens, "access_token")).await.status, 401, "{token} as {hint}");
    }
}

#[actix_web::test]
async fn i19_an_id_token_cannot_be_revoked_and_the_answer_says_so() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    for hint in ["access_token", "id_token"] {
        let fields = [("token", text(&tokens, "id_token")), ("token_type_hint", hint)];
        let answer = idp.revokes_as(Some(CLIENT1), &fields).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "unsupported_token_type"));
    }
}

#[actix_web::test]
async fn i13_parameters_stand_once_and_in_the_body() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    let token = text(&tokens, "access_token");
    let none = idp.revokes_as(Some(CLIENT1), &[]).await;
    let twice = idp.revokes_as(Some(CLIENT1), &[("token", token), ("token", "x")]).await;
    let query = http().post(idp.at(&format!("/oauth/revoke?token={token}")));
    let query = Answer::of(query.header("authorization", basic(CLIENT1.0, CLIENT1.1))).await;
    let json = http().post(idp.at("/oauth/revoke")).header("authorization", basic(CLIENT1.0, CLIENT1.1));
    let json = Answer::of(json.header("content-type", "application/json").body("{}")).await;
    for answer in [none, twice, query, json] {
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"));
    }
    let got = Answer::of(http().get(idp.at("/oauth/revoke"))).await;
    assert_eq!((got.status, got.header("allow")), (405, "POST"));
    assert_eq!(idp.works(&tokens).await, (true, true));
}

/// Access tokens that can be found and not revoked.
pub struct StuckTokens(pub Arc<dyn AccessTokenStore>);

#[async_trait]
impl AccessTokenStore for StuckTokens {
    async fn keep(&self, token: SecretHash, access: AccessToken, now: Timestamp) -> Stored<()> {
        self.0.keep(token, access, now).await
    }

    async fn has_room(&self, client: &ClientId, address: Option<IpAddr>, now: Timestamp) -> Stored<bool> {
        self.0.has_room(client, address, now).await
    }

    async fn revoke(&self, _token: SecretHash, _now: Timestamp) -> Stored<()> {
        Err(StoreError::Full)
    }

    async fn revoke_client(&self, _client: &ClientId) -> Stored<()> {
        Err(StoreError::Full)
    }

    async fn find(&self, token: SecretHash, now: Timestamp) -> Stored<Option<AccessToken>> {
        self.0.find(token, now).await
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now).await;
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since).await;
    }
}

/// Grants that can be redeemed and not revoked.
struct StuckGrants(Arc<dyn GrantStore>);

#[async_trait]
impl GrantStore for StuckGrants {
    async fn issue(&self, code: SecretHash, grant: Grant, forget: Timestamp, now: Timestamp) -> Stored<()> {
        self.0.issue(code, grant, forget, now).await
    }

    async fn has_room(&self, client: &ClientId, address: Option<IpAddr>, now: Timestamp) -> Stored<bool> {
        self.0.has_room(client, address, now).await
    }

    async fn redeem(&self, code: SecretHash, client_id: &ClientId, now: Timestamp) -> Stored<Redeem> {
        self.0.redeem(code, client_id, now).await
    }

    async fn revoke(&self, _id: GrantId, _now: Timestamp) -> Stored<()> {
        Err(StoreError::Full)
    }

    async fn revoke_all(&self, _subject: &Subject, _client: &ClientId, _now: Timestamp) -> Stored<()> {
        Err(StoreError::Full)
    }

    async fn revoke_client(&self, _client: &ClientId) -> Stored<()> {
        Err(StoreError::Full)
    }

    async fn is_live(&self, id: GrantId, now: Timestamp) -> Stored<bool> {
        self.0.is_live(id, now).await
    }

    async fn sweep(&self, now: Timestamp) {
        self.0.sweep(now).await;
    }

    async fn forget_since(&self, since: Timestamp) {
        self.0.forget_since(since).await;
    }
}

#[actix_web::test]
async fn i19_a_revocation_that_failed_never_looks_like_success() {
    let stuck = |stores: &mut Stores| {
        stores.access_tokens = Arc::new(StuckTokens(stores.access_tokens.clone()));
        stores.grants = Arc::new(StuckGrants(stores.grants.clone()));
    };
    let idp = Idp::start_with_stores(stuck);
    let tokens = idp.offline_tokens().await;
    for token in ["access_token", "refresh_token"].map(|name| text(&tokens, name)) {
        let answer = idp.revokes(token).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "30"), "{answer:?}");
        assert_eq!(answer.error(), "temporarily_unavailable");
    }
    assert_eq!(idp.works(&tokens).await, (true, true));
    // Nor does a refresh token that came again.
    idp.refreshes(text(&tokens, "refresh_token")).await;
    assert_eq!(idp.refreshes(text(&tokens, "refresh_token")).await.status, 503);
}

#[actix_web::test]
async fn a_revocation_and_a_question_are_told_beside_the_steps_of_their_login() {
    let idp = Idp::start();
    let tokens = idp.offline_tokens().await;
    idp.introspects(CLIENT1, text(&tokens, "access_token")).await;
    idp.introspects(("api", "api-secret"), text(&tokens, "access_token")).await;
    idp.revokes(text(&tokens, "refresh_token")).await;
    let flows = idp.state.recorder.as_ref().unwrap().flows(10, |_| true);
    let story = Story::tell(&flows[0].events, idp.state.clock.now_millis(), 600_000);
    let asked = story.stage(Entry::Introspection).unwrap();
    assert_eq!(asked.messages.len(), 2, "what another client asks is told to nobody");
    assert_eq!(story.stage(Entry::Revocation).unwrap().messages.len(), 2);
    assert!(!asked.checks.is_empty());
    assert_eq!(story.stage(Entry::Revocation).unwrap().lives.len(), 2, "both tokens end");
    assert_eq!((flows.len(), story.outcome.id()), (1, "tokens_issued"));
}
