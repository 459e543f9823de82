//! The application registers itself, and the provider shows its users who asks.

use e2e::{
    learner::{ALLOW, Learner},
    pair::Pair,
};
use serde_json::json;

#[actix_web::test]
async fn the_application_registers_itself_logs_in_as_that_client_and_forgets_it() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.registers(&pair, "private_key_jwt").await;
    for words in ["HTTP 201", "registered itself", "jwks_uri", "registration_access_token"] {
        learner.sees(words).await;
    }
    learner.follows("Log in as this client").await;
    learner.signs_in().await;
    learner.finds(ALLOW).await;
    learner.sees("This app registered itself.").await;
    // The logo comes from the application, and from nowhere else.
    let logo =
        "const it = document.querySelector('img.logo'); return [it.complete && it.naturalWidth > 0, it.alt]";
    let shown = learner.evaluates(logo, Vec::new()).await;
    assert_eq!(shown, json!([true, "Logo of Registered App 自分で登録したアプリ"]));
    learner.allows().await;
    learner.is_welcomed().await;

    learner.opens(&format!("{}/registration", pair.home)).await;
    learner.follows("Read my registration").await;
    learner.sees("HTTP 200").await;
    learner.follows("Forget it").await;
    learner.sees("The registration is gone").await;
    learner.sees("from its settings").await;
}

#[actix_web::test]
async fn a_logo_that_does_not_come_moves_nothing() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.registers(&pair, "none").await;
    learner.opens_home().await;
    learner.clicks_login().await;
    let place =
        "const it = document.querySelector('img.logo').getBoundingClientRect(); return [it.width, it.height]";
    let before = learner.evaluates(place, Vec::new()).await;
    let away = "const it = document.querySelector('img.logo'); it.src = '/assets/no-such-logo.svg'; \
                return new Promise(done => it.onerror = () => done(true))";
    learner.evaluates(away, Vec::new()).await;
    assert_eq!(learner.evaluates(place, Vec::new()).await, before);
}
