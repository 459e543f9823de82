//! A client without a server: the script of `/spa` logs in by itself.

use e2e::{
    learner::{ALLOW, Key, Learner, SIGN_IN},
    pair::Pair,
    script_client::SIGNED,
    stranger::Stranger,
};
use serde_json::{Value, json};

#[actix_web::test]
async fn a_script_logs_in_without_a_server_in_both_languages() {
    for (language, welcome) in [("en", "The login is complete"), ("ja", "ログインが終わりました")]
    {
        let pair = Pair::start();
        let learner = Learner::of(&pair).await;
        learner.opens_the_script(&pair).await;
        learner.switches_to(language).await;
        learner.finds("#client:not([hidden])").await;
        learner.lets_the_script_log_in().await;
        // The page of the IdP has the language that was asked for.
        learner.finds(&format!("html[lang={language}]")).await;
        learner.allows().await;
        learner.the_script_says("passed", welcome).await;
        assert_eq!(learner.reads("#who").await, "Demo User");
        assert_eq!(learner.counts(".check.failed").await, 0);
        for rule in ["issuer_discovered", "state_known", "response_issuer", "signature", "nonce", "expiry"] {
            assert!(learner.checks_of_the_script().await.iter().any(|made| made == rule), "{rule}");
        }
        learner.has_the_script("callApi").await;
        learner.the_script_says("passed", "API").await;
        assert_eq!(learner.complaints().await, Vec::<String>::new());
    }
}

#[actix_web::test]
async fn r10_tokens_are_in_the_memory_of_the_page_and_nowhere_else() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.is_signed_in_by_the_script(&pair).await;
    let [access, id, refresh] = learner.tokens_of_the_script().await;
    assert!(access.len() > 20 && id.len() > 100 && refresh.len() > 20);
    let left = learner.what_is_left_in_the_browser().await;
    for token in [&access, &id, &refresh] {
        assert!(!left.contains(token.as_str()), "{left}");
        assert!(learner.cookies().await.iter().all(|it| !it.to_string().contains(token.as_str())));
    }
    // Nor is the code in the address, nor what was kept for the way.
    assert_eq!(learner.address().await.as_str(), format!("{}/spa", pair.home));
    assert!(!left.contains("nonce") && !left.contains("verifier"), "{left}");
    let asked = learner.addresses_asked_for().await;
    assert!(asked.iter().all(|address| !address.contains(access.as_str())), "{asked:?}");
    // A reload loses them, and says so.
    learner.reloads().await;
    learner.sees("the tokens were in its memory").await;
    learner.finds("#signed_in[hidden]").await;
    assert!(!learner.text().await.contains(access.as_str()));
    // Signed in at the IdP, one is asked for the consent only: every time (I8).
    learner.has_the_script("login").await;
    learner.finds(ALLOW).await;
    learner.allows().await;
    learner.the_script_says("passed", "").await;
    // What "back" shows has no tokens of before.
    learner.goes_back().await;
    learner.goes_forward().await;
    learner.finds("#client:not([hidden])").await;
    assert!(!learner.what_is_left_in_the_browser().await.contains("code="));
}

#[actix_web::test]
async fn r1_an_answer_that_this_tab_did_not_ask_for_is_refused() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    let answer = format!("{}/spa?code=stolen&iss={}", pair.home, pair.issuer);
    // Nothing is under way.
    learner.opens(&format!("{answer}&state=forged")).await;
    assert_eq!(learner.refused_by().await, "state_known");
    // Something else is under way.
    learner.opens_the_script(&pair).await;
    learner.lets_the_script_log_in().await;
    learner.opens(&format!("{answer}&state=forged")).await;
    assert_eq!(learner.refused_by().await, "state_known");
    learner.sees("See the check").await;
    // What was kept for that one is gone with it.
    assert!(!learner.what_is_left_in_the_browser().await.contains("verifier"));
    assert_eq!(learner.address().await.as_str(), format!("{}/spa", pair.home));
    assert_eq!(pair.token_calls(), 0);
}

#[actix_web::test]
async fn r3_an_answer_of_another_issuer_is_refused_before_the_code_is_shown_to_anybody() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    for iss in ["&iss=http://evil.example", "", &format!("&iss={0}&iss={0}", pair.issuer)] {
        learner.opens_the_script(&pair).await;
        learner.has_the_script("login").await;
        learner.finds("#password").await;
        let state = learner.state_of_login().await;
        learner.opens(&format!("{}/spa?code=stolen&state={state}{iss}", pair.home)).await;
        assert_eq!(learner.refused_by().await, "response_issuer", "{iss}");
    }
    assert_eq!(pair.token_calls(), 0);
    learner.spoils("/openid-configuration", "answer.issuer += '/'").await;
    learner.opens_the_script(&pair).await;
    learner.has_the_script("login").await;
    assert_eq!(learner.refused_by().await, "issuer_discovered");
}

#[actix_web::test]
async fn every_spoiled_token_is_refused_by_the_check_that_is_there_for_it() {
    let spoiled = [
        ("answer.token_type = 'mac'", "token_type", ""),
        ("delete answer.id_token", "id_token_present", ""),
        ("answer.id_token = 'a.b'", "token_well_formed", ""),
        ("token(it => it.claims.sub = '2')", "signature", ""),
        ("token(it => it.header.alg = 'none')", "algorithm", SIGNED),
        ("token(it => it.header.alg = 'HS256')", "algorithm", SIGNED),
        ("token(it => it.header.alg = 'ES256')", "signature", SIGNED),
        ("token(it => it.header.kid = 'other')", "signature", SIGNED),
        ("token(it => it.header.crit = ['x'])", "critical_header", SIGNED),
        ("token(it => it.claims.iss += '/')", "issuer_claim", SIGNED),
        ("token(it => it.claims.sub = '')", "subject_claim", SIGNED),
        ("token(it => it.claims.aud = 'client1')", "audience", SIGNED),
        ("token(it => it.claims.aud = ['client-public', 'client1'])", "audience", SIGNED),
        ("token(it => it.claims.azp = 'client1')", "authorized_party", SIGNED),
        ("token(it => it.claims.exp -= 3700)", "expiry", SIGNED),
        ("token(it => it.claims.exp = String(it.claims.exp))", "expiry", SIGNED),
        ("token(it => it.claims.iat += 120)", "issued_at", SIGNED),
        ("token(it => it.claims.nbf = it.claims.iat + 120)", "not_before", SIGNED),
        ("token(it => delete it.claims.nonce)", "nonce", SIGNED),
        ("token(it => it.claims.nonce = 'other')", "nonce", SIGNED),
        ("answer.access_token += 'x'", "access_token_hash", ""),
    ];
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    for (change, rule, more) in spoiled {
        let meddling = [learner.spoils("/oauth/token", change).await, learner.meddles(more).await];
        learner.forgets_cookies().await;
        learner.opens_the_script(&pair).await;
        learner.lets_the_script_log_in().await;
        learner.allows().await;
        assert_eq!(learner.refused_by().await, rule, "{change}");
        learner.finds("#signed_in[hidden]").await;
        for it in meddling {
            learner.lets_be(it).await;
        }
    }
    learner.spoils("/oauth/userinfo", "answer.sub = '2'").await;
    learner.forgets_cookies().await;
    learner.opens_the_script(&pair).await;
    learner.lets_the_script_log_in().await;
    learner.allows().await;
    assert_eq!(learner.refused_by().await, "userinfo_subject");
}

#[actix_web::test]
async fn a_login_stands_without_the_claims_and_says_so() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    let answers = |answer: &str| {
        format!(
            "const real = window.fetch;
            window.fetch = async (address, how) => {{
                if (!String(address).endsWith('/oauth/userinfo')) return real(address, how);
                {answer}
            }};"
        )
    };
    // It is away; it says that all is well in an answer that is an error; there is none.
    let away = learner.meddles(&answers("throw new TypeError()")).await;
    logs_in_without_claims(&pair, &learner, away).await;
    let good = "return Response.json({ sub: '1', name: 'Somebody', status: 200 }, { status: 503 })";
    let bad = learner.meddles(&answers(good)).await;
    logs_in_without_claims(&pair, &learner, bad).await;
    let none = learner.spoils("/openid-configuration", "delete answer.userinfo_endpoint").await;
    logs_in_without_claims(&pair, &learner, none).await;
}

async fn logs_in_without_claims(pair: &Pair, learner: &Learner, meddling: Value) {
    learner.forgets_cookies().await;
    learner.opens_the_script(pair).await;
    learner.lets_the_script_log_in().await;
    learner.allows().await;
    learner.the_script_says("passed", "only the ID token says who you are").await;
    assert_eq!(learner.reads("#sub").await, "1");
    learner.sees_no("Somebody").await;
    learner.lets_be(meddling).await;
}

#[actix_web::test]
async fn an_endpoints_own_query_stays_in_front_of_the_parameters() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.spoils("/openid-configuration", "answer.authorization_endpoint += '?tenant=a'").await;
    learner.opens_the_script(&pair).await;
    learner.has_the_script("login").await;
    learner.finds("#password").await;
    let asked = learner.addresses_asked_for().await;
    let endpoint = format!("{}/oauth/authorize?tenant=a&response_type=code&", pair.issuer);
    assert!(asked.iter().any(|address| address.starts_with(&endpoint)), "{asked:?}");
}

#[actix_web::test]
async fn i6_a_refresh_token_works_once_and_shown_again_it_ends_them_all() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.is_signed_in_by_the_script(&pair).await;
    let before = learner.reads("#token-refresh_token").await;
    learner.has_the_script("refresh").await;
    learner.the_script_says("passed", "New tokens").await;
    assert_ne!(learner.reads("#token-refresh_token").await, before);
    learner.has_the_script("replay").await;
    learner.the_script_says("failed", "invalid_grant").await;
    learner.has_the_script("refresh").await;
    learner.the_script_says("failed", "invalid_grant").await;
    learner.has_the_script("callApi").await;
    learner.the_script_says("failed", "invalid_token").await;
    // The viewer tells the story of both halves.
    learner.clicks("#flow").await;
    learner.finds("#refresh .house.idp").await;
    let page = learner.evaluates("return document.body.textContent", Vec::new()).await;
    for words in ["Made by the script in the browser", "Made by the IdP"] {
        assert!(page.as_str().unwrap().contains(words), "{words}");
    }
    assert_eq!(learner.reads(".toolbar .verdict.passed").await, "Success");
    assert_eq!(learner.counts(".hop.r-i, .hop.i-r").await, 0, "the RP's server said nothing to the IdP");
    assert!(learner.counts(".hop.w-i").await > 3);
}

#[actix_web::test]
async fn what_is_given_back_or_signed_out_is_over() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.is_signed_in_by_the_script(&pair).await;
    learner.has_the_script("revoke").await;
    learner.the_script_says("passed", "given back").await;
    learner.has_the_script("callApi").await;
    learner.the_script_says("failed", "invalid_token").await;
    let tokens = learner.tokens_of_the_script().await;
    learner.has_the_script("forget").await;
    learner.sees("At the IdP the session goes on").await;
    assert!(!learner.everything_on_the_page().await.contains(&tokens[0]), "it knows nothing any more");
    learner.has_the_script("login").await;
    learner.finds(ALLOW).await;
    // On the way only what the return needs is kept (R10).
    learner.opens(&format!("{}/glossary", pair.home)).await;
    let left = learner.what_is_left_in_the_browser().await;
    assert!(left.contains("verifier"), "{left}");
    assert!(tokens.iter().all(|token| !left.contains(token.as_str())), "{left}");
    learner.goes_back().await;
    learner.clicks(ALLOW).await;
    learner.the_script_says("passed", "").await;
    let [_, id_token, _] = learner.tokens_of_the_script().await;
    learner.has_the_script("signOut").await;
    learner.the_script_says("passed", "The IdP has ended its session").await;
    let source = learner.everything_on_the_page().await;
    assert!(source.contains("[not-kept]") && !source.contains(&id_token), "the hint was not kept on the way");
    learner.sees("You are signed out, here and at the IdP").await;
    learner.has_the_script("login").await;
    learner.finds("#password").await;
    learner.opens(&format!("{}/spa?state=forged", pair.home)).await;
    assert_eq!(learner.refused_by().await, "logout_state");
}

#[actix_web::test]
async fn two_tabs_log_in_each_for_itself() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_the_script(&pair).await;
    learner.has_the_script("login").await;
    learner.finds("#password").await;
    learner.opens_a_tab().await;
    learner.is_signed_in_by_the_script(&pair).await;
    learner.turns_to_tab(0).await;
    learner.clicks(SIGN_IN).await;
    learner.clicks(ALLOW).await;
    learner.the_script_says("passed", "").await;
    learner.turns_to_tab(1).await;
    learner.has_the_script("callApi").await;
    learner.the_script_says("passed", "").await;
}

#[actix_web::test]
async fn whoever_cancels_or_goes_back_can_begin_again() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_the_script(&pair).await;
    learner.lets_the_script_log_in().await;
    learner.cancels().await;
    learner.the_script_says("failed", "access_denied").await;
    assert_eq!(pair.token_calls(), 0);
    learner.has_the_script("login").await;
    learner.finds(ALLOW).await;
    learner.goes_back().await;
    learner.finds("#client:not([hidden])").await;
    learner.has_the_script("login").await;
    learner.finds(ALLOW).await;
    learner.allows().await;
    learner.the_script_says("passed", "").await;
}

#[actix_web::test]
async fn the_provider_stops_and_the_script_says_that_there_was_no_answer() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.is_signed_in_by_the_script(&pair).await;
    pair.stops_idp().await;
    learner.has_the_script("callApi").await;
    learner.the_script_says("failed", "no answer that this page could read").await;
    learner.reloads().await;
    learner.has_the_script("login").await;
    learner.the_script_says("failed", "no answer that this page could read").await;
}

#[actix_web::test]
async fn i16_the_script_of_another_origin_reads_nothing() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    let token = format!("{}/oauth/token", pair.issuer);
    let form = json!({ "method": "POST", "body": "grant_type=authorization_code&code=x&client_id=client-public",
        "headers": { "content-type": "application/x-www-form-urlencoded" } });
    let bearer = json!({ "headers": { "authorization": "Bearer x" } });
    let asked = [
        (token.clone(), form.clone(), 400),
        (format!("{}/oauth/userinfo", pair.issuer), bearer.clone(), 401),
        (format!("{}/api/me", pair.issuer), bearer, 401),
    ];
    learner.opens_the_script(&pair).await;
    for (address, how, status) in &asked {
        assert_eq!(learner.can_read(address, how.clone()).await, json!(status), "{address}");
    }
    let authorize = pair.question("client-public", "openid", "");
    assert_eq!(learner.can_read(&authorize, json!({})).await, "TypeError");
    let stranger = Stranger::that_shows("<p>somewhere else".into());
    learner.opens(&stranger.at("127.0.0.1")).await;
    for (address, how, _) in asked {
        assert_eq!(learner.can_read(&address, how).await, "TypeError", "{address}");
    }
    // Nor does it get anything recorded.
    let told = json!({ "method": "POST", "body": "state=x&told=[]", "headers": form["headers"] });
    assert_eq!(learner.can_read(&format!("{}/spa/told", pair.home), told).await, "TypeError");
}

#[actix_web::test]
async fn the_keyboard_alone_and_a_narrow_window_are_enough() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_the_script(&pair).await;
    learner.tabs_to("#login").await;
    learner.presses(Key::Enter).await;
    learner.clicks(SIGN_IN).await;
    learner.clicks(ALLOW).await;
    learner.the_script_says("passed", "").await;
    learner.tabs_to("#callApi").await;
    learner.presses(Key::Enter).await;
    learner.the_script_says("passed", "API").await;
    for width in [1280, 1024, 390, 320] {
        learner.widens_to(width).await;
        learner.evaluates("document.querySelectorAll('details').forEach(it => it.open = true)", vec![]).await;
        assert_eq!(learner.overflow().await, 0, "{width}");
        assert_eq!(learner.barriers().await, Vec::<String>::new(), "{width}");
    }
}
