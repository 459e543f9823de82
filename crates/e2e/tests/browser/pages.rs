//! What must hold of every page.

use e2e::{chrome::Profile, learner::Learner, pair::Pair, tour::tour};

async fn every_page_is_sound(language: &'static str) {
    let mut pair = Pair::start();
    let learner = Learner::with(&pair, Profile { language, ..Profile::default() }).await;
    let (mut seen, mut too_wide) = (0, Vec::new());
    tour(&mut pair, &learner, async |page| {
        // Refused styles and scripts, script errors, missing files: the browser would name them.
        assert_eq!(learner.complaints().await, [""; 0], "{page}");
        for width in [390, 320] {
            learner.widens_to(width).await;
            let beyond = learner.overflow().await;
            if beyond > 0 {
                let what = learner.sticks_out().await;
                too_wide.push(format!("{page} is {beyond} pixels wider than {width}: {what}"));
            }
        }
        learner.widens_to(1280).await;
        assert_eq!(learner.counts(&format!("html[lang={language}]")).await, 1, "{page}");
        assert_eq!(learner.counts("h1").await, 1, "{page}");
        seen += 1;
    })
    .await;
    assert!(seen > 60, "{seen}");
    assert_eq!(too_wide, [""; 0]);
    // A complaint would be heard.
    learner.opens_home().await;
    learner.evaluates("document.body.setAttribute('style', 'color: red')", Vec::new()).await;
    assert!(learner.complaints().await.concat().contains("Content Security Policy"));
}

#[actix_web::test]
async fn every_page_fits_a_phone_and_makes_no_browser_complain_in_english() {
    every_page_is_sound("en").await;
}

#[actix_web::test]
async fn every_page_fits_a_phone_and_makes_no_browser_complain_in_japanese() {
    every_page_is_sound("ja").await;
}

#[actix_web::test]
async fn r10_i7_cookies_are_kept_from_scripts_and_from_other_sites() {
    let pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.opens_home().await;
    learner.clicks_login().await;
    let at_login = learner.cookies().await;
    learner.signs_in().await;
    let before = learner.cookies().await;
    learner.allows().await;
    learner.is_welcomed().await;
    let after = learner.cookies().await;
    for cookie in at_login.iter().chain(&before).chain(&after) {
        assert_eq!(cookie["httpOnly"], true, "{cookie}");
        assert_eq!(cookie["sameSite"], "Lax", "{cookie}");
        // On http a browser would not send it back.
        assert_eq!(cookie["secure"], false, "{cookie}");
    }
    let names = |cookies: &[serde_json::Value]| {
        let mut names: Vec<String> =
            cookies.iter().map(|cookie| cookie["name"].as_str().unwrap_or_default().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&after), ["idp_browser", "idp_session", "rp_attempt_recent", "rp_session"]);
    assert_eq!(names(&before).len(), 4, "{before:?}");
    let script = "return [document.cookie, localStorage.length, sessionStorage.length]";
    assert_eq!(learner.evaluates(script, Vec::new()).await, serde_json::json!(["", 0, 0]));
}
