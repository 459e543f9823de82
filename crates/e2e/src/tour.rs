//! A tour past every page and every state of a page.

mod failures;

use shared::flow::Pause;

use self::failures::{an_outage, errors_of_the_idp, errors_of_the_rp};
use crate::{
    learner::{ALLOW, LOGIN, LOGOUT, Learner, SIGN_IN},
    pair::Pair,
    registering::registering,
    stepping::{DROP, REPEAT, STEP_BY_STEP, TOLD},
    tokens::{the_tokens, the_way_by_form},
    viewing::LATEST,
};

/// As often a wrong password is not looked at any more.
const TOO_OFTEN: usize = 6;

/// Leads a learner past everything there is to see, and has `look` called in front of each, with its name.
pub async fn tour(pair: &mut Pair, learner: &Learner, mut look: impl AsyncFnMut(&'static str)) {
    the_way_through(pair, learner, &mut look).await;
    the_ways_out(pair, learner, &mut look).await;
    the_provider(pair, learner, &mut look).await;
    errors_of_the_idp(pair, learner, &mut look).await;
    errors_of_the_rp(pair, learner, &mut look).await;
    an_outage(pair, learner, &mut look).await;
    the_viewer(pair, learner, &mut look).await;
    the_tokens(pair, learner, &mut look).await;
    registering(pair, learner, &mut look).await;
    step_by_step(pair, learner, &mut look).await;
    the_time_machine(pair, learner, &mut look).await;
}

/// The pages about the flows that the tour has led to so far, and about a few more.
pub async fn the_viewer(pair: &Pair, learner: &Learner, mut look: impl AsyncFnMut(&'static str)) {
    let flows = format!("{}/flows", pair.home);
    learner.logs_in().await;
    learner.opens_the_latest_flow().await;
    look("viewer-flow").await;
    for (name, place) in [
        ("viewer-flow-request", "m2"),
        ("viewer-flow-login-page", "m3"),
        ("viewer-flow-password", "m4"),
        ("viewer-flow-callback", "m7"),
        ("viewer-flow-exchange", "m8"),
        ("viewer-flow-tokens", "m9"),
        ("viewer-flow-keys", "jwks"),
        ("viewer-flow-claims", "userinfo"),
    ] {
        learner.goes_to(place).await;
        let unfold = "document.querySelectorAll('.detail:target details').forEach(more => more.open = true)";
        learner.evaluates(unfold, Vec::new()).await;
        look(name).await;
    }
    learner.evaluates("document.querySelector('.menu').open = true", Vec::new()).await;
    look("viewer-flow-save").await;
    learner.opens_home().await;
    learner.logs_out().await;
    learner.opens_the_latest_flow().await;
    look("viewer-flow-logout").await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.opens_its_flow().await;
    look("viewer-flow-under-way").await;
    learner.goes_back().await;
    learner.signs_in().await;
    learner.cancels().await;
    learner.finds(LOGIN).await;
    learner.opens_the_latest_flow().await;
    look("viewer-flow-cancelled").await;
    learner.opens(&format!("{}/auth?code=c&state=forged&iss={}", pair.home, pair.issuer)).await;
    learner.opens_its_flow().await;
    look("viewer-flow-failed").await;

    learner.clicks(".tools a[href*='with=']").await;
    look("viewer-list-to-compare").await;
    learner.clicks("table.flows tbody tr:nth-child(2) a.s").await;
    look("viewer-compare").await;
    for (name, target) in [
        ("viewer-list", ""),
        ("viewer-list-failed", "?show=bad"),
        ("viewer-list-under-way", "?show=running"),
        ("viewer-open", "/open"),
        ("viewer-error-not-found", "/of-nobody"),
    ] {
        learner.opens(&format!("{flows}{target}")).await;
        look(name).await;
    }
    learner.opens(&format!("{}/glossary", pair.home)).await;
    look("viewer-glossary").await;
    learner.opens(&pair.idp_flows).await;
    look("viewer-list-of-the-idp").await;
    learner.clicks("table.flows tbody tr:nth-child(3) th a").await;
    look("viewer-flow-of-the-idp").await;

    learner.opens_the_file(&format!("{flows}/open"), &learner.keeps("nothing.html", "<p>nothing</p>")).await;
    learner.finds("[role=alert]").await;
    look("viewer-open-refused").await;
    learner.opens(&format!("{flows}?show=ok")).await;
    learner.clicks(LATEST).await;
    let saved = learner.saves(".menu a[href$='save?as=page']").await;
    learner.opens_a_file(&saved).await;
    look("viewer-saved").await;
    learner.opens_home().await;
}

async fn the_way_through(pair: &Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    learner.opens_home().await;
    look("rp-home").await;
    learner.clicks_login().await;
    look("idp-login").await;
    learner.signs_in_as("demo", "guess").await;
    learner.finds("#failed").await;
    look("idp-login-wrong-password").await;
    learner.signs_in_as("demo", "DemoTest2024!").await;
    learner.finds(".scopes").await;
    look("idp-consent").await;
    learner.allows().await;
    learner.is_welcomed().await;
    the_way_by_form(pair, learner, look).await;
    pair.passes(48);
    learner.reloads().await;
    look("rp-welcome").await;
    learner
        .evaluates("document.querySelectorAll('details').forEach(more => more.open = true)", Vec::new())
        .await;
    look("rp-welcome-with-everything-open").await;
}

async fn the_ways_out(pair: &Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    learner.opens(&format!("{}/logout", pair.home)).await;
    look("rp-logout").await;
    learner.logs_out().await;
    learner.finds("[role=status]").await;
    look("rp-home-signed-out").await;
    learner.logs_in().await;
    pair.passes(3600);
    learner.reloads().await;
    learner.finds("[role=status]").await;
    look("rp-home-session-ended").await;
    learner.opens(&format!("{}/logout", pair.home)).await;
    look("rp-logout-session-ended").await;
    learner.opens(&format!("{}/login", pair.home)).await;
    learner.signs_in().await;
    learner.cancels().await;
    learner.finds("[role=alert]").await;
    look("rp-home-cancelled").await;
}

/// Two users with one browser, and a client whose consent is remembered.
async fn the_provider(pair: &Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    const EVERYTHING: &str = "openid profile email address phone api.access rp.login";
    // All but the telephone, of which the number is asked for by name.
    const BY_NAME: &str = "openid profile email address api.access rp.login";
    let client2 = |scope, more| pair.question("client2", scope, more);
    let idp_home = format!("{}/", pair.issuer);

    learner.forgets_cookies().await;
    learner.opens(&idp_home).await;
    look("idp-home").await;
    learner.opens(&client2(EVERYTHING, "login_hint=alice")).await;
    look("idp-login-hinted").await;
    learner.clicks(SIGN_IN).await;
    learner.finds(ALLOW).await;
    look("idp-consent-everything").await;
    learner.clicks("input[value=address]").await;
    learner.clicks("input[value=phone]").await;
    learner.allows().await;
    learner.finds(".error").await;
    learner.opens(&client2(BY_NAME, r#"claims={"userinfo":{"phone_number":null}}"#)).await;
    learner.finds("input[name=claim]").await;
    look("idp-consent-remembered-and-by-name").await;

    pair.passes(600);
    learner.opens(&client2("openid email", "prompt=login&login_hint=demo")).await;
    learner.signs_in().await;
    learner.allows().await;
    learner.finds(".error").await;
    learner.opens(&idp_home).await;
    look("idp-home-two-users").await;
    learner.opens(&client2("openid", "prompt=select_account&max_age=60")).await;
    look("idp-account").await;
    learner.clicks("button[name=account][value='2']").await;
    learner.finds(SIGN_IN).await;
    look("idp-login-again").await;
    for _ in 0..TOO_OFTEN {
        learner.signs_in_as("alice", "guess").await;
        learner.finds("#failed").await;
    }
    look("idp-login-wait").await;
    pair.passes(600);
    the_sign_out(pair, learner, look).await;

    learner.opens(&format!("{}/login", pair.home)).await;
    learner.signs_in_as("alice", "AliceTest2024!").await;
    learner.allows().await;
    learner.finds(LOGOUT).await;
    look("rp-welcome-alice").await;
    learner.logs_out().await;
    learner.opens(&format!("{}/login?prompt=none", pair.home)).await;
    learner.finds("[role=status]").await;
    look("rp-home-interaction-needed").await;
}

async fn the_sign_out(pair: &Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    for (name, query) in [
        ("idp-error-logout-hint", "id_token_hint=made-up"),
        ("idp-error-logout-client", "client_id=nobody"),
        ("idp-error-logout-return", "client_id=client1&post_logout_redirect_uri=https://evil.example/"),
    ] {
        learner.opens(&format!("{}/oauth/logout?{query}", pair.issuer)).await;
        look(name).await;
    }
    learner.opens(&format!("{}/oauth/logout?client_id=client2", pair.issuer)).await;
    look("idp-logout").await;
    learner.clicks("main button[type=submit]").await;
    learner.finds("main .verdict.passed").await;
    look("idp-logged-out").await;
}

/// Every pause of a login, with what was predicted and changed; and where it can end.
async fn step_by_step(pair: &Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    learner.opens_home().await;
    learner.clicks(STEP_BY_STEP).await;
    look("rp-home-step-by-step").await;
    learner.goes_step_by_step().await;
    for (pause, name) in [
        (Pause::AuthorizationRequest, "step-authorization-request"),
        (Pause::LoginPage, "step-login-page"),
        (Pause::AuthorizationResponse, "step-authorization-response"),
        (Pause::Callback, "step-callback"),
        (Pause::TokenRequest, "step-token-request"),
        (Pause::TokenResponse, "step-token-response"),
        (Pause::Validation, "step-validation"),
        (Pause::UserinfoRequest, "step-userinfo-request"),
        (Pause::UserinfoResponse, "step-userinfo-response"),
    ] {
        learner.is_held_at(pause).await;
        look(name).await;
        learner.lets_go().await;
        if pause == Pause::LoginPage {
            learner.signs_in().await;
            learner.allows().await;
        }
    }
    learner.finds(LOGOUT).await;
    learner.logs_out().await;

    learner.steps_to(Pause::Callback).await;
    learner.clicks("#held input[name='params.as'][value=raw]").await;
    look("step-callback-raw").await;
    learner.clicks(REPEAT).await;
    learner.is_held_at(Pause::TokenRequest).await;
    look("step-token-request-after-two-callbacks").await;
    learner.adds_to_value("code_verifier", "x").await;
    learner.clicks("label:has(input[value=tokens_come])").await;
    learner.lets_go().await;
    learner.is_held_at(Pause::TokenResponse).await;
    learner.finds(TOLD).await;
    look("step-token-response-after-a-change").await;
    learner.opens_its_flow().await;
    learner.chooses("m8").await;
    look("viewer-flow-changed-by-hand").await;

    learner.steps_to(Pause::Validation).await;
    learner.scrolls_and_clicks("#held label:has(input[name=sign][value=fresh])").await;
    look("step-validation-new-key").await;
    learner.types("#f-token-header", "{").await;
    learner.lets_go().await;
    learner.finds("#mistake").await;
    look("step-validation-mistake").await;
    learner.goes_step_by_step().await;
    learner.types("#f-address", "elsewhere").await;
    learner.lets_go().await;
    learner.finds("#mistake").await;
    look("step-authorization-request-mistake").await;

    learner.goes_step_by_step().await;
    let page = learner.page_of_pause().await;
    learner.lets_go().await;
    learner.is_held_at(Pause::LoginPage).await;
    learner.opens(&page).await;
    look("step-away").await;
    learner.steps_to(Pause::AuthorizationResponse).await;
    learner.clicks(DROP).await;
    learner.finds("article.card").await;
    look("step-over-at-the-idp").await;
    learner.goes_step_by_step().await;
    learner.clicks(DROP).await;
    learner.finds("article.card").await;
    look("step-over").await;
    pair.passes(600);
    learner.reloads().await;
    learner.finds(".error").await;
    look("step-error-unknown").await;
}

async fn the_time_machine(pair: &Pair, learner: &Learner, look: &mut impl AsyncFnMut(&'static str)) {
    let time = format!("{}/time", pair.home);
    learner.opens(&time).await;
    look("time").await;
    learner.clicks("form button[name=skip][value='10']").await;
    learner.finds(LOGIN).await;
    look("rp-home-ahead").await;
    learner.opens(&format!("{}/", pair.issuer)).await;
    look("idp-home-ahead").await;
    learner.steps_to(Pause::TokenRequest).await;
    look("step-token-request-ahead").await;
    learner.opens_its_flow().await;
    look("viewer-flow-ahead").await;
    learner.opens(&time).await;
    learner.clicks("form:has([name=side][value=idp]) button[value='10']").await;
    learner.finds(LOGIN).await;
    learner.opens(&time).await;
    look("time-ahead-and-apart").await;
    learner.clicks("button[value=back]").await;
    learner.finds("body:not(:has(section.ahead))").await;
}
