//! What both servers record of a login, a cancelled one, and two that fail: one at each server.

use shared::flow::{
    Check, Event, Exchange, Life, Line, Message, Party, Recorded, Rule, Shown, Step, Turn, Value, Verdict,
    Words,
};

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

/// Events, in the order in which they happen.
#[derive(Default)]
pub struct Recording {
    pub events: Vec<Recorded>,
    now: i64,
}

impl Recording {
    fn after(&mut self, millis: i64) {
        self.now += millis;
    }

    fn note(&mut self, by: Party, within: &str, event: Event) {
        self.events.push(Recorded { by, at: BEGAN + self.now, within: within.to_owned(), event });
    }

    #[expect(clippy::too_many_arguments, reason = "a message has that many parts")]
    fn message(
        &mut self,
        by: Party,
        exchange: Exchange,
        (from, to): (Party, Party),
        line: Line,
        headers: &[(&str, &str)],
        body: &str,
        within: &str,
        span: &str,
    ) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (body, span) = (body.to_owned(), span.to_owned());
        self.note(
            by,
            within,
            Event::Message(Message { exchange, from, to, line, headers, body, cut: 0, span }),
        );
    }

    /// A request of the browser.
    fn ask(
        &mut self,
        to: Party,
        exchange: Exchange,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) {
        let host = if to == RP { "127.0.0.1:5002" } else { "127.0.0.1:5001" };
        let usual = [("host", host), ("accept", "text/html"), ("accept-language", "ja,en;q=0.7")];
        let line = Line::Request { method: method.to_owned(), target: target.to_owned() };
        let span = exchange.id();
        self.message(to, exchange, (WEB, to), line, &[&usual[..], headers].concat(), body, span, span);
    }

    /// The answer to it.
    fn answer(&mut self, by: Party, exchange: Exchange, status: u16, headers: &[(&str, &str)], body: &str) {
        self.after(2);
        let span = exchange.id();
        self.message(by, exchange, (by, WEB), Line::Status(status), headers, body, span, span);
    }

    /// A message from server to server, recorded by both.
    fn direct(
        &mut self,
        exchange: Exchange,
        line: &Line,
        headers: &[(&str, &str)],
        body: &str,
        within: &str,
    ) {
        let is_request = matches!(line, Line::Request { .. });
        let (from, to) = if is_request { (RP, IDP) } else { (IDP, RP) };
        let span = exchange.id();
        for by in [from, to] {
            let within = if by == RP { within } else { span };
            self.message(by, exchange, (from, to), line.clone(), headers, body, within, span);
            self.after(3);
        }
    }

    fn fetch(
        &mut self,
        exchange: Exchange,
        target: &str,
        extra: &[(&str, &str)],
        answer: &str,
        within: &str,
    ) {
        let headers = [&[("host", "127.0.0.1:5001"), ("accept", "application/json")], extra].concat();
        self.direct(
            exchange,
            &Line::Request { method: "GET".into(), target: target.into() },
            &headers,
            "",
            within,
        );
        self.direct(exchange, &Line::Status(200), &[JSON], answer, within);
    }

    fn passed(&mut self, by: Party, within: &str, rule: Rule, shown: &str) {
        self.check(by, within, rule, shown.to_owned(), shown.to_owned(), Verdict::Passed);
    }

    fn check(
        &mut self,
        by: Party,
        within: &str,
        rule: Rule,
        expected: impl Into<Shown<'static>>,
        actual: impl Into<Shown<'static>>,
        verdict: Verdict,
    ) {
        let check = Check { rule, expected: expected.into(), actual: actual.into(), verdict };
        self.note(by, within, Event::Check(check));
    }

    fn lives(&mut self, by: Party, within: &str, step: Step, moments: &[(Value, Turn)]) {
        for (value, turn) in moments {
            self.note(by, within, Event::Life(Life { value: *value, turn: *turn, step }));
        }
    }

    /// Steps 1 to 3, up to the login page.
    pub fn begin(&mut self) {
        let step = Step::AuthorizationRequest;
        self.ask(RP, Exchange::Login, "GET", "/login", &[], "");
        let discovery = r#"{"issuer":"http://127.0.0.1:5001","authorization_endpoint":"http://127.0.0.1:5001/oauth/authorize","token_endpoint":"http://127.0.0.1:5001/oauth/token","userinfo_endpoint":"http://127.0.0.1:5001/oauth/userinfo","jwks_uri":"http://127.0.0.1:5001/oauth/jwks","response_types_supported":["code"],"code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":true}"#;
        self.fetch(Exchange::Discovery, "/.well-known/openid-configuration", &[], discovery, "login");
        self.passed(RP, "login", Rule::IssuerDiscovered, "http://127.0.0.1:5001");
        for (value, sent) in [(Value::State, true), (Value::Nonce, true), (Value::CodeVerifier, false)] {
            self.lives(RP, "login", step, &[(value, Turn::Created), (value, Turn::Stored)]);
            if sent {
                self.lives(RP, "login", step, &[(value, Turn::Sent)]);
            }
        }
        self.lives(
            RP,
            "login",
            step,
            &[(Value::CodeChallenge, Turn::Created), (Value::CodeChallenge, Turn::Sent)],
        );
        let target = format!(
            "/oauth/authorize?response_type=code&client_id=client1&state={STATE}&code_challenge={CHALLENGE}&code_challenge_method=S256&redirect_uri=http%3A%2F%2F127.0.0.1%3A5002%2Fauth&scope=openid+profile+email+api.access+rp.login&nonce={NONCE}&prompt=login"
        );
        let location = format!("http://127.0.0.1:5001{target}");
        let cookie = "rp_attempt_P0ew4Rk-=[not-recorded]; HttpOnly; SameSite=Lax; Path=/auth; Max-Age=600";
        self.answer(
            RP,
            Exchange::Login,
            303,
            &[("location", &location), ("set-cookie", cookie), ("referrer-policy", "no-referrer")],
            "",
        );
        self.after(40);
        self.ask(IDP, Exchange::Authorize, "GET", &target, &[], "");
        for (rule, shown) in [
            (Rule::ClientKnown, "client1"),
            (Rule::RedirectUriRegistered, "http://127.0.0.1:5002/auth"),
            (Rule::ResponseTypeCode, "code"),
            (Rule::ScopeAllowed, "openid profile email api.access rp.login"),
            (Rule::ChallengeMethod, "S256"),
        ] {
            self.passed(IDP, "authorize", rule, shown);
        }
        self.check(
            IDP,
            "authorize",
            Rule::MaxAgeReadable,
            Words::Seconds,
            Words::Absent,
            Verdict::NotApplicable,
        );
        for value in [Value::State, Value::Nonce, Value::CodeChallenge] {
            self.lives(IDP, "authorize", step, &[(value, Turn::Received), (value, Turn::Stored)]);
        }
        let login = format!("/login/{HANDLE}");
        self.answer(
            IDP,
            Exchange::Authorize,
            303,
            &[("location", &login), ("cache-control", "no-store")],
            "",
        );
        self.after(15);
        self.ask(IDP, Exchange::LoginPage, "GET", &login, &[("cookie", "idp_browser=[not-recorded]")], "");
        let page = "<!doctype html>\n<html lang=\"ja\">\n<head><title>認証サーバーでログイン</title></head>\n<body class=\"idp\"><form method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"4r9ivCSgkB1xV0tNq7mE\">…</form></body>\n</html>";
        self.answer(IDP, Exchange::LoginPage, 200, &PAGE, page);
    }

    /// Steps 4 and 5, and `query` on the way back, up to the callback.
    pub fn decide(&mut self, decision: &str, query: &str) {
        self.after(15_000);
        let login = format!("/login/{HANDLE}");
        let cookie = ("cookie", "idp_browser=[not-recorded]; lang=ja");
        let origin = ("origin", "http://127.0.0.1:5001");
        let form = "csrf=4r9ivCSgkB1xV0tNq7mE&username=demo&password=[not-recorded]";
        self.ask(IDP, Exchange::Password, "POST", &login, &[FORM, origin, cookie], form);
        self.check(IDP, "password", Rule::CsrfToken, Words::PageToken, Words::PageToken, Verdict::Passed);
        let right = Words::CorrectPassword;
        self.check(IDP, "password", Rule::PasswordCorrect, right, right, Verdict::Passed);
        self.after(140);
        let consent = format!("/consent/{HANDLE}");
        let session = "idp_session=[not-recorded]; HttpOnly; SameSite=Lax; Path=/";
        self.answer(IDP, Exchange::Password, 303, &[("location", &consent), ("set-cookie", session)], "");
        self.ask(IDP, Exchange::ConsentPage, "GET", &consent, &[cookie], "");
        self.answer(IDP, Exchange::ConsentPage, 200, &PAGE, r#"<!doctype html><title>同意</title><input type="hidden" name="csrf" value="of-a-form-that-nobody-sent">"#);
        self.after(8_000);
        let form =
            format!("csrf=4r9ivCSgkB1xV0tNq7mE&account=1&scope=profile&scope=email&decision={decision}");
        self.ask(IDP, Exchange::Decision, "POST", &consent, &[FORM, origin, cookie], &form);
        let same = Words::SameBrowser;
        self.check(IDP, "decision", Rule::SameBrowser, same, same, Verdict::Passed);
        let code = [(Value::Code, Turn::Created), (Value::Code, Turn::Stored), (Value::Code, Turn::Sent)];
        if decision == "allow" {
            self.lives(IDP, "decision", Step::Redirect, &code);
        }
        self.lives(
            IDP,
            "decision",
            Step::Redirect,
            &[(Value::State, Turn::Sent), (Value::State, Turn::Destroyed)],
        );
        let back = format!("http://127.0.0.1:5002/auth?{query}");
        let policy = ("referrer-policy", "no-referrer");
        self.answer(IDP, Exchange::Decision, 303, &[("location", &back), policy], "");
        self.after(25);
        let cookie = ("cookie", "rp_attempt_P0ew4Rk-=[not-recorded]");
        self.ask(RP, Exchange::Callback, "GET", &format!("/auth?{query}"), &[cookie], "");
        let under_way = Words::LoginUnderWay;
        self.check(RP, "callback", Rule::StateKnown, under_way, under_way, Verdict::Passed);
        self.check(RP, "callback", Rule::StateSameBrowser, same, same, Verdict::Passed);
        self.passed(RP, "callback", Rule::ResponseIssuer, "http://127.0.0.1:5001");
        let state = [(Value::State, Turn::Compared), (Value::State, Turn::Destroyed)];
        self.lives(RP, "callback", Step::Callback, &state);
        if decision == "allow" {
            let code = [(Value::Code, Turn::Received), (Value::Code, Turn::Stored)];
            self.lives(RP, "callback", Step::Callback, &code);
        }
    }

    /// Step 8: the RP asks for tokens, and the IdP checks what it got.
    pub fn exchange(&mut self, verifier: &str) {
        let step = Step::TokenRequest;
        let form = format!(
            "grant_type=authorization_code&code={CODE}&code_verifier={verifier}&redirect_uri=http%3A%2F%2F127.0.0.1%3A5002%2Fauth"
        );
        let sent = [
            ("accept", "application/json"),
            ("authorization", "Basic Y2xpZW50MTpjbGllbnQxLXNlY3JldA=="),
            FORM,
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("content-length", "206"),
            ("host", "127.0.0.1:5001"),
        ];
        let code = [(Value::Code, Turn::Sent), (Value::Code, Turn::Destroyed)];
        self.lives(RP, "callback", step, &code);
        let verified = [(Value::CodeVerifier, Turn::Sent), (Value::CodeVerifier, Turn::Destroyed)];
        self.lives(RP, "callback", step, &verified);
        let line = Line::Request { method: "POST".into(), target: "/oauth/token".into() };
        self.direct(Exchange::Token, &line, &sent, &form, "callback");
        let proved = Words::Authenticated;
        self.check(IDP, "token", Rule::ClientAuthenticated, proved, proved, Verdict::Passed);
        self.check(
            IDP,
            "token",
            Rule::CodeOfThisClient,
            Words::ThisClient,
            Words::ThisClient,
            Verdict::Passed,
        );
        self.check(IDP, "token", Rule::CodeFresh, Words::InTime, Words::InTime, Verdict::Passed);
        self.check(IDP, "token", Rule::CodeUnused, Words::Unused, Words::Unused, Verdict::Passed);
        self.passed(IDP, "token", Rule::RedirectUriSame, "http://127.0.0.1:5002/auth");
        self.lives(IDP, "token", step, &[(Value::Code, Turn::Compared), (Value::Code, Turn::Destroyed)]);
        let challenge = [(Value::CodeChallenge, Turn::Compared), (Value::CodeChallenge, Turn::Destroyed)];
        self.lives(IDP, "token", step, &[(Value::CodeVerifier, Turn::Compared)]);
        self.lives(IDP, "token", step, &challenge);
    }

    /// Steps 9 and 10, up to the end. `nonce` is that of the ID token.
    pub fn finish(&mut self, nonce: &str) {
        self.passed(IDP, "token", Rule::VerifierMeetsChallenge, CHALLENGE);
        let arrival = Step::TokenResponse;
        self.lives(
            IDP,
            "token",
            arrival,
            &[(Value::AccessToken, Turn::Created), (Value::AccessToken, Turn::Stored)],
        );
        self.lives(IDP, "token", arrival, &[(Value::AccessToken, Turn::Sent)]);
        self.lives(IDP, "token", arrival, &[(Value::IdToken, Turn::Created), (Value::IdToken, Turn::Sent)]);
        let body = format!(
            r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"Bearer","expires_in":3600,"scope":"openid profile email","id_token":"{ID_TOKEN}"}}"#
        );
        let headers = [JSON, ("cache-control", "no-store")];
        self.direct(Exchange::Token, &Line::Status(200), &headers, &body, "callback");
        self.lives(
            RP,
            "callback",
            arrival,
            &[(Value::AccessToken, Turn::Received), (Value::AccessToken, Turn::Stored)],
        );
        self.lives(
            RP,
            "callback",
            arrival,
            &[(Value::IdToken, Turn::Received), (Value::IdToken, Turn::Stored)],
        );
        self.passed(RP, "callback", Rule::TokenType, "Bearer");
        let keys = r#"{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"xem5kkBPTlqoPNn6kDtDwA7VdlKOsQ5kP_4tiH8zLn0","n":"mL7ESMI46HeyHhG6_uiO8Etwo-Zrcg3JlYzvtN44l1IiAZJhmVBNM1AB6pWFJYxSme4_Oq028xbVzW5Yf1qhWfXqjh0l0M3dZIo-Z-n3f1l8XPfLb3NJhNWhqmOFQK9zhZJSMCJiU_uP3_6y5IMNBjoKr1gZ1jbQb2fAqkAGCARSi9WwzmRWMge8EQOnaz6uy-27540aQRkibjtUz1CcN1F7RlRGLAJkiEv4ZZYyiQbICh2OTcilIvygzJ8TOTwfPra","e":"AQAB"}]}"#;
        self.fetch(Exchange::Keys, "/oauth/jwks", &[], keys, "callback");
        self.passed(RP, "callback", Rule::Algorithm, "RS256");
        self.passed(RP, "callback", Rule::Signature, "xem5kkBPTlqoPNn6kDtDwA7VdlKOsQ5kP_4tiH8zLn0");
        self.passed(RP, "callback", Rule::IssuerClaim, "http://127.0.0.1:5001");
        self.passed(RP, "callback", Rule::Audience, "client1");
        self.check(RP, "callback", Rule::AuthorizedParty, "client1", Words::Absent, Verdict::NotApplicable);
        let until = Shown::WordsWith(Words::After, "1795496650".into());
        self.check(RP, "callback", Rule::Expiry, until, "1795500250", Verdict::Passed);
        let verdict = if nonce == NONCE { Verdict::Passed } else { Verdict::Failed };
        self.check(RP, "callback", Rule::Nonce, NONCE, nonce.to_owned(), verdict);
        self.lives(
            RP,
            "callback",
            Step::Validation,
            &[(Value::Nonce, Turn::Compared), (Value::Nonce, Turn::Destroyed)],
        );
        self.lives(RP, "callback", Step::Validation, &[(Value::IdToken, Turn::Compared)]);
        if verdict == Verdict::Failed {
            self.answer(
                RP,
                Exchange::Callback,
                502,
                &PAGE,
                "<!doctype html>\n<title>ログインできませんでした</title>",
            );
            return;
        }
        self.passed(RP, "callback", Rule::AccessTokenHash, "8067qUV86aCEBetzR3izOg");
        let bearer = format!("Bearer {ACCESS_TOKEN}");
        let claims = r#"{"sub":"1","name":"Demo User","preferred_username":"demo","email":"1@example.com","email_verified":true}"#;
        self.fetch(Exchange::Userinfo, "/oauth/userinfo", &[("authorization", &bearer)], claims, "callback");
        self.passed(RP, "callback", Rule::UserinfoSubject, "1");
        self.lives(
            RP,
            "callback",
            Step::Validation,
            &[(Value::Session, Turn::Created), (Value::Session, Turn::Stored)],
        );
        let session = "rp_session=[not-recorded]; HttpOnly; SameSite=Lax; Path=/";
        self.answer(RP, Exchange::Callback, 303, &[("location", "/"), ("set-cookie", session)], "");
    }
}

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
