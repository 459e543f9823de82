//! What somebody who goes step by step expects to come of a message, and what does.

use shared::flow::{Event, Happened, Pause, Release, Verb};

use crate::pair::{PASSWORD, Pair};

#[actix_web::test]
async fn what_was_foretold_hides_no_error_of_the_provider() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::LoginPage).await;
    browser.sends().await;
    browser.submits(None, &PASSWORD).await;
    browser.submits(None, &[("decision", "deny")]).await;
    browser.goes_on_to(Pause::Callback).await;
    browser.lets_go(&[("do", "send"), ("guess", "rp_tells_the_error")]).await;
    assert!(
        browser.text.contains("access_denied") && browser.text.contains("as predicted"),
        "{}",
        browser.text
    );
}

#[actix_web::test]
async fn what_was_foretold_is_recorded_beside_what_happened() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::TokenRequest).await;
    browser.lets_go(&[("do", "send"), ("guess", "invalid_grant")]).await;
    assert!(browser.text.contains("not as predicted"), "{}", browser.text);
    browser.lets_go(&[("do", "send"), ("guess", "tokens_taken")]).await;
    assert!(browser.text.contains("as predicted") && !browser.text.contains("not as predicted"));
    browser.goes_on_to_the_end().await;
    let events = pair.latest().await;
    let foretold: Vec<_> = events
        .iter()
        .filter_map(|it| match &it.event {
            Event::Release(Release { pause, guess, .. }) => Some((*pause, guess.unwrap())),
            _ => None,
        })
        .collect();
    let expected =
        [(Pause::TokenRequest, Happened::InvalidGrant), (Pause::TokenResponse, Happened::TokensTaken)];
    assert_eq!(foretold, expected);
}

#[actix_web::test]
async fn the_flow_says_what_was_done_by_hand() {
    let forms: [(&[(&str, &str)], &str); 3] = [
        (&[("do", "send"), ("guess", "tokens_come")], "Predicted, and left as it was"),
        (&[("do", "drop")], "Dropped by hand"),
        (&[("do", "repeat")], "Sent twice by hand"),
    ];
    let headings = [forms.map(|(_, heading)| heading).as_slice(), &["Changed by hand"]].concat();
    for (form, heading) in forms {
        let pair = Pair::start();
        let mut browser = pair.is_held_at(Pause::TokenRequest).await;
        browser.lets_go(form).await;
        browser.opens(&format!("{}/flows/{}", pair.rp, pair.flows()[0].id)).await;
        let said: Vec<_> = headings.iter().filter(|it| browser.text.contains(**it)).collect();
        assert_eq!(said, [&heading], "{form:?}");
    }
}

#[actix_web::test]
async fn what_was_foretold_of_the_last_message_is_told_on_the_page_that_is_next() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::UserinfoResponse).await;
    browser.lets_go(&[("do", "send"), ("guess", "signed_in_with_claims")]).await;
    assert!(browser.is_greeted() && browser.text.contains("as predicted"), "{}", browser.text);
    assert!(pair.greets(&mut browser).await && !browser.text.contains("as predicted"), "it is told once");
    let mut browser = pair.is_held_at(Pause::Callback).await;
    let spoiled = browser.lines("params.raw").replacen("iss=http", "iss=https", 1);
    let form =
        [("do", "send"), ("params.as", "raw"), ("params.raw", &spoiled), ("guess", "rp_asks_for_tokens")];
    browser.lets_go(&form).await;
    assert!(
        browser.text.contains("HTTP 400") && browser.text.contains("not as predicted"),
        "{}",
        browser.text
    );
    assert!(browser.text.contains("The RP refuses"), "{}", browser.text);
    browser.opens(browser.page.clone().unwrap().as_str()).await;
    assert!(browser.text.contains("not as predicted"), "a reload says the same: {}", browser.text);
}

#[actix_web::test]
async fn what_comes_of_each_message_is_one_of_the_three_things_that_can_be_foretold() {
    let pair = Pair::start();
    pair.is_held_at(Pause::UserinfoResponse).await.goes_on().await;
    let events = pair.latest().await;
    let story = pair.tells(&events);
    for pause in Pause::LOGIN {
        let Some(outcomes) = pause.outcomes() else { continue };
        let came = story.came_of(pause).unwrap_or_else(|| panic!("{pause:?}"));
        assert_eq!(came.happened, outcomes[0], "{pause:?}: what happens when nothing is touched comes first");
        assert!(came.passed.is_some() || pause == Pause::UserinfoRequest, "{pause:?}");
        assert_eq!(came.decided, None, "{pause:?}: where all are passed no single one decides");
    }
}

#[actix_web::test]
async fn what_is_dropped_is_recorded_as_such() {
    let pair = Pair::start();
    let mut browser = pair.is_held_at(Pause::TokenRequest).await;
    browser.lets_go(&[("do", "drop"), ("guess", "no_tokens_otherwise")]).await;
    let events = pair.latest().await;
    let release = events.iter().find_map(|it| match &it.event {
        Event::Release(release) => Some(release.clone()),
        _ => None,
    });
    let guess = Some(Happened::NoTokensOtherwise);
    let expected = Release { pause: Pause::TokenRequest, verb: Verb::Dropped, changes: vec![], guess };
    assert_eq!(release, Some(expected));
    assert_eq!(pair.tells(&events).came_of(Pause::TokenRequest).map(|came| came.happened), guess);
}
