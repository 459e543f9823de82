//! The ten steps of a login, as both servers record them.

use shared::flow::{Exchange, Line, Rule, Shown, Step, Turn, Value, Verdict, Words};

use super::{
    ACCESS_TOKEN, CHALLENGE, CODE, FORM, HANDLE, ID_TOKEN, IDP, JSON, NONCE, PAGE, RP, STATE,
    recording::Recording,
};

impl Recording {
    /// Steps 1 to 3, up to the login page.
    pub(super) fn begin(&mut self) {
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
    pub(super) fn decide(&mut self, decision: &str, query: &str) {
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
    pub(super) fn exchange(&mut self, verifier: &str) {
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
    pub(super) fn finish(&mut self, nonce: &str) {
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
