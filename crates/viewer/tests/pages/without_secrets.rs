//! What is saved without secrets.

use shared::flow::{Check, Event, Exchange, Line, Message, Party, Recorded, Rule, Verdict};
use viewer::view::{CONCEALED, concealed};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

fn message(target: &str, headers: &[(&str, &str)], body: &str) -> Recorded {
    let event = Event::Message(Message {
        exchange: Exchange::Token,
        from: Party::Rp,
        to: Party::Idp,
        line: Line::Request { method: "POST".into(), target: target.into() },
        headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        body: body.into(),
        cut: 0,
        span: "s".into(),
    });
    Recorded { by: Party::Rp, at: 1, within: "w".into(), event }
}

/// Target, headers and body of what is left of one message.
fn left(target: &str, headers: &[(&str, &str)], body: &str) -> (String, String, String) {
    let events = concealed(&[message(target, headers, body)]);
    let Event::Message(Message { line: Line::Request { target, .. }, headers, body, .. }) =
        events[0].event.clone()
    else {
        unreachable!()
    };
    (target, headers.last().map(|(_, value)| value.clone()).unwrap_or_default(), body)
}

#[test]
fn a_secret_is_known_by_its_name_however_it_is_written() {
    for query in
        ["code=%63ode_SECRET", "c%6Fde=a%2fSECRET", "Code=SECRET", "code=%zzSECRET", "x=1#code=SECRET"]
    {
        let (target, ..) = left(&format!("/auth?state=S&{query}&iss=i"), &[], "");
        assert!(!target.contains("SECRET") && target.contains(CONCEALED), "{target}");
        assert!(target.contains('='), "its name stays: {target}");
    }
    assert_eq!(
        left("/auth?state=S&code=c&iss=http%3A%2F%2Fi", &[], "").0,
        "/auth?state=S&code=[redacted]&iss=http%3A%2F%2Fi"
    );
}

#[test]
fn a_secret_is_found_in_headers_and_in_paths() {
    let headers = [
        ("referer", "http://rp/x?access_token=SECRET"),
        ("location", "http://rp/cb#access_token=SECRET&state=x"),
        ("authorization", "Bearer SECRET"),
        ("authorization", "SECRET"),
        ("authorization", "Digest SECRET SECRET"),
        ("cookie", "idp_session=SECRET; lang=ja"),
        ("cookie", "SECRET"),
        ("set-cookie", "idp_session=SECRET; HttpOnly"),
    ];
    for header in headers {
        let (_, value, _) = left("/", &[header], "");
        assert!(!value.contains("SECRET") && value.contains(CONCEALED), "{value}");
    }
    for path in ["/login/in_SECRET", "/login/in%5FSECRET?lang=ja", "/%zzSECRET"] {
        let (target, ..) = left(path, &[], "");
        assert!(!target.contains("SECRET") && target.starts_with('/'), "{target}");
    }
    assert_eq!(left("/", &[("cookie", "a=[not-recorded]; lang=ja")], "").1, "a=[not-recorded]; lang=ja");
}

#[test]
fn members_of_json_lose_their_secrets_and_keep_their_order() {
    let json =
        r#"{"token_type":"Bearer","access_token":"a\/SECRET","more":[{"code":12345678}],"expires_in":60}"#;
    assert_eq!(
        left("/", &[JSON], json).2,
        r#"{"token_type":"Bearer","access_token":"[redacted]","more":[{"code":"[redacted]"}],"expires_in":60}"#
    );
}

#[test]
fn what_cannot_be_read_is_left_out() {
    let bodies = [
        (JSON, r#"{"access_token":"SECRET","n":1e999}"#),
        (JSON, r#"{"access_token":"SECRET","n":"\ud800"}"#),
        (JSON, r#"{"access_token":"SECRET"#),
        (JSON, r#"["SECRET"]"#),
        (FORM, r#"{"client_secret":"SECRET"}"#),
        (FORM, r#"{"client_secret":"SECRET="}"#),
        (("content-type", "text/plain"), "client_secret=SECRET"),
        (("content-type", "text/html"), r#"<input name=csrf value="SECRET">"#),
        (("accept", "*/*"), "client_secret=SECRET"),
    ];
    for (header, body) in bodies {
        assert_eq!(left("/", &[header], body).2, CONCEALED, "{body}");
    }
    let page = concealed(&[message("/", &[("content-type", "text/html")], "<p>hello")]);
    assert!(matches!(&page[0].event, Event::Message(page) if page.cut == 8));
}

#[test]
fn a_value_that_was_named_once_is_left_out_everywhere() {
    let check = Event::Check(Check {
        rule: Rule::CodeKnown,
        expected: "of no secret".into(),
        actual: "it was code_SECRET/1".into(),
        verdict: Verdict::Failed,
    });
    let events = [
        message("/auth?code=code_SECRET/1&password=[not-recorded]", &[("x-a", "code_SECRET%2F1")], ""),
        message(
            "/auth?next=%2f%63ode_SECRET%2f1&code_SECRET%2f1=x",
            &[JSON],
            r#"{"x":{"code_SECRET\/1":"code_SECRET\/1"}}"#,
        ),
        Recorded { by: Party::Idp, at: 1, within: "w".into(), event: check },
    ];
    let after = serde_json::to_string(&concealed(&events)).unwrap_or_default();
    assert!(!after.contains("SECRET"), "{after}");
    assert!(after.contains("of no secret") && after.contains("it was [redacted]"), "{after}");
    assert!(after.contains("next=[redacted]") && after.contains("password=[not-recorded]"), "{after}");
}

#[test]
fn a_short_secret_leaves_other_words_alone() {
    assert_eq!(left("/auth?[not-recorded]&a=b", &[], "").0, "/auth?[not-recorded]&a=b");
    assert_eq!(left("/auth?code=e&x=eee", &[], "").0, "/auth?code=[redacted]&x=eee");
}

#[test]
fn what_was_left_out_once_stays_as_it_is() {
    let once = concealed(&[
        message("/auth?code=code_1234&x=code_1234", &[("content-type", "text/html")], "<p>hello"),
        message("/", &[FORM, ("authorization", "Bearer at_123456")], "id_token=e30.e30.c2ln"),
    ]);
    assert!(serde_json::to_string(&once).unwrap_or_default().contains("e30.e30.[redacted]"));
    assert_eq!(concealed(&once), once);
}

#[test]
fn nothing_grows_without_measure() {
    let many = |pair: &dyn Fn(usize) -> String| (0..1_500).map(pair).collect::<String>();
    let hostile = [
        format!("state=S&{}x={}", many(&|_| "code=[&code=r&code=e&".into()), "e".repeat(28_000)),
        many(&|at| format!("code=redacted{at}&x=redacted{at}&")),
        many(&|at| format!("code={}&", "[redacted]".repeat(at % 9))),
        many(&|at| format!("code={at:0100}&")),
        "b&".repeat(14_000),
        "%&".repeat(14_000),
    ];
    for query in hostile {
        let headers = [FORM, ("cookie", &query.replace('&', ";")), ("referer", &format!("/?{query}"))];
        let events = [message(&format!("/auth?{query}"), &headers, &query)];
        let before = serde_json::to_string(&events).unwrap_or_default().len();
        let after = serde_json::to_string(&concealed(&events)).unwrap_or_default().len();
        assert!(after < 6 * before, "{before} became {after}: {}", &query[..40]);
    }
}
