//! The flow viewer while a login goes on.

use e2e::{learner::Learner, pair::Pair, wait::eventually};

#[actix_web::test]
async fn the_page_of_a_flow_follows_the_login_without_being_loaded_again() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.opens_a_window().await;
    learner.opens_the_latest_flow().await;
    learner.evaluates("window.isTheSame = true", Vec::new()).await;
    learner.sees("Step 3 Show the login page").await;

    learner.turns_to_tab(0).await;
    learner.signs_in().await;
    learner.turns_to_tab(1).await;
    learner.sees("Step 5 Decide on the consent page").await;
    // What was chosen stays chosen.
    learner.chooses("m8").await;
    learner.sees("This has not happened.").await;

    learner.turns_to_tab(0).await;
    learner.allows().await;
    learner.is_welcomed().await;
    learner.turns_to_tab(1).await;
    learner.sees("Success").await;
    learner.sees("not one byte differs").await;
    assert_eq!(learner.steps().await, ["done"; 10]);
    assert_eq!(learner.address().await.fragment(), Some("m8"));
    assert_eq!(learner.evaluates("return window.isTheSame", Vec::new()).await, true);
    assert_eq!(learner.complaints().await, [""; 0]);
}

#[actix_web::test]
async fn arrows_stand_in_the_order_of_the_flow_also_below_the_word_that_it_is_here() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.signs_in().await;
    learner.opens_the_latest_flow().await;
    learner.sees("Step 5 Decide on the consent page").await;
    // What comes second, the decision, nobody has recorded yet.
    let heights = "return [...document.querySelectorAll('.msg:has(> .here) > :is(.here, .hop)')]
        .map((it) => Math.round(it.getBoundingClientRect().top))";
    let heights = learner.evaluates(heights, Vec::new()).await;
    let heights: Vec<i64> =
        heights.as_array().unwrap().iter().filter_map(serde_json::Value::as_i64).collect();
    assert!(heights.len() == 3 && heights.is_sorted_by(|above, below| above < below), "{heights:?}");
}

#[actix_web::test]
async fn only_a_page_that_is_looked_at_holds_a_connection_and_only_until_the_flow_is_over() {
    let (pair, [_before_idp, before_rp]) = Pair::start_overheard().await;
    let held = async |count: usize| {
        eventually(format!("{count} connections for news"), async || {
            (before_rp.held_open("/live") == count).then_some(())
        })
        .await;
    };
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.opens_a_window().await;
    learner.opens_the_latest_flow().await;
    held(1).await;
    learner.hides_the_window(true).await;
    held(0).await;
    learner.turns_to_tab(0).await;
    learner.signs_in().await;
    assert_eq!(before_rp.held_open("/live"), 0);
    learner.turns_to_tab(1).await;
    learner.hides_the_window(false).await;
    held(1).await;
    // What happened meanwhile is there.
    learner.sees("Step 5 Decide on the consent page").await;
    learner.turns_to_tab(0).await;
    learner.allows().await;
    learner.is_welcomed().await;
    learner.turns_to_tab(1).await;
    learner.sees("Success").await;
    held(0).await;
    // A page of a flow that is over asks for none.
    let asked =
        || before_rp.heard().iter().filter(|(request, _)| request.target().ends_with("/live")).count();
    let before = asked();
    learner.reloads().await;
    learner.sees("Success").await;
    assert_eq!((asked(), before), (2, 2));
}
