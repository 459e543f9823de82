//! Step 7: what the authorization response says.

use crate::world::{Login, World, is_signed_in};

async fn refused_with(params: impl Fn(&World, &Login) -> Vec<(&'static str, String)>) {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let params = params(&world, &login);
    let params: Vec<_> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = world.returns(&mut browser, &params).await;
    answer.is_problem(400, "issuer_mismatch");
    answer.names_check("response_issuer");
    assert!(world.provider.calls("/token").is_empty());
    // The state is used up: the attacker's next try finds nothing.
    let good = world.returns_with_code(&mut browser, &login).await;
    good.is_problem(400, "issuer_mismatch");
    assert!(world.provider.calls("/token").is_empty());
}

#[actix_web::test]
async fn r3_an_answer_of_another_issuer_is_refused_before_the_token_call() {
    refused_with(|_, login| {
        vec![("code", "c".into()), ("state", login.state.clone()), ("iss", "https://evil.example".into())]
    })
    .await;
}

#[actix_web::test]
async fn r3_the_issuer_is_compared_character_by_character() {
    refused_with(|world, login| {
        vec![
            ("code", "c".into()),
            ("state", login.state.clone()),
            ("iss", format!("{}/", world.provider.issuer)),
        ]
    })
    .await;
}

#[actix_web::test]
async fn r3_a_missing_iss_is_refused_when_it_was_announced() {
    refused_with(|_, login| vec![("code", "c".into()), ("state", login.state.clone())]).await;
}

#[actix_web::test]
async fn r3_an_error_of_another_issuer_is_not_believed_either() {
    refused_with(|_, login| {
        vec![
            ("error", "access_denied".into()),
            ("state", login.state.clone()),
            ("iss", "https://evil.example".into()),
        ]
    })
    .await;
}

#[actix_web::test]
async fn r3_a_missing_iss_is_fine_when_it_was_not_announced() {
    let world = World::start();
    world.provider.describes_itself(|document| {
        let members = document.as_object_mut().unwrap();
        members.remove("authorization_response_iss_parameter_supported");
    });
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    world.provider.issues(&crate::keys::HONEST.token(&world.claims(&login)));
    let answer = world.returns(&mut browser, &[("code", "c"), ("state", &login.state)]).await;
    assert!(answer.leads_to("/"), "{answer:?}");
}

#[actix_web::test]
async fn r3_a_parameter_that_stands_twice_is_refused_before_the_token_call() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let issuer = world.provider.issuer.clone();
    for twice in ["iss", "state", "code", "made_up"] {
        let params =
            [("code", "c"), ("state", &*login.state), ("iss", &issuer), ("made_up", "x"), (twice, "again")];
        let answer = world.returns(&mut browser, &params).await;
        answer.is_problem(400, "malformed");
    }
    assert!(world.provider.calls("/token").is_empty());
    let good = world.returns_with_code(&mut browser, &login).await;
    assert!(good.leads_to("/"), "nothing was used up: {good:?}");
}

#[actix_web::test]
async fn an_unknown_parameter_is_ignored() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    world.provider.issues(&crate::keys::HONEST.token(&world.claims(&login)));
    let issuer = world.provider.issuer.clone();
    let params = [("code", "c"), ("state", &*login.state), ("iss", &issuer), ("session_state", "x")];
    assert!(world.returns(&mut browser, &params).await.leads_to("/"));
}

#[actix_web::test]
async fn an_answer_with_neither_code_nor_error_is_malformed() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let issuer = world.provider.issuer.clone();
    let params = [("code", ""), ("state", &*login.state), ("iss", &issuer)];
    let answer = world.returns(&mut browser, &params).await;
    answer.is_problem(400, "malformed");
    assert!(world.provider.calls("/token").is_empty());
}

#[actix_web::test]
async fn r12_an_error_of_the_provider_leads_home_and_is_shown_there_once() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let issuer = world.provider.issuer.clone();
    let params = [
        ("error", "access_denied"),
        ("error_description", "The user said no."),
        ("state", &*login.state),
        ("iss", &issuer),
    ];
    assert!(world.returns(&mut browser, &params).await.leads_to("/"));
    assert!(browser.attempt_cookies().is_empty());
    let home = browser.opens("/").await;
    assert!(home.text.contains(r#"role="alert""#) && home.says("oauth_error.access_denied"));
    assert!(!browser.opens("/").await.says("oauth_error.access_denied"));
    let again = world.returns(&mut browser, &params).await;
    again.is_problem(400, "state_reused");
    assert!(world.provider.calls("/token").is_empty());
}

#[actix_web::test]
async fn that_the_provider_must_ask_after_all_is_told_as_news_not_as_an_error() {
    let world = World::start();
    for code in ["login_required", "consent_required", "interaction_required", "account_selection_required"] {
        let mut browser = world.browser();
        let login = Login::sent_by(&browser.opens("/login?prompt=none").await);
        let issuer = world.provider.issuer.clone();
        let params = [("error", code), ("state", &*login.state), ("iss", &issuer)];
        assert!(world.returns(&mut browser, &params).await.leads_to("/"));
        let home = browser.opens("/").await;
        assert!(home.says("notice.interaction_needed"), "{}", home.text);
        assert!(
            home.says(&format!("oauth_error.{code}")) && home.text.contains(&format!("<code>{code}</code>"))
        );
        assert!(!home.text.contains(r#"role="alert""#));
        assert!(!browser.opens("/").await.says("notice.interaction_needed"), "once");
    }
}

#[actix_web::test]
async fn r13_nothing_that_a_stranger_writes_reaches_the_page() {
    let texts = ["<svg onload=alert(1)>", "{{7*7}}", "x\r\nSet-Cookie: evil=1", "a-code-of-somebody"];
    for text in texts {
        let world = World::start();
        let mut browser = world.browser();
        let login = world.begins(&mut browser).await;
        let issuer = world.provider.issuer.clone();
        let params = [
            ("error", text),
            ("error_description", text),
            ("error_uri", text),
            ("state", &*login.state),
            ("iss", &issuer),
        ];
        let answer = world.returns(&mut browser, &params).await;
        assert!(answer.leads_to("/"), "{answer:?}");
        assert!(!answer.set_cookies.iter().any(|cookie| cookie.starts_with("evil")));
        let home = browser.opens("/").await;
        assert!(home.says("oauth_error.unknown"), "{}", home.text);
        assert!(!home.text.contains(text), "{text:?}");
        assert!(!is_signed_in(&mut browser).await);
    }
}

#[actix_web::test]
async fn r13_values_on_an_error_page_are_escaped() {
    let world = World::start();
    let mut browser = world.browser();
    let login = world.begins(&mut browser).await;
    let evil = "https://evil.example/<svg onload=alert(1)>{{7*7}}";
    let params = [("code", "c"), ("state", &*login.state), ("iss", evil)];
    let answer = world.returns(&mut browser, &params).await;
    answer.is_problem(400, "issuer_mismatch");
    assert!(!answer.text.contains("<svg onload"), "{}", answer.text);
    assert!(answer.text.contains("&lt;svg onload") && answer.text.contains("{{7*7}}"));
}
