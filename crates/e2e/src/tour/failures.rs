//! The part of the tour where things go wrong: pages for failures, and a provider that is away.

use crate::{
    learner::{LOGIN, Learner},
    pair::Pair,
    stranger::Stranger,
};

pub(super) async fn errors_of_the_idp(
    pair: &Pair,
    learner: &Learner,
    look: &mut impl AsyncFnMut(&'static str),
) {
    let redirect_uri = format!("redirect_uri={}/auth", pair.home);
    for (name, target) in [
        ("idp-error-not-found", "/nowhere".to_owned()),
        ("idp-error-unknown-client", "/oauth/authorize?client_id=nobody".to_owned()),
        ("idp-error-redirect-uri-missing", "/oauth/authorize?client_id=client1".to_owned()),
        (
            "idp-error-redirect-uri-unregistered",
            format!("/oauth/authorize?client_id=client1&{redirect_uri}/"),
        ),
        (
            "idp-error-parameter-repeated",
            format!("/oauth/authorize?client_id=client1&{redirect_uri}&{redirect_uri}"),
        ),
        ("idp-error-interaction-unknown", "/login/in_none".to_owned()),
    ] {
        learner.opens(&format!("{}{target}", pair.issuer)).await;
        look(name).await;
    }
    learner.logs_in().await;
    learner.goes_back().await;
    learner.finds(".error").await;
    look("idp-error-already-answered").await;
    learner.opens_home().await;
    learner.logs_out().await;
    learner.clicks_login().await;
    learner.forgets_cookies().await;
    learner.reloads().await;
    look("idp-error-other-browser").await;
}

pub(super) async fn errors_of_the_rp(
    pair: &Pair,
    learner: &Learner,
    look: &mut impl AsyncFnMut(&'static str),
) {
    for (name, target) in [
        ("rp-error-not-found", "/nowhere".to_owned()),
        ("rp-error-malformed", "/auth?state=%ff".to_owned()),
        ("rp-error-address-too-long", format!("/?{}", "x".repeat(9000))),
        ("rp-error-state-missing", "/auth".to_owned()),
        ("rp-error-state-unknown", "/auth?state=made-up".to_owned()),
        ("rp-error-logout-unknown", "/logout/done?state=made-up".to_owned()),
    ] {
        learner.opens(&format!("{}{target}", pair.home)).await;
        look(name).await;
    }
    for (name, wish, issuer) in [
        ("rp-error-issuer-mismatch", "", "https://evil.example"),
        ("rp-error-response-mode-mismatch", "?response_mode=form_post", &pair.issuer),
        ("rp-error-token-refused", "", &pair.issuer),
    ] {
        learner.opens(&format!("{}/login{wish}", pair.home)).await;
        let state = learner.state_of_login().await;
        learner.opens(&format!("{}/auth?code=made-up&state={state}&iss={issuer}", pair.home)).await;
        look(name).await;
    }
    learner.opens(&format!("{}/login", pair.home)).await;
    let state = learner.state_of_login().await;
    learner.forgets_cookies().await;
    learner.opens(&format!("{}/auth?code=made-up&state={state}&iss={}", pair.home, pair.issuer)).await;
    look("rp-error-state-of-another-browser").await;
    learner.logs_in().await;
    learner.opens(learner.last_request("/auth").await.as_str()).await;
    look("rp-error-state-reused").await;
    let stranger = Stranger::that_sends_a_form_to(&format!("{}/logout", pair.home));
    learner.opens(&stranger.at("127.0.0.1")).await;
    learner.clicks("button").await;
    learner.finds(".error").await;
    look("rp-error-foreign-origin").await;
    learner.opens_home().await;
    learner.logs_out().await;
}

pub(super) async fn an_outage(pair: &mut Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    pair.stops_idp().await;
    learner.opens_home().await;
    look("rp-home-idp-away").await;
    learner.clicks(LOGIN).await;
    learner.finds(".error").await;
    look("rp-error-idp-unreachable").await;
    pair.restarts_idp();
    learner.logs_in().await;
    pair.stops_idp().await;
    learner.logs_out().await;
    look("rp-home-provider-goes-on").await;
    pair.restarts_idp();
}
