//! Steps 3 and 4: the login page and the password.

use web::{catalogue::Catalogue, lang::Lang};

use crate::helpers::{Answer, AuthorizationRequest, Browser, Idp, http};

async fn at_login(idp: &Idp) -> Browser {
    let mut browser = Browser::new(idp);
    browser.opens(&AuthorizationRequest::new()).await;
    assert!(browser.page.contains("/login/"));
    browser
}

#[actix_web::test]
async fn a_wrong_password_shows_the_form_again_and_the_right_one_goes_on() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    let again = browser.signs_in("demo", "wrong").await;
    assert!(again.body.contains(r#"role="alert""#), "{}", again.body);
    browser.signs_in("Demo ", "DemoTest2024!").await;
    assert!(browser.page.contains("/consent/"));
}

#[actix_web::test]
async fn i7_a_form_without_its_token_is_refused() {
    let idp = Idp::start();
    let credentials = [("username", "demo"), ("password", "DemoTest2024!")];
    let mut browser = at_login(&idp).await;
    let token = browser.shown.csrf();
    assert_eq!(browser.submits_raw(&credentials).await.status, 403);
    let other = at_login(&idp).await.shown.csrf();
    assert_eq!(
        browser.submits_raw(&[&[("csrf", other.as_str())], &credentials[..]].concat()).await.status,
        403
    );
    assert_eq!(
        browser.submits_raw(&[&[("csrf", token.as_str())], &credentials[..]].concat()).await.status,
        200
    );
    assert!(browser.page.contains("/consent/"));
}

#[actix_web::test]
async fn i7_a_form_of_another_origin_is_refused() {
    let idp = Idp::start();
    let browser = at_login(&idp).await;
    let csrf = browser.shown.csrf();
    let cookie = format!("idp_browser={}", browser.cookies["idp_browser"]);
    let fields = [("csrf", csrf.as_str()), ("username", "demo"), ("password", "DemoTest2024!")];
    for (name, value, accepted) in [
        ("sec-fetch-site", "cross-site", false),
        ("sec-fetch-site", "same-site", false),
        ("origin", "http://127.0.0.1:5002", false),
        ("origin", "null", false),
        ("x-nothing", "", false),
        ("origin", idp.issuer.as_str(), true),
    ] {
        let request = http().post(&browser.page).header("cookie", &cookie).header(name, value).form(&fields);
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, if accepted { 303 } else { 403 }, "{name}: {value}");
    }
}

#[actix_web::test]
async fn i7_pages_cannot_be_framed_and_run_no_foreign_script() {
    let idp = Idp::start();
    let page = at_login(&idp).await.shown;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("form-action"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(
        !page.body.contains("<style") && !page.body.contains(" style=") && !page.body.contains(" onclick=")
    );
}

#[actix_web::test]
async fn i7_the_session_is_a_new_one_after_every_login() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    browser.cookies.insert("idp_session".into(), "planted".into());
    browser.signs_in("demo", "DemoTest2024!").await;
    let first = browser.cookies["idp_session"].clone();
    assert_ne!(first, "planted");
    browser.opens(&AuthorizationRequest::new()).await;
    browser.signs_in("demo", "DemoTest2024!").await;
    assert_ne!(browser.cookies["idp_session"], first);
    // The old one has ended: with it the consent page leads back to the login.
    browser.cookies.insert("idp_session".into(), first);
    let consent = browser.page.clone();
    browser.goes(&consent).await;
    assert!(browser.page.contains("/login/"), "{}", browser.page);
}

#[actix_web::test]
async fn i11_the_same_page_and_one_hash_for_known_and_unknown_users() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    let mut bodies = Vec::new();
    for username in ["demo", "nobody"] {
        let before = idp.state.passwords.computed();
        let body = browser.signs_in(username, "wrong").await.body.clone();
        assert_eq!(idp.state.passwords.computed() - before, 1, "{username}");
        bodies.push(body.replace(&format!(r#"value="{username}""#), "value"));
    }
    assert_eq!(bodies[0], bodies[1]);
}

#[actix_web::test]
async fn a_login_computes_one_hash_and_one_signature() {
    let idp = Idp::start();
    let computed = || (idp.state.passwords.computed(), idp.state.keys.signatures());
    let code = idp.code().await;
    assert_eq!(computed(), (1, 0));
    assert_eq!(idp.redeems(&code).await.status, 200);
    assert_eq!(computed(), (1, 1));
}

#[actix_web::test]
async fn i9_a_password_of_a_megabyte_is_refused_before_it_is_hashed() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    let before = idp.state.passwords.computed();
    let answer = browser.signs_in("demo", &"a".repeat(1024 * 1024)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(idp.state.passwords.computed(), before);
}

#[actix_web::test]
async fn i14_a_page_is_not_kept_and_tells_no_other_site_where_the_browser_was() {
    let idp = Idp::start();
    let page = at_login(&idp).await.shown;
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let error = Answer::of(http().get(idp.at("/oauth/authorize"))).await;
    assert_eq!(error.header("referrer-policy"), "no-referrer");
}

#[actix_web::test]
async fn i15_every_redirect_after_a_form_is_a_303() {
    let idp = Idp::start();
    let browser = at_login(&idp).await;
    let csrf = browser.shown.csrf();
    let cookie = format!("idp_browser={}", browser.cookies["idp_browser"]);
    let fields = [("csrf", csrf.as_str()), ("username", "demo"), ("password", "DemoTest2024!")];
    let request = http().post(&browser.page).header("cookie", cookie).header("sec-fetch-site", "same-origin");
    assert_eq!(Answer::of(request.form(&fields)).await.status, 303);
    let posted = http().post(idp.at("/oauth/authorize")).form(AuthorizationRequest::new().pairs());
    assert_eq!(Answer::of(posted).await.status, 303);
    for decision in ["allow", "deny"] {
        let mut browser = at_login(&idp).await;
        browser.signs_in("demo", "DemoTest2024!").await;
        assert_eq!(browser.decides(decision).await.status, 303, "{decision}");
    }
}

#[actix_web::test]
async fn cookies_are_for_this_provider_and_not_for_scripts() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    let page = browser.page.clone();
    let csrf = browser.shown.csrf();
    let cookie = format!("idp_browser={}", browser.cookies["idp_browser"]);
    let fields = [("csrf", csrf.as_str()), ("username", "demo"), ("password", "DemoTest2024!")];
    let request =
        http().post(&page).header("cookie", cookie).header("sec-fetch-site", "same-origin").form(&fields);
    let answer = Answer::of(request).await;
    let session = answer.set_cookies.iter().find(|cookie| cookie.starts_with("idp_session=")).unwrap();
    assert!(
        session.contains("HttpOnly") && session.contains("SameSite=Lax") && session.contains("Path=/"),
        "{session}"
    );
    assert!(!session.contains("Secure"), "on http a Secure cookie would be lost: {session}");
    browser.goes(&page).await;
}

#[actix_web::test]
async fn a_login_that_takes_too_long_says_so() {
    let idp = Idp::start();
    let texts = Catalogue::load(Lang::Ja).unwrap();
    let mut browser = at_login(&idp).await;
    idp.passes(599);
    assert_eq!(browser.signs_in("demo", "wrong").await.status, 200);
    idp.passes(1);
    let answer = browser.signs_in("demo", "DemoTest2024!").await;
    answer.is_error_page(texts.get("problem.interaction_unknown.title").unwrap());
}

#[actix_web::test]
async fn ui_locales_chooses_the_language_unless_the_visitor_has() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    let page = browser.opens(&AuthorizationRequest::new().with("ui_locales", "se en")).await;
    assert!(page.body.contains(r#"<html lang="en""#), "{}", page.body);
    browser.cookies.insert("lang".into(), "ja".into());
    let page = browser.opens(&AuthorizationRequest::new().with("ui_locales", "se en")).await;
    assert!(page.body.contains(r#"<html lang="ja""#), "{}", page.body);
}

/// Five wrong passwords, each looked at.
async fn fails_five_times(browser: &mut Browser, username: &str) {
    for _ in 0..5 {
        assert_eq!(browser.signs_in(username, "wrong").await.status, 200);
    }
}

#[actix_web::test]
async fn i10_after_five_wrong_passwords_the_page_says_how_long_to_wait() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    browser.cookies.insert("lang".into(), "en".into());
    fails_five_times(&mut browser, "demo").await;
    for (wait, said) in
        [(5, "in 5 s"), (10, "in 10 s"), (20, "in 20 s"), (40, "in 40 s"), (80, "in 1 min 20 s")]
    {
        let before = idp.state.passwords.computed();
        let page = browser.signs_in("demo", "DemoTest2024!").await;
        assert_eq!((page.status, page.header("retry-after")), (429, wait.to_string().as_str()));
        assert!(page.body.contains(said) && page.body.contains(r#"role="alert""#), "{}", page.body);
        assert_eq!(idp.state.passwords.computed(), before, "it was not even looked at");
        idp.passes(wait);
        assert_eq!(browser.signs_in("demo", "wrong").await.status, 200);
    }
    idp.passes(160);
    browser.signs_in("demo", "DemoTest2024!").await;
    assert!(browser.page.contains("/consent/"), "the button works again");
}

#[actix_web::test]
async fn i10_a_visitor_who_fails_locks_nobody_else_out() {
    let idp = Idp::start();
    let mut visitor = at_login(&idp).await;
    fails_five_times(&mut visitor, "demo").await;
    for _ in 0..4 {
        idp.passes(60);
        assert_eq!(visitor.signs_in("demo", "wrong").await.status, 200);
    }
    let mut learner = at_login(&idp).await;
    let wait: u64 = learner.signs_in("demo", "DemoTest2024!").await.header("retry-after").parse().unwrap();
    assert!(wait <= 5, "{wait}");
    idp.passes(wait);
    learner.signs_in("demo", "DemoTest2024!").await;
    assert!(learner.page.contains("/consent/"));
    let mut next = at_login(&idp).await;
    next.signs_in("demo", "DemoTest2024!").await;
    assert!(next.page.contains("/consent/"), "a right password makes nobody wait");
    assert_eq!(visitor.signs_in("demo", "wrong").await.status, 429);
}

#[actix_web::test]
async fn i10_a_new_cookie_is_no_new_start() {
    let idp = Idp::start();
    fails_five_times(&mut at_login(&idp).await, "demo").await;
    for _ in 0..3 {
        assert_eq!(at_login(&idp).await.signs_in("demo", "wrong").await.status, 429);
    }
    let mut waits = at_login(&idp).await;
    assert_eq!(waits.signs_in("demo", "wrong").await.status, 429);
    idp.passes(5);
    assert_eq!(at_login(&idp).await.signs_in("demo", "wrong").await.status, 429, "who waited comes first");
    assert_eq!(waits.signs_in("demo", "wrong").await.status, 200);
    assert_eq!(at_login(&idp).await.signs_in("demo", "wrong").await.status, 429);
}

#[actix_web::test]
async fn i10_of_a_hundred_guesses_at_once_five_are_looked_at() {
    let idp = Idp::start();
    for username in ["demo", "nobody"] {
        let before = idp.state.passwords.computed();
        let guesses = (0..100).map(async |_| at_login(&idp).await.signs_in(username, "wrong").await.status);
        let answers = futures_util::future::join_all(guesses).await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 5, "{username}: {answers:?}");
        assert_eq!(answers.iter().filter(|status| **status == 429).count(), 95, "{username}: {answers:?}");
        assert_eq!(idp.state.passwords.computed() - before, 5, "{username}");
    }
}

#[actix_web::test]
async fn i10_a_class_may_sign_in_all_at_once() {
    let idp = Idp::start();
    let logins = (0..40).map(async |_| at_login(&idp).await.signs_in("demo", "DemoTest2024!").await.status);
    assert_eq!(futures_util::future::join_all(logins).await, [200; 40]);
}

#[actix_web::test]
async fn i10_all_names_of_a_user_share_their_failures() {
    let idp = Idp::start();
    let mut browser = at_login(&idp).await;
    for name in ["demo", "Demo", " demo ", "1@example.com", "1@EXAMPLE.com"] {
        assert_eq!(browser.signs_in(name, "wrong").await.status, 200, "{name}");
    }
    for name in ["demo", "1@example.com"] {
        assert_eq!(at_login(&idp).await.signs_in(name, "wrong").await.status, 429, "{name}");
    }
    assert_eq!(at_login(&idp).await.signs_in("nobody", "wrong").await.status, 200);
}

#[actix_web::test]
async fn i11_those_who_do_not_exist_are_throttled_in_the_same_way() {
    let idp = Idp::start();
    let mut seen = Vec::new();
    for username in ["demo", "nobody"] {
        let mut browser = at_login(&idp).await;
        fails_five_times(&mut browser, username).await;
        let before = idp.state.passwords.computed();
        let page = browser.signs_in(username, "wrong").await;
        assert_eq!(idp.state.passwords.computed(), before);
        let body = page.body.replace(&format!(r#"value="{username}""#), "value");
        let csrf = page.csrf();
        seen.push((page.status, page.header("retry-after").to_owned(), body.replace(&csrf, "csrf")));
    }
    assert_eq!(seen[0], seen[1]);
}

#[actix_web::test]
async fn i10_from_one_address_there_are_twenty_failures_at_once_over_all_names() {
    let idp = Idp::start();
    let guesses = (0..24)
        .map(async |number| at_login(&idp).await.signs_in(&format!("user{number}"), "wrong").await.status);
    let answers = futures_util::future::join_all(guesses).await;
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 4, "{answers:?}");
}

/// Seconds until `browser` is signed in that comes back each time as it is told, with the right password. Meanwhile
/// `flood` goes on.
async fn gets_in(idp: &Idp, browser: &mut Browser, mut flood: impl AsyncFnMut()) -> u64 {
    let mut waited = 0;
    while waited < 60 {
        flood().await;
        let answer = browser.signs_in("demo", "DemoTest2024!").await;
        if answer.status == 200 {
            assert!(browser.page.contains("/consent/"), "{}", browser.page);
            return waited;
        }
        assert_eq!(answer.status, 429);
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        for _ in 0..wait {
            idp.passes(1);
            flood().await;
        }
        waited += wait;
    }
    panic!("locked out");
}

#[actix_web::test]
async fn i10_one_visitor_cannot_lock_out_the_class() {
    let idp = Idp::start();
    let mut known = at_login(&idp).await;
    known.signs_in("demo", "DemoTest2024!").await;
    known.opens(&AuthorizationRequest::new()).await;
    let mut cookies = Vec::new();
    for _ in 0..12 {
        cookies.push(at_login(&idp).await);
    }
    let mut number = 0;
    // A dozen cookies, one user; and names that nobody has.
    let mut flood = async || {
        for browser in &mut cookies {
            number += 1;
            browser.signs_in("demo", "wrong").await;
            browser.signs_in(&format!("made up {number}"), "wrong").await;
        }
    };
    flood().await;
    let waited = gets_in(&idp, &mut at_login(&idp).await, &mut flood).await;
    assert!((1..=10).contains(&waited), "{waited}");
    assert_eq!(gets_in(&idp, &mut known, &mut flood).await, 0, "this browser has been here before");
}
