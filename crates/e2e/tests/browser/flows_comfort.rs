//! The flow viewer for everybody: without a mouse, without scripts.

use e2e::{
    chrome::Profile,
    learner::{Key, Learner},
    pair::Pair,
    viewing::LATEST,
};

#[actix_web::test]
async fn a_flow_is_read_without_a_mouse_and_the_focus_is_always_seen() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens(&format!("{}/flows", pair.home)).await;
    learner.tabs_to(LATEST).await;
    learner.presses(Key::Enter).await;
    learner.finds(".bench").await;
    learner.tabs_to(".entry a[href='#m1']").await;
    for place in ["m2", "m3"] {
        learner.presses(Key::Down).await;
        assert!(learner.is_on(&format!(".entry a[href='#{place}']")).await, "{place}");
        assert_eq!(learner.address().await.fragment(), Some(place));
    }
    learner.presses(Key::Up).await;
    assert!(learner.is_on(".entry a[href='#m2']").await);
    learner.sees("Send the request to the IdP").await;

    learner.presses(Key::Enter).await;
    assert!(learner.is_on("#m2").await);
    learner.presses(Key::Right).await;
    assert_eq!(learner.address().await.fragment(), Some("m3"));
    learner.sees("Show the login page").await;
    learner.presses(Key::Escape).await;
    assert!(learner.is_on(".entry a[href='#m3']").await);
}

#[actix_web::test]
async fn what_is_folded_is_unfolded_without_a_mouse() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.logs_in().await;
    learner.opens_the_latest_flow().await;
    learner.tabs_to(".entry a[href='#m1']").await;
    learner.presses(Key::Enter).await;
    assert!(learner.is_on("#m1").await);
    learner.sees_no("curl ").await;
    learner.tabs_to("#m1 details.more summary").await;
    learner.presses(Key::Enter).await;
    learner.sees("curl ").await;
}

#[actix_web::test]
async fn the_viewer_works_without_scripts() {
    let pair = Pair::start();
    let learner = Learner::with(&pair, Profile { scripts: false, ..Profile::default() }).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    learner.opens_its_flow().await;
    learner.sees("Under way").await;
    learner.sees("Step 3 Show the login page").await;
    let flow = learner.address().await;
    learner.goes_back().await;
    learner.signs_in().await;
    learner.allows().await;
    learner.is_welcomed().await;

    learner.opens(&format!("{flow}#m8")).await;
    learner.sees("Exchange the code for tokens").await;
    learner.sees("not one byte differs").await;
    learner.sees("Success").await;
    learner.sees_no("What the RP’s server sent").await;
    assert!(!learner.finds("#m7").await.is_displayed().await.unwrap());
    assert!(learner.finds("#m8").await.is_displayed().await.unwrap());
    learner.chooses("m9").await;
    learner.sees("Payload").await;
    assert!(!learner.finds("#m8").await.is_displayed().await.unwrap());
    learner.follows("Compare").await;
    learner.sees("Choose the flow to put beside #1.").await;
    learner.opens(&format!("{}/glossary", pair.home)).await;
    learner.sees("code_verifier").await;
}

#[actix_web::test]
async fn secrets_are_blurred_at_a_click_also_without_scripts() {
    let pair = Pair::start();
    for scripts in [true, false] {
        let learner = Learner::with(&pair, Profile { scripts, ..Profile::default() }).await;
        learner.logs_in().await;
        learner.opens_the_latest_flow().await;
        learner.chooses("m9").await;
        let blurred = async || learner.finds("#m9 .jwt .secret").await.css_value("filter").await.unwrap();
        assert_eq!(blurred().await, "none");
        learner.clicks("label:has(#blur)").await;
        assert!(blurred().await.starts_with("blur("));
    }
}
