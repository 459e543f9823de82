//! Names, sites and origins: what the browser makes of them.

use e2e::{
    learner::{LOGIN, Learner, SIGN_IN},
    pair::Pair,
    stranger::Stranger,
};
use idp::{demo, domain::redirect_uri::RedirectUri};

#[actix_web::test]
async fn r17_localhost_leads_to_the_rps_own_address() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens(&pair.home.replace("127.0.0.1", "localhost")).await;
    learner.is_at(&format!("{}/", pair.home)).await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.allows().await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn the_pair_works_across_sites() {
    let pair = Pair::start_with("localhost", |_| ());
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.sees(&pair.issuer).await;
    learner.logs_out().await;
    learner.sees("You have signed out").await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.cancels().await;
    learner.sees("access_denied").await;
}

/// A policy of `form-action 'self'` would stop the browser here: it also applies to what follows a submitted form.
#[actix_web::test]
async fn a_client_may_lead_on_to_a_third_origin() {
    let third = Stranger::that_shows("<h1>The third origin</h1>".to_owned());
    let client = Stranger::that_redirects_to(third.at("localhost"));
    let redirect_uri = RedirectUri::parse(&format!("{}/callback", client.at("127.0.0.1"))).unwrap();
    let pair = Pair::start_with("127.0.0.1", |idp| {
        idp.clients = demo::clients(&redirect_uri);
    });
    let learner = Learner::of(&pair).await;
    let question = format!(
        "{}/oauth/authorize?response_type=code&client_id=client1&redirect_uri={}&scope=openid&state=s\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        pair.issuer,
        redirect_uri.as_str(),
    );
    learner.opens(&question).await;
    learner.signs_in().await;
    for decision in ["allow", "deny"] {
        learner.opens(&question).await;
        learner.clicks(&format!("button[value={decision}]")).await;
        learner.sees("The third origin").await;
        let here = learner.address().await;
        let carries = |name| here.query_pairs().any(|(carried, _)| carried == name);
        assert_eq!((carries("code"), carries("error")), (decision == "allow", decision == "deny"));
    }
    assert_eq!(learner.complaints().await, [""; 0]);
}

#[actix_web::test]
async fn i7_no_page_shows_in_a_frame() {
    let pair = Pair::start();
    let inner = Stranger::that_shows("<h1>Anybody may frame this</h1>".to_owned());
    let outer = Stranger::that_shows(format!(
        r#"<iframe src="{}"></iframe><iframe src="{1}/login"></iframe><iframe src="{1}"></iframe>
           <iframe src="{2}/"></iframe><iframe src="{2}/oauth/logout"></iframe>"#,
        inner.at("127.0.0.1"),
        pair.home,
        pair.issuer,
    ));
    let victim = Learner::of(&pair).await;
    victim.opens(&outer.at("127.0.0.1")).await;
    victim.looks_into_frame(0).await;
    victim.sees("Anybody may frame this").await;
    for (frame, button) in [(1, SIGN_IN), (2, LOGIN), (3, "main"), (4, "main")] {
        victim.looks_into_frame(frame).await;
        let shown = victim.evaluates("return location.href", Vec::new()).await;
        assert_eq!(shown, "chrome-error://chromewebdata/");
        assert_eq!(victim.counts(button).await, 0);
    }
    let complaints = victim.complaints().await;
    let refused = complaints.iter().filter(|complaint| complaint.contains("frame-ancestors 'none'"));
    assert_eq!(refused.count(), 4, "{complaints:?}");
}

#[actix_web::test]
async fn i7_a_consent_link_opened_in_another_browser_is_refused() {
    let pair = Pair::start();
    let attacker = Learner::of(&pair).await;
    attacker.opens_home().await;
    attacker.clicks_login().await;
    let login = attacker.address().await;
    attacker.signs_in().await;
    let consent = attacker.address().await;
    // The victim is no stranger to the IdP: they have a login of their own under way.
    let victim = Learner::of(&pair).await;
    victim.opens_home().await;
    victim.clicks_login().await;
    for link in [login, consent] {
        victim.opens(link.as_str()).await;
        victim.sees("This login began in another browser").await;
    }
    attacker.allows().await;
    attacker.is_welcomed().await;
}

#[actix_web::test]
async fn r14_a_form_sent_by_another_site_is_refused() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    let forger = Stranger::that_sends_a_form_to(&format!("{}/logout", pair.home));
    // On another port of the same host, so the browser sends the cookies along.
    learner.opens(&forger.at("127.0.0.1")).await;
    learner.clicks("button").await;
    learner.sees("Sent from somewhere else, so not accepted").await;
    learner.opens_home().await;
    learner.is_welcomed().await;
}
