//! What holds for every address.

use crate::{
    browser::{Answer, http},
    provider::FakeProvider,
    world::World,
};

async fn asked_as(world: &World, host: &str, target: &str) -> Answer {
    let url = format!("http://{}{target}", world.listens_at());
    Answer::of(http().get(url).header("host", host)).await
}

#[actix_web::test]
async fn r17_a_foreign_host_is_not_served() {
    let world = World::start();
    let port = world.listens_at().port();
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1:1"] {
        asked_as(&world, host, "/").await.is_problem(421, "misdirected");
    }
}

#[actix_web::test]
async fn r17_localhost_leads_to_the_one_address() {
    let world = World::start();
    let host = format!("localhost:{}", world.listens_at().port());
    let answer = asked_as(&world, &host, "/login?next=/x").await;
    assert!(answer.leads_to(&format!("{}/login?next=/x", world.origin)), "{answer:?}");
    assert!(world.provider.calls("/.well-known/openid-configuration").is_empty());
}

#[actix_web::test]
async fn r17_forwarding_headers_change_nothing() {
    let world = World::start();
    let request = http()
        .get(format!("{}/login", world.origin))
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "https")
        .header("forwarded", "host=evil.example;proto=https");
    let answer = Answer::of(request).await;
    let location = answer.location();
    let redirect_uri = location.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap();
    assert_eq!(redirect_uri.1, format!("{}/auth", world.origin));
}

#[actix_web::test]
async fn pages_cannot_be_framed_cached_or_made_to_run_scripts() {
    let world = World::start();
    for target in ["/", "/auth", "/logout/done", "/nowhere"] {
        let answer = world.browser().opens(target).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[actix_web::test]
async fn every_page_can_be_had_in_both_languages() {
    let world = World::start();
    for (lang, tag) in [("ja", r#"<html lang="ja">"#), ("en", r#"<html lang="en">"#)] {
        for page in ["/", "/auth", "/logout/done", "/nowhere"] {
            let answer = world.browser().opens(&format!("{page}?lang={lang}")).await;
            assert!(answer.text.contains(tag), "{page} {lang}: {}", answer.text);
        }
    }
}

#[actix_web::test]
async fn an_unknown_address_or_method_has_its_page() {
    let world = World::start();
    let mut browser = world.browser();
    browser.opens("/nowhere").await.is_problem(404, "not_found");
    for target in ["/", "/login", "/auth/back_x", "/logout/done"] {
        let answer = browser.submits(target, &[]).await;
        answer.is_problem(405, "method_not_allowed");
    }
}

#[actix_web::test]
async fn below_a_path_everything_lies_below_it() {
    let world = World::start_with(&["--base-url", "https://apps.example/rp"]);
    let get = |target: &'static str| asked_as(&world, "apps.example", target);
    assert_eq!(get("/rp/").await.status, 200);
    get("/").await.is_problem(404, "not_found");
    let answer = get("/rp/login").await;
    let location = answer.location();
    assert!(location.as_str().contains("redirect_uri=https%3A%2F%2Fapps.example%2Frp%2Fauth"));
    assert!(get("/rp/logout").await.leads_to("/rp/"));
    assert!(get("/rp/profile").await.leads_to("/rp/login?next=/rp/profile"));
}

#[actix_web::test]
async fn r3_an_issuer_with_a_slash_is_another_issuer() {
    let provider = FakeProvider::start();
    let with_slash = format!("{}/", provider.issuer);
    let world = World::start_at(provider, &with_slash, &[]);
    let answer = world.browser().opens("/login").await;
    answer.is_problem(502, "discovery_invalid");
    world.provider.describes_itself(|document| document["issuer"] = with_slash.clone().into());
    assert_eq!(world.browser().opens("/login").await.status, 303);
}
