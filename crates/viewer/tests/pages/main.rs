//! The viewer's pages as a visitor sees them, made of recorded events by the real templates, in both languages.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unreachable_pub, reason = "a test has no public interface")]

mod afterwards;
mod family;
mod hostile;
mod sample;
mod without_secrets;

use std::{fs, path::Path, time::Instant};

use actix_web::{body::MessageBody as _, http::StatusCode, test::TestRequest};
use serde::Serialize;
use shared::flow::{Event, Party, Recorded, Story};
use viewer::view::{
    FlowFacts, ListFacts, Listed, OtherHalf, Show, compare_page, concealed, flow_page, glossary_page,
    list_page, saved_page,
};
use web::{
    origin::Origin,
    pages::{House, Kind, Pages},
};

const PATIENCE: i64 = 600_000;

fn rendered(lang: &str, template: &str, page: &impl Serialize) -> String {
    let pages = Pages::load(House::Rp, Origin::parse("http://127.0.0.1:5002", false).unwrap()).unwrap();
    rendered_by(&pages, lang, template, page)
}

fn rendered_by(pages: &Pages, lang: &str, template: &str, page: &impl Serialize) -> String {
    let request = TestRequest::with_uri(&format!("/flows/x?lang={lang}")).to_http_request();
    let answer = pages.respond(&request, StatusCode::OK, Kind::Plain, template, None, page);
    let answer = answer.unwrap();
    String::from_utf8(answer.into_body().try_into_bytes().unwrap().to_vec()).unwrap()
}

const fn facts(number: u32, now: i64) -> FlowFacts<'static> {
    FlowFacts {
        id: "fl_x",
        number,
        rp: "127.0.0.1:5002",
        idp: "127.0.0.1:5001",
        now,
        live: true,
        other_half: OtherHalf::Seen,
        base: "",
    }
}

fn flow(lang: &str, events: &[Recorded]) -> String {
    let now = sample::BEGAN + 66_000;
    rendered(lang, "viewer/flow.html", &flow_page(&Story::tell(events, now, PATIENCE), &facts(8, now)))
}

/// The article of one place.
fn article<'a>(html: &'a str, id: &str) -> &'a str {
    let (_, rest) = html.split_once(&format!(r#"id="{id}" data-part"#)).unwrap();
    rest.split_once("</article>").unwrap().0
}

fn row<'a>(html: &'a str, name: &str) -> &'a str {
    let (_, rest) = html.split_once(&format!(r#"<th scope="row"><code>{name}</code>"#)).unwrap();
    rest.split_once("</tr>").unwrap().0
}

#[test]
fn every_place_of_a_login_is_a_link_to_what_happened_there() {
    for lang in ["ja", "en"] {
        let html = flow(lang, &sample::login());
        for id in
            ["m1", "discovery", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "jwks", "m10", "userinfo"]
        {
            assert!(html.contains(&format!("href=\"#{id}\"")), "{id}");
            assert!(article(&html, id).contains("<h2"), "{id}");
        }
        assert_eq!(html.matches("aria-current=\"step\"").count(), 1);
        assert!(!html.contains("data-live"), "it is over");
    }
}

#[test]
fn a_flow_under_way_is_followed_and_says_where_it_is() {
    let html = flow("en", &sample::under_way());
    assert!(html.contains(r#"data-live="/flows/fl_x/live""#));
    assert!(html.contains(r#"<article class="detail rp current" id="m8""#));
    assert!(html.contains("Step 8 Exchange the code for tokens"), "the toolbar says it");
    assert!(article(&html, "m9").contains("This has not happened."));
}

#[test]
fn a_back_channel_message_is_shown_as_sent_and_as_received() {
    let html = flow("en", &sample::login());
    let exchange = article(&html, "m8");
    assert_eq!(exchange.matches("<figure").count(), 2);
    assert!(exchange.contains("not one byte differs"));
    assert_eq!(article(&html, "m2").matches("class=\"twins alone\"").count(), 3);
}

#[test]
fn a_parameter_says_who_made_it_and_who_checks_it() {
    let html = flow("en", &sample::login());
    let verifier = row(article(&html, "m8"), "code_verifier");
    assert!(verifier.contains("RFC 7636 §4.1") && verifier.contains("secret"), "{verifier}");
    let places: Vec<_> =
        verifier.split("badge ").skip(1).map(|rest| &rest[..rest.find('"').unwrap()]).collect();
    assert_eq!(places, ["rp", "idp"]);
    assert!(row(article(&html, "m2"), "redirect_uri").contains("registration"));
}

#[test]
fn the_token_is_taken_apart_where_it_arrives() {
    let html = flow("en", &sample::login());
    let arrival = article(&html, "m9");
    for part in sample::ID_TOKEN.split('.') {
        assert!(arrival.contains(part));
    }
    assert!(row(arrival, "exp").contains("2026-11-24T06:04:10.000Z"));
    assert!(arrival.contains("RSASSA-PKCS1-v1_5, SHA-256") && arrival.contains("256 bytes"));
    assert!(!article(&html, "m8").contains("jwt-1"));
}

#[test]
fn who_can_see_a_value_is_told_from_the_messages() {
    let html = flow("en", &sample::login());
    let sees = |id: &str, value: &str| -> Vec<bool> {
        let table = article(&html, id).split_once("table sight").unwrap().1;
        row(table, value).split("<td>").skip(1).map(|cell| !cell.contains("eye no")).collect()
    };
    // history, Referer, tap, RP, IdP
    assert_eq!(sees("m8", "code"), [false, false, true, true, true]);
    assert_eq!(sees("m8", "code_verifier"), [false, false, false, true, true]);
    assert_eq!(sees("m8", "client_secret"), [false, false, false, true, true]);
    assert_eq!(sees("m4", "password"), [false, false, true, false, true]);
    assert_eq!(sees("m9", "access_token"), [false, false, false, true, true]);
}

#[test]
fn what_is_left_out_of_a_saved_page_is_still_seen_by_the_same() {
    let events = concealed(&sample::login());
    let html = flow("en", &events);
    let table = article(&html, "m8").split_once("table sight").unwrap().1;
    let sees = |value: &str| row(table, value).matches("eye no").count();
    assert_eq!((sees("code"), sees("code_verifier")), (2, 3));
    assert!(!html.contains(sample::CODE));
    let (claims, signature) = sample::ID_TOKEN.rsplit_once('.').unwrap();
    let token = article(&html, "m9");
    assert!(token.contains(claims.split_once('.').unwrap().1) && row(token, "sub").contains('1'));
    assert!(!html.contains(signature));
}

/// A callback that is answered with a page keeps its code in the history.
#[test]
fn the_code_of_a_failed_login_stays_in_the_history() {
    let html = flow("en", &sample::stolen());
    let table = article(&html, "m8").split_once("table sight").unwrap().1;
    assert!(row(table, "code").split("<td>").nth(1).unwrap().contains("sees"));
}

#[test]
fn the_check_that_stopped_a_flow_stands_first_and_in_the_toolbar() {
    let html = flow("en", &sample::used_again());
    let toolbar = html.split_once("class=\"status\"").unwrap().1.split_once("</div>").unwrap().0;
    assert!(toolbar.contains("The nonce is the one made for this login"), "{toolbar}");
    let place = article(&html, "m10");
    assert!(place.find("check failed").unwrap() < place.find("class=\"twins").unwrap());
    assert!(place.contains("8rK2mPq5vXc1ZtB7nLw4Yd"));
}

#[test]
fn an_error_is_explained_where_it_was_sent() {
    let html = flow("en", &sample::stolen());
    let arrival = article(&html, "m9");
    assert!(arrival.contains("invalid_grant") && arrival.contains("<q>the code_verifier does not fit</q>"));
    assert!(article(&flow("en", &sample::cancelled()), "m6").contains("access_denied"));
}

#[test]
fn a_flow_that_is_the_idps_own_says_so() {
    let events: Vec<_> = sample::login().into_iter().filter(|it| it.by == Party::Idp).collect();
    let now = sample::BEGAN + 66_000;
    let facts = FlowFacts { other_half: OtherHalf::Own, ..facts(8, now) };
    let page = flow_page(&Story::tell(&events, now, PATIENCE), &facts);
    let html = rendered("en", "viewer/flow.html", &page);
    assert!(html.contains("This is what the IdP recorded."));
    assert!(article(&html, "m8").contains("The other side’s record of this message is not here."));
    assert!(article(&html, "m10").contains("whose records are not here"));
}

#[test]
fn the_list_has_the_newest_first_and_can_be_filtered() {
    let samples =
        [sample::login(), sample::cancelled(), sample::stolen(), sample::under_way(), sample::logout()];
    let now = sample::BEGAN + 66_000;
    let stories: Vec<_> = samples.iter().map(|events| Story::tell(events, now, PATIENCE)).collect();
    let ids = ["fl_1", "fl_2", "fl_3", "fl_4", "fl_5"];
    let flows: Vec<_> =
        stories.iter().zip(ids).zip(1..).map(|((story, id), number)| Listed { id, number, story }).collect();
    let list = |show| {
        let facts = ListFacts { base: "", now, show, with: None };
        rendered("en", "viewer/list.html", &list_page(&flows, &facts))
    };
    let numbers = |html: &str| -> Vec<u32> {
        let rows = html.split(r#"<th scope="row"><a href="/flows/fl_"#).skip(1);
        rows.map(|row| row[..1].parse().unwrap()).collect()
    };
    assert_eq!(numbers(&list(Show::All)), [5, 4, 3, 2, 1]);
    assert_eq!(numbers(&list(Show::Bad)), [3]);
    assert_eq!(numbers(&list(Show::Else)), [2]);
    assert_eq!(numbers(&list(Show::Ok)), [5, 1]);
    assert_eq!(numbers(&list(Show::find("running"))), [4]);
    assert!(list(Show::Bad).contains("invalid_grant") && list(Show::All).contains("access_denied"));
}

#[test]
fn two_flows_are_compared_up_to_their_first_difference() {
    let (good, bad) = (sample::login(), sample::stolen());
    let now = sample::BEGAN + 66_000;
    let (a, b) = (Story::tell(&good, now, PATIENCE), Story::tell(&bad, now, PATIENCE));
    let html =
        rendered("en", "viewer/compare.html", &compare_page((&a, &facts(7, now)), (&b, &facts(8, now))));
    assert!(html.contains("The first difference: Exchange the code for tokens."), "{html}");
    // Of a step that one of them never came to, that is all there is to say.
    let (_, last) = html.split_once("Validate the ID token, start the session</th>").unwrap();
    let (last, _) = last.split_once("</tbody>").unwrap();
    assert!(last.contains("not reached") && last.matches("class=\"differs\"").count() == 1, "{last}");
    let same =
        rendered("ja", "viewer/compare.html", &compare_page((&a, &facts(7, now)), (&a, &facts(7, now))));
    assert!(!same.contains("id=\"first\""));
}

#[test]
fn cookies_are_of_the_browser_and_no_difference_of_a_flow() {
    let mut another = sample::login();
    for it in &mut another {
        if let Event::Message(message) = &mut it.event {
            message.headers.retain(|(name, _)| !matches!(name.as_str(), "cookie" | "set-cookie"));
        }
    }
    let (good, now) = (sample::login(), sample::BEGAN + 66_000);
    let (a, b) = (Story::tell(&good, now, PATIENCE), Story::tell(&another, now, PATIENCE));
    let html =
        rendered("en", "viewer/compare.html", &compare_page((&a, &facts(7, now)), (&b, &facts(8, now))));
    assert!(!html.contains("id=\"first\"") && html.contains("<code>set_cookie</code>"), "{html}");
}

#[test]
fn places_beside_the_steps_are_called_by_a_word() {
    let html = flow("en", &sample::login());
    let pager = article(&html, "m10").split_once("rel=\"prev\"").unwrap().1.split_once("</a>").unwrap().0;
    assert!(pager.contains("← Keys<") && !pager.contains("jwks"), "{pager}");
    assert!(article(&html, "m8").contains("← 7<"));
}

#[test]
fn who_uses_the_keyboard_sees_where_they_are() {
    let style = web::assets::stylesheet();
    assert!(!style.contains(".detail:focus {"), "the ring is taken away from those who need it, too");
}

#[test]
fn the_glossary_has_a_place_for_every_word_that_a_page_explains() {
    let html = rendered("en", "viewer/glossary.html", &glossary_page());
    let popovers = html.split("id=\"term-").skip(1).map(|rest| rest.split('"').next().unwrap());
    for id in popovers {
        assert!(html.contains(&format!("<div id=\"{id}\">")), "{id}");
        assert!(html.contains(&format!("href=\"/glossary#{id}\"")), "{id}");
    }
}

#[test]
fn what_is_saved_holds_no_secret() {
    let secrets = [
        sample::CODE,
        sample::VERIFIER,
        sample::ACCESS_TOKEN,
        sample::ID_TOKEN,
        "Y2xpZW50MTpjbGllbnQxLXNlY3JldA",
        "of-a-form-that-nobody-sent",
        sample::HANDLE,
    ];
    for events in [sample::login(), sample::stolen(), sample::logout()] {
        let before = serde_json::to_string(&events).unwrap();
        let after = serde_json::to_string(&concealed(&events)).unwrap();
        assert!(secrets.iter().any(|secret| before.contains(secret)));
        for secret in secrets {
            assert!(!after.contains(secret), "{secret}");
        }
        assert!(after.contains("client1") && after.contains("[redacted]"));
        // What is no secret stays as it was: the language in a cookie, and words in which its name stands.
        for kept in ["lang=ja", "/oauth/token", "client1"].iter().filter(|kept| before.contains(**kept)) {
            assert!(after.contains(kept), "{kept}");
        }
    }
}

#[test]
fn a_thousand_events_are_a_page_in_well_under_a_second() {
    let events = sample::many();
    let pages = Pages::load(House::Rp, Origin::parse("http://127.0.0.1:5002", false).unwrap()).unwrap();
    let now = sample::BEGAN + 66_000;
    let before = Instant::now();
    let story = Story::tell(&events, now, PATIENCE);
    let html = rendered_by(&pages, "en", "viewer/flow.html", &flow_page(&story, &facts(8, now)));
    let took = before.elapsed();
    println!("{} events, {} bytes, {took:?}", events.len(), html.len());
    // Without optimisation it takes several times as long.
    let limit = if cfg!(debug_assertions) { 5_000 } else { 700 };
    assert!(took.as_millis() < limit, "{took:?}");
}

/// Writes every page into the folder that `VIEWER_PICTURES` names, with the real stylesheet, to be looked at.
#[test]
fn every_page_can_be_drawn() {
    let now = sample::BEGAN + 66_000;
    let folder = std::env::var("VIEWER_PICTURES").ok();
    let write = |name: &str, html: &str| {
        assert!(html.contains("</html>"), "{name}");
        assert!(!html.contains("style=\"") && !html.contains("onclick"), "{name}: nothing inline");
        if let Some(folder) = &folder {
            let html = html.replace("/assets/", "assets/");
            fs::write(Path::new(folder).join(name), html).unwrap();
        }
    };
    if let Some(folder) = &folder {
        let assets = Path::new(folder).join("assets");
        fs::create_dir_all(&assets).unwrap();
        for asset in ["style.css", "app.js", "viewer.js", "favicon.svg"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets").join(asset);
            fs::copy(from, assets.join(asset)).unwrap();
        }
    }
    let samples = [
        ("login", sample::login()),
        ("running", sample::under_way()),
        ("cancelled", sample::cancelled()),
        ("nonce", sample::used_again()),
        ("stolen", sample::stolen()),
        ("logout", sample::logout()),
        ("family", sample::family()),
    ];
    let stories: Vec<_> = samples.iter().map(|(_, events)| Story::tell(events, now, PATIENCE)).collect();
    let half: Vec<_> = sample::login().into_iter().filter(|it| it.by == Party::Idp).collect();
    let half = Story::tell(&half, now, PATIENCE);
    for lang in ["ja", "en"] {
        for ((name, _), story) in samples.iter().zip(&stories) {
            write(
                &format!("flow-{name}-{lang}.html"),
                &rendered(lang, "viewer/flow.html", &flow_page(story, &facts(8, now))),
            );
        }
        let facts_of_half = FlowFacts { other_half: OtherHalf::Own, ..facts(8, now) };
        write(
            &format!("flow-half-{lang}.html"),
            &rendered(lang, "viewer/flow.html", &flow_page(&half, &facts_of_half)),
        );
        let listed = |(number, story)| Listed { id: "fl_x", number, story };
        let flows: Vec<_> = (1..).zip(&stories).map(listed).collect();
        for (name, with) in [("list", None), ("list-with", Some(("fl_8", 8)))] {
            let facts = ListFacts { base: "", now, show: Show::All, with };
            write(
                &format!("{name}-{lang}.html"),
                &rendered(lang, "viewer/list.html", &list_page(&flows, &facts)),
            );
        }
        let both = compare_page((&stories[0], &facts(7, now)), (&stories[4], &facts(8, now)));
        write(&format!("compare-{lang}.html"), &rendered(lang, "viewer/compare.html", &both));
        write(&format!("glossary-{lang}.html"), &rendered(lang, "viewer/glossary.html", &glossary_page()));
        let events = concealed(&samples[0].1);
        let story = Story::tell(&events, now, PATIENCE);
        let saved = saved_page(&story, &facts(8, now), false);
        let html = rendered(lang, "viewer/saved.html", &saved);
        assert!(html.contains(".bench {") && !html.contains(sample::CODE));
        write(&format!("saved-{lang}.html"), &html);
    }
}
