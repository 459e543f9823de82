//! The way through, and the ways out of it.

use e2e::{
    learner::{ALLOW, Learner, SIGN_IN},
    pair::Pair,
};

#[actix_web::test]
async fn a_learner_logs_in_in_ten_steps() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.is_signed_out().await;
    assert_eq!(learner.counts(".ribbon").await, 0);

    learner.clicks_login().await;
    learner.sees("Sign in at the Identity Provider").await;
    assert_eq!(learner.ribbon().await, ["done", "done", "Step 3/10 Login page Front channel"]);

    learner.signs_in().await;
    learner.sees("asks for these permissions").await;
    assert_eq!(learner.ribbon().await, ["done", "done", "done", "done", "Step 5/10 Consent Front channel"]);

    learner.allows().await;
    learner.is_welcomed().await;
    learner.is_at(&format!("{}/", pair.home)).await;
    let done = ["done"; 9].into_iter().chain(["Step 10/10 Login complete"]);
    assert!(learner.ribbon().await.into_iter().eq(done));

    let visited = learner.visited().await;
    let path = |address: &url::Url| address.path().split('/').nth(1).map(str::to_owned);
    let way: Vec<String> = visited.iter().filter_map(path).collect();
    assert_eq!(way, ["", "login", "oauth", "login", "login", "consent", "consent", "auth", ""]);
    assert_eq!(pair.token_calls(), 1);
}

#[actix_web::test]
async fn the_home_page_says_which_claim_came_from_where_and_which_was_checked() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    for (claim, source, verdict) in [
        ("iss", "ID token", "passed"),
        ("sub", "ID token and userinfo", "passed"),
        ("aud", "ID token", "passed"),
        ("exp", "ID token", "passed"),
        ("nonce", "ID token", "passed"),
        ("at_hash", "ID token", "passed"),
        ("auth_time", "ID token", "not applicable"),
        ("amr", "ID token", "not applicable"),
        ("name", "userinfo", "not applicable"),
        ("email", "userinfo", "not applicable"),
    ] {
        let row = format!("//tr[th/code = '{claim}']");
        assert_eq!(learner.reads_path(&format!("{row}/td[2]")).await, source, "{claim}");
        assert_eq!(learner.reads_path(&format!("{row}/td[3]")).await, verdict, "{claim}");
    }
    learner.follows("Checks made in this login").await;
    learner.sees("fits the access token").await;
}

#[actix_web::test]
async fn a_wrong_password_is_named_and_the_right_one_then_works() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.signs_in_as("demo", "guess").await;
    learner.sees("The user name or the password is wrong.").await;
    assert_eq!(learner.reads_field("#username").await, "demo");
    assert_eq!(learner.reads_field("#password").await, "");

    learner.types("#password", "DemoTest2024!").await;
    learner.clicks(SIGN_IN).await;
    learner.finds(ALLOW).await;
    learner.allows().await;
    learner.is_welcomed().await;
}

#[actix_web::test]
async fn who_cancels_is_told_so_once_and_is_not_signed_in() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.cancels().await;
    learner.is_signed_out().await;
    learner.is_at(&format!("{}/", pair.home)).await;
    assert_eq!(learner.reads("[role=alert] code").await, "access_denied");
    assert_eq!(pair.token_calls(), 0);

    learner.reloads().await;
    learner.is_signed_out().await;
    assert_eq!(learner.counts("[role=alert]").await, 0);
}

#[actix_web::test]
async fn what_is_not_allowed_is_not_told() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.clicks("input[value=email]").await;
    learner.allows().await;
    learner.is_welcomed().await;
    learner.sees_no("1@example.com").await;
}
