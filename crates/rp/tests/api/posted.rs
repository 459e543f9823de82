//! Step 7 when the answer is posted: the same checks, once the cookies are there.

use crate::{
    browser::{Answer, Browser, http},
    keys::HONEST,
    world::{Login, World, callback, is_signed_in},
};

const FORM: &str = "application/x-www-form-urlencoded";

type Params<'a> = [(&'a str, &'a str)];

fn world() -> World {
    World::start_with(&["--response-mode", "form_post"])
}

/// A form of another site, with which no cookie of ours travels.
async fn posts(world: &World, params: &Params<'_>) -> Answer {
    let form = http().post(format!("{}/auth", world.origin)).header("sec-fetch-site", "cross-site");
    Answer::of(form.header("origin", "null").form(params)).await
}

/// Where the browser is sent with what was posted: to an address that says nothing of it.
async fn handle(world: &World, params: &Params<'_>) -> String {
    let answer = posts(world, params).await;
    assert_eq!((answer.status, answer.set_cookies.len()), (303, 0), "{answer:?}");
    let handle = answer.location.unwrap();
    assert!(handle.starts_with("/auth/back_") && handle.len() > 40 && !handle.contains('?'), "{handle}");
    for (_, value) in params.iter().filter(|(_, value)| value.len() > 4) {
        assert!(!handle.contains(value), "{handle}");
    }
    handle
}

/// The browser comes back with these parameters in a form.
async fn returns(world: &World, browser: &mut Browser, params: &Params<'_>) -> Answer {
    browser.opens(&handle(world, params).await).await
}

/// A good answer, and a provider that is ready for its code.
fn good<'a>(world: &'a World, login: &'a Login) -> [(&'a str, &'a str); 3] {
    world.provider.issues(&HONEST.token(&world.claims(login)));
    [("code", "code-1"), ("state", &login.state), ("iss", &world.provider.issuer)]
}

#[actix_web::test]
async fn a_form_is_asked_for_by_the_setting_or_for_one_login() {
    let (usual, by_form) = (World::start(), world());
    for (world, target, asked) in [
        (&usual, "/login", None),
        (&usual, "/login?response_mode=query", None),
        (&usual, "/login?response_mode=", None),
        (&usual, "/login?response_mode=form_post", Some("form_post")),
        (&by_form, "/login", Some("form_post")),
        (&by_form, "/login?response_mode=query", None),
    ] {
        let login = Login::sent_by(&world.browser().opens(target).await);
        let mode = login.request.query_pairs().find(|(name, _)| name == "response_mode");
        assert_eq!(mode.map(|(_, mode)| mode.into_owned()).as_deref(), asked, "{target}");
    }
    usual.browser().opens("/login?response_mode=fragment").await.is_problem(400, "malformed");
}

#[actix_web::test]
async fn r12_an_answer_in_a_form_signs_in_and_leaves_its_address() {
    let world = world();
    let mut browser = world.browser();
    let login = Login::sent_by(&browser.opens("/login?next=/profile").await);
    let address = handle(&world, &good(&world, &login)).await;
    let answer = browser.opens(&address).await;
    assert!(answer.leads_to("/profile"), "{answer:?}");
    assert!(is_signed_in(&mut browser).await && browser.attempt_cookies().is_empty());
    // The handle again, and the form again: the code goes nowhere a second time.
    browser.opens(&address).await.is_problem(400, "state_reused");
    returns(&world, &mut browser, &good(&world, &login)).await.is_problem(400, "state_reused");
    assert_eq!(world.provider.calls("/token").len(), 1);
}

#[actix_web::test]
async fn r12_a_handle_that_is_opened_ten_times_at_once_buys_tokens_once() {
    let world = world();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let address = handle(&world, &good(&world, &login)).await;
    let opened = (0..10).map(|_| {
        let (mut browser, address) = (browser.clone(), address.clone());
        async move { browser.opens(&address).await.status }
    });
    let answers = futures_util::future::join_all(opened).await;
    assert_eq!(answers.iter().filter(|status| **status == 303).count(), 1, "{answers:?}");
    assert_eq!(world.provider.calls("/token").len(), 1);
}

#[actix_web::test]
async fn r12_a_refusal_is_shown_again_at_every_reload() {
    let world = world();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let params = [("code", "c"), ("state", login.state.as_str()), ("iss", "https://evil.example")];
    let address = handle(&world, &params).await;
    for _ in 0..2 {
        let answer = browser.opens(&address).await;
        answer.is_problem(400, "issuer_mismatch");
        answer.names_check("response_issuer");
    }
    assert!(world.provider.calls("/token").is_empty());
}

#[actix_web::test]
async fn r1_what_another_browser_posted_or_opens_is_refused_and_the_owner_can_still_finish() {
    let world = world();
    let (mut attacker, mut victim) = (world.browser(), world.browser());
    let login = world.begins(&mut attacker).await;
    world.begins(&mut victim).await;
    let address = handle(&world, &good(&world, &login)).await;
    let answer = victim.opens(&address).await;
    answer.is_problem(400, "state_other_browser");
    answer.names_check("state_same_browser");
    assert!(world.provider.calls("/token").is_empty() && !is_signed_in(&mut victim).await);
    assert!(attacker.opens(&address).await.leads_to("/"));
}

#[actix_web::test]
async fn r1_a_posted_answer_needs_the_state_of_a_login_under_way() {
    let world = world();
    let mut browser = world.browser();
    let issuer = world.provider.issuer.clone();
    posts(&world, &[("code", "c"), ("iss", &issuer)]).await.is_problem(400, "state_missing");
    posts(&world, &[]).await.is_problem(400, "state_missing");
    let made_up = [("code", "c"), ("state", "made-up"), ("iss", issuer.as_str())];
    returns(&world, &mut browser, &made_up).await.is_problem(400, "state_unknown");
    assert!(world.provider.calls("/token").is_empty());
}

#[actix_web::test]
async fn r1_a_handle_ends_with_its_login_and_a_made_up_one_is_nobodys() {
    let world = world();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let address = handle(&world, &good(&world, &login)).await;
    world.passes(600);
    for address in [address.as_str(), "/auth/back_made-up", "/auth/x"] {
        let answer = browser.opens(address).await;
        answer.is_problem(400, "state_unknown");
        answer.names_check("state_known");
    }
    assert!(world.provider.calls("/token").is_empty());
}

#[actix_web::test]
async fn r1_two_tabs_both_work() {
    let world = world();
    let mut browser = world.browser();
    let (first, second) = (world.begins(&mut browser).await, world.begins(&mut browser).await);
    assert!(returns(&world, &mut browser, &good(&world, &second)).await.leads_to("/"));
    assert!(returns(&world, &mut browser, &good(&world, &first)).await.leads_to("/"));
}

#[actix_web::test]
async fn r3_a_posted_answer_of_another_issuer_or_of_none_is_refused_before_the_token_call() {
    for iss in ["https://evil.example", ""] {
        let world = world();
        let mut browser = world.browser();
        let login = world.begins(&mut browser).await;
        let params = [("code", "c"), ("state", login.state.as_str()), ("iss", iss)];
        returns(&world, &mut browser, &params).await.is_problem(400, "issuer_mismatch");
        assert!(world.provider.calls("/token").is_empty());
    }
}

#[actix_web::test]
async fn r3_a_code_that_comes_in_another_way_than_was_asked_for_is_refused() {
    let (usual, by_form) = (World::start(), world());
    let mut browser = usual.browser();
    let login = usual.begins(&mut browser).await;
    let answer = returns(&usual, &mut browser, &good(&usual, &login)).await;
    answer.is_problem(400, "response_mode_mismatch");
    answer.names_check("response_mode_as_asked");

    let mut browser = by_form.browser();
    let login = by_form.begins(&mut browser).await;
    let answer = browser.opens(&callback(&good(&by_form, &login))).await;
    answer.is_problem(400, "response_mode_mismatch");
    answer.names_check("response_mode_as_asked");
    // The state is used up: what comes in the right way now comes too late.
    returns(&by_form, &mut browser, &good(&by_form, &login)).await.is_problem(400, "response_mode_mismatch");
    assert!(usual.provider.calls("/token").is_empty() && by_form.provider.calls("/token").is_empty());
}

#[actix_web::test]
async fn r13_an_error_in_a_form_leads_home_and_so_does_one_of_a_provider_that_knows_no_forms() {
    let world = world();
    for by_form in [true, false] {
        for (error, text) in [("access_denied", "access_denied"), ("<svg onload=alert(1)>", "unknown")] {
            let mut browser = world.browser();
            let login = world.begins(&mut browser).await;
            let issuer = world.provider.issuer.clone();
            let params =
                [("error", error), ("error_description", error), ("state", &login.state), ("iss", &issuer)];
            let answer = if by_form {
                returns(&world, &mut browser, &params).await
            } else {
                browser.opens(&callback(&params)).await
            };
            assert!(answer.leads_to("/"), "{answer:?}");
            let home = browser.opens("/").await;
            assert!(home.says(&format!("oauth_error.{text}")) && !home.text.contains("<svg onload"));
        }
    }
    // Whoever asked for no form gets none, not even an error.
    let usual = World::start();
    let mut browser = usual.browser();
    let login = usual.begins(&mut browser).await;
    let params = [("error", "access_denied"), ("state", &*login.state), ("iss", &usual.provider.issuer)];
    returns(&usual, &mut browser, &params).await.is_problem(400, "response_mode_mismatch");
}

#[actix_web::test]
async fn only_a_well_formed_form_of_bounded_length_is_read() {
    let world = world();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let state = login.state.as_str();
    let body = |body: String, media_type: &'static str| {
        let request = http().post(format!("{}/auth", world.origin)).header("content-type", media_type);
        Answer::of(request.body(body))
    };
    for media_type in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        body(format!("code=c&state={state}"), media_type).await.is_problem(400, "malformed");
    }
    for twice in ["state", "code", "iss", "made_up"] {
        let form = format!("code=c&state={state}&iss=i&made_up=x&{twice}=again");
        body(form, FORM).await.is_problem(400, "malformed");
    }
    body(format!("code=%zz&state={state}"), FORM).await.is_problem(400, "malformed");
    body(format!("code={}&state={state}", "c".repeat(64 * 1024)), FORM).await.is_problem(413, "too_large");
    // What stands in the address of a form is none of the answer.
    let request = http().post(format!("{}{}", world.origin, callback(&good(&world, &login))));
    Answer::of(request.form(&[("x", "y")])).await.is_problem(400, "state_missing");
    let answer = returns(&world, &mut browser, &good(&world, &login)).await;
    assert!(answer.leads_to("/"), "nothing was used up: {answer:?}");
}

#[actix_web::test]
async fn what_is_posted_without_end_is_refused_and_a_login_from_elsewhere_still_works() {
    let world = world();
    let big = "x".repeat(60 * 1024);
    let junk = [("state", "junk"), ("code", big.as_str())];
    let refused = loop {
        let answer = posts(&world, &junk).await;
        if answer.status != 303 {
            break answer;
        }
    };
    refused.is_problem(503, "overloaded");
    let elsewhere = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .local_address(std::net::IpAddr::from([127, 0, 0, 2]))
        .build()
        .unwrap();
    let form = elsewhere.post(format!("{}/auth", world.origin)).form(&[("state", "s"), ("code", "c")]);
    assert_eq!(Answer::of(form).await.status, 303);
}
