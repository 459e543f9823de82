//! What both servers record of a login, a cancelled one, and two that fail: one at each server.

mod recording;
mod steps;

use shared::flow::{Event, Exchange, Line, Party, Recorded, Rule, Step, Turn, Value, Verdict, Words};

use self::recording::Recording;

/// Tuesday 24 November 2026, 05:03:05 UTC.
pub const BEGAN: i64 = 1_795_496_585_000;

pub const STATE: &str = "P0ew4RkrQm2xKc6uBnvTzA1yS8dLgHf3WjXeIoVqNpM";
pub const NONCE: &str = "VhZfCiPG4A3CcXL0uBuin7jUhH1wFrFw";
pub const CHALLENGE: &str = "fSfFSgcIvSqIKp7vQPBr0iwsO4tLYpuGXmXB9vmImnA";
pub const VERIFIER: &str = "naWPsUjuX6DwmZqarESWw8F-EuxfIR-2dRXAHtPI6FM";
pub const CODE: &str = "code_EIklkkCKRbWyTd5ojcL9XSu1gjENYDag2AH6kYD4pi4";
/// Of what came of the login.
pub const REFRESH_TOKEN: &str =
    "rt_Q0u6V5mE2n4xZtB7nLw4Yd8rK2mPq5vXc1ZtB7nLw4Y.8rK2mPq5vXc1ZtB7nLw4Yd8rK2mPq5vXc1ZtB7nLw4Y";
pub const ACCESS_TOKEN: &str = "at_6W-Aw5FMcJ2vXq8sLrT4nYh0bKdPzEuGiOm1SjQwRxV";
pub const ID_TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InhlbTVra0JQVGxxb1BObjZrRHREd0E3VmRsS09zUTVrUF80dGlIOHpMbjAifQ",
    ".eyJpc3MiOiJodHRwOi8vMTI3LjAuMC4xOjUwMDEiLCJzdWIiOiIxIiwiYXVkIjoiY2xpZW50MSIsImV4cCI6MTc5NTUwMDI1MCwiaWF0Ijox",
    "Nzk1NDk2NjUwLCJhdXRoX3RpbWUiOjE3OTU0OTY2MDEsIm5vbmNlIjoiVmhaZkNpUEc0QTNDY1hMMHVCdWluN2pVaEgxd0ZyRnciLCJhbXIi",
    "OlsicHdkIl0sImF0X2hhc2giOiI4MDY3cVVWODZhQ0VCZXR6UjNpek9nIiwic2lkIjoiSm1sUEVMZm94OWlzNFkzM3E3RVN1QSJ9",
    ".NRwEfm-FbxsgFjue7rKDhHDYmVhkSoV8kQ7CC1VK6ablj-mP-J8mOx4QgG8pwyoXCSR_ob_d7cPWtmZsNzZRydkMCNx8H0VJML9XMlczpGF_",
    "_6rmR2TUwswOHeiO619kIYWO4ddhBTlmYukCdUUVBLtGmIN2UjYY8Xj1PrEYlj0gGmf2pnhJ-dfyYkCyTzfMEW8VT4C-SJrWIkmi3KnJ4FO3",
    "hT1IEwhPNh29q4Pc_0eUYaBhgaBfSwbGUgUc2t6MxYoN0_oNUiYJdlOzL0YAi4p5dY_uiUUbhlrg8uWWAgBn4km4TY-aNaXRgLalu7_zYOtj",
    "YbrlvyTBg0b3SVFrlw"
);

const RP: Party = Party::Rp;
const IDP: Party = Party::Idp;
const WEB: Party = Party::Browser;
pub const HANDLE: &str = "in_tGT0DBPQ7ywWmVxJ4uKcR9aLs2eFhZoNb6iXgYkTqUd";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");
const PAGE: [(&str, &str); 3] = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("referrer-policy", "same-origin"),
];

fn code() -> String {
    format!("code={CODE}&state={STATE}&iss=http%3A%2F%2F127.0.0.1%3A5001")
}

/// A login that succeeds.
pub fn login() -> Vec<Recorded> {
    let mut it = Recording::default();
    it.begin();
    it.decide("allow", &code());
    it.exchange(VERIFIER);
    it.finish(NONCE);
    it.events
}

/// A login whose tokens are renewed, shown to the API, asked about and given back; a second renewal is refused.
pub fn afterwards() -> Vec<Recorded> {
    let mut it = Recording::default();
    it.begin();
    it.decide("allow", &code());
    it.exchange(VERIFIER);
    it.finish(NONCE);
    let credentials = ("authorization", "Basic Y2xpZW50MTpjbGllbnQxLXNlY3JldA==");
    let line = |target: &str| Line::Request { method: "POST".into(), target: target.into() };
    let form = format!("grant_type=refresh_token&refresh_token={REFRESH_TOKEN}");
    it.direct(Exchange::Refresh, &line("/oauth/token"), &[credentials, FORM], &form, "renew");
    let (used, unused) = (Words::Used, Words::Unused);
    it.check(IDP, "refresh", Rule::RefreshTokenUnused, unused, used, Verdict::Failed);
    let body = r#"{"error":"invalid_grant","error_description":"The refresh token is used."}"#;
    it.direct(Exchange::Refresh, &Line::Status(400), &[JSON], body, "renew");
    let bearer = format!("Bearer {ACCESS_TOKEN}");
    let me = r#"{"client_id":"client1","sub":"1","scope":"openid profile email"}"#;
    it.fetch(Exchange::Api, "/api/me", &[("authorization", &bearer)], me, "call");
    let form = format!("token={ACCESS_TOKEN}");
    it.direct(Exchange::Introspect, &line("/oauth/introspect"), &[credentials, FORM], &form, "ask");
    let told = r#"{"active":true,"client_id":"client1","sub":"1","exp":1795500250}"#;
    it.direct(Exchange::Introspect, &Line::Status(200), &[JSON], told, "ask");
    let form = format!("token={REFRESH_TOKEN}&token_type_hint=refresh_token");
    it.direct(Exchange::Revoke, &line("/oauth/revoke"), &[credentials, FORM], &form, "give-back");
    it.lives(IDP, "revoke", Step::TokenResponse, &[(Value::RefreshToken, Turn::Destroyed)]);
    it.direct(Exchange::Revoke, &Line::Status(200), &[], "", "give-back");
    it.events
}

/// A login that brings a refresh token.
pub fn with_refresh_token() -> Vec<Recorded> {
    let mut events = login();
    for it in &mut events {
        if let Event::Message(message) = &mut it.event
            && (message.exchange, message.status()) == (Exchange::Token, Some(200))
        {
            let token = format!(r#"{{"refresh_token":"{REFRESH_TOKEN}","#);
            message.body = message.body.replacen('{', &token, 1);
        }
    }
    events
}

/// The same; it is renewed twice, then the first token comes again, and the last one is given back.
pub fn family() -> Vec<Recorded> {
    let now = with_refresh_token().last().map_or(0, |it| it.at - BEGAN);
    let mut it = Recording { events: with_refresh_token(), now };
    let token = |n: u32| if n == 1 { REFRESH_TOKEN.to_owned() } else { format!("{REFRESH_TOKEN}{n}") };
    let credentials = ("authorization", "Basic Y2xpZW50MTpjbGllbnQxLXNlY3JldA==");
    let line = |target: &str| Line::Request { method: "POST".into(), target: target.into() };
    for n in [1, 2, 1] {
        it.after(4_000);
        let form = format!("grant_type=refresh_token&refresh_token={}", token(n));
        it.direct(Exchange::Refresh, &line("/oauth/token"), &[credentials, FORM], &form, "renew");
        if n == 1 && it.now > now + 8_000 {
            let (used, unused) = (Words::Used, Words::Unused);
            it.check(IDP, "refresh", Rule::RefreshTokenUnused, unused, used, Verdict::Failed);
            let body = r#"{"error":"invalid_grant","error_description":"The refresh token is used."}"#;
            it.direct(Exchange::Refresh, &Line::Status(400), &[JSON], body, "renew");
        } else {
            let next = token(n + 1);
            let body = format!(
                r#"{{"access_token":"{ACCESS_TOKEN}{n}","token_type":"Bearer","refresh_token":"{next}"}}"#
            );
            it.direct(Exchange::Refresh, &Line::Status(200), &[JSON], &body, "renew");
        }
    }
    let form = format!("token={}&token_type_hint=refresh_token", token(3));
    it.direct(Exchange::Revoke, &line("/oauth/revoke"), &[credentials, FORM], &form, "give-back");
    it.direct(Exchange::Revoke, &Line::Status(200), &[], "", "give-back");
    it.events
}

/// A login at step 8, before the IdP has answered.
pub fn under_way() -> Vec<Recorded> {
    let mut it = Recording::default();
    it.begin();
    it.decide("allow", &code());
    it.exchange(VERIFIER);
    it.passed(IDP, "token", Rule::VerifierMeetsChallenge, CHALLENGE);
    it.events
}

/// A login that the user cancels.
pub fn cancelled() -> Vec<Recorded> {
    let mut it = Recording::default();
    it.begin();
    let query = format!("error=access_denied&state={STATE}&iss=http%3A%2F%2F127.0.0.1%3A5001");
    it.decide("deny", &query);
    it.answer(RP, Exchange::Callback, 303, &[("location", "/")], "");
    it.events
}

/// A login whose ID token was made for another one.
pub fn used_again() -> Vec<Recorded> {
    let mut it = Recording::default();
    it.begin();
    it.decide("allow", &code());
    it.exchange(VERIFIER);
    it.finish("8rK2mPq5vXc1ZtB7nLw4Yd");
    it.events
}

/// A login whose code was stolen: the thief does not know the verifier.
pub fn stolen() -> Vec<Recorded> {
    let mut it = Recording::default();
    it.begin();
    it.decide("allow", &code());
    it.exchange("a-verifier-that-somebody-made-up-who-has-the-code");
    let wrong = "x1mPq5vXc1ZtB7nLw4Yd8rK2mPq5vXc1ZtB7nLw4Yd8";
    it.check(IDP, "token", Rule::VerifierMeetsChallenge, CHALLENGE, wrong, Verdict::Failed);
    let body = r#"{"error":"invalid_grant","error_description":"the code_verifier does not fit"}"#;
    it.direct(Exchange::Token, &Line::Status(400), &[JSON], body, "callback");
    it.answer(RP, Exchange::Callback, 502, &PAGE, "<!doctype html>\n<title>ログインできませんでした</title>");
    it.events
}

/// A logout from both.
pub fn logout() -> Vec<Recorded> {
    let mut it = Recording::default();
    it.ask(RP, Exchange::Logout, "POST", "/logout", &[FORM], "csrf=k0Zb3F4cWq");
    let hint = format!(
        "id_token_hint={ID_TOKEN}&client_id=client1&post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%3A5002%2Flogout%2Fdone&state=Vb5kQ1sX&ui_locales=ja"
    );
    it.answer(
        RP,
        Exchange::Logout,
        303,
        &[("location", &format!("http://127.0.0.1:5001/oauth/logout?{hint}"))],
        "",
    );
    it.ask(IDP, Exchange::EndSession, "GET", &format!("/oauth/logout?{hint}"), &[], "");
    it.passed(IDP, "end_session", Rule::LogoutClientSame, "client1");
    it.passed(IDP, "end_session", Rule::PostLogoutRedirectUriRegistered, "http://127.0.0.1:5002/logout/done");
    let done = "/logout/done?state=Vb5kQ1sX";
    it.answer(IDP, Exchange::EndSession, 303, &[("location", &format!("http://127.0.0.1:5002{done}"))], "");
    it.ask(RP, Exchange::LogoutDone, "GET", done, &[], "");
    let under_way = Words::LogoutUnderWay;
    it.check(RP, "logout_done", Rule::LogoutState, under_way, under_way, Verdict::Passed);
    it.answer(RP, Exchange::LogoutDone, 303, &[("location", "/")], "");
    it.events
}

/// A thousand events: somebody who types many wrong passwords.
pub fn many() -> Vec<Recorded> {
    let mut it = Recording::default();
    it.begin();
    while it.events.len() < 1000 {
        let form = "csrf=4r9ivCSgkB1xV0tNq7mE&username=demo&password=[not-recorded]";
        it.ask(IDP, Exchange::Password, "POST", &format!("/login/{HANDLE}"), &[FORM], form);
        let (right, wrong) = (Words::CorrectPassword, Words::WrongPassword);
        it.check(IDP, "password", Rule::PasswordCorrect, right, wrong, Verdict::Failed);
        it.answer(IDP, Exchange::Password, 200, &PAGE, &"<p>もう一度</p>\n".repeat(200));
    }
    it.events
}
