//! The program itself: how it starts, what it logs, how it stops.

use std::{
    io::Read as _,
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;
use shared::clock::{Clock as _, SystemClock};

use crate::{
    browser::Browser,
    keys::HONEST,
    provider::{ACCESS_TOKEN, Canned, FakeProvider},
    world::{Login, callback},
};

fn rp(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rp"));
    command.args(flags).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A program that serves on a port of its own; it is ended with the test.
struct Running {
    child: Child,
    bind: String,
}

impl Running {
    async fn start(flags: &[&str]) -> Self {
        let bind = free_address();
        let child = rp(&[&["--bind", &bind], flags].concat()).spawn().unwrap();
        let running = Self { child, bind };
        let patience = Instant::now() + Duration::from_secs(30);
        while running.health().await.status.code() != Some(0) {
            assert!(Instant::now() < patience, "the program does not answer");
        }
        running
    }

    async fn health(&self) -> Output {
        let bind = self.bind.clone();
        let asked = move || rp(&["--bind", &bind, "health"]).output();
        actix_web::web::block(asked).await.unwrap().unwrap()
    }

    /// Ends it; what it wrote to its log.
    fn log(mut self) -> String {
        self.child.kill().unwrap();
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[actix_web::test]
async fn r13_no_secret_is_in_the_log_and_no_line_is_forged() {
    let provider = FakeProvider::start();
    let flags = ["--issuer", &provider.issuer, "--log", "debug", "--client-secret", "sesame"];
    let running = Running::start(&flags).await;
    let mut browser = Browser::new(&format!("http://{}", running.bind));
    let login = Login::sent_by(&browser.opens("/login").await);
    let forged = "x\r\nforged line\u{1b}[31m";
    let id_token = HONEST.token(&json!({ "iss": forged, "sub": "1" }));
    provider.issues(&id_token);
    let params = [("code", "code-1"), ("state", &*login.state), ("iss", &provider.issuer)];
    let cookies: Vec<String> =
        browser.cookies.iter().filter(|kept| kept.path == "/auth").map(|kept| kept.value.clone()).collect();
    let answer = browser.opens(&callback(&params)).await;
    answer.is_problem(502, "id_token_refused");

    let second = Login::sent_by(&browser.opens("/login").await);
    provider.answers("/token", Canned::Json(400, json!({ "error": forged, "error_description": forged })));
    let params = [("code", "code-2"), ("state", &*second.state), ("iss", &provider.issuer)];
    browser.opens(&callback(&params)).await.is_problem(502, "token_refused");

    let third = Login::sent_by(&browser.opens("/login").await);
    let params = [("error", forged), ("state", &third.state), ("iss", &provider.issuer)];
    assert!(browser.opens(&callback(&params)).await.leads_to("/"));

    let log = running.log();
    assert!(log.contains("id_token_refused") && log.contains("issuer_claim"), "{log}");
    let secrets = ["code-1", "sesame", &login.state, &login.nonce, &id_token, ACCESS_TOKEN];
    for secret in secrets.into_iter().chain(cookies.iter().map(String::as_str)) {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
    assert!(!log.contains('\u{1b}'), "{log}");
    assert!(!log.lines().any(|line| line.starts_with("forged")), "{log}");
}

#[actix_web::test]
async fn r13_no_secret_of_a_logout_is_in_the_log() {
    let provider = FakeProvider::start();
    let running = Running::start(&["--issuer", &provider.issuer, "--log", "debug"]).await;
    let mut browser = Browser::new(&format!("http://{}", running.bind));
    let login = Login::sent_by(&browser.opens("/login").await);
    let now = SystemClock.now().as_unix();
    let id_token = HONEST.token(&json!({
        "iss": provider.issuer, "sub": "1", "aud": "client1", "exp": now + 60, "iat": now, "nonce": login.nonce,
    }));
    provider.issues(&id_token);
    let params = [("code", "code-1"), ("state", &*login.state), ("iss", &provider.issuer)];
    assert!(browser.opens(&callback(&params)).await.leads_to("/"));
    let page = browser.opens("/logout").await;
    let csrf = page.text.split_once(r#"name="csrf" value=""#).unwrap().1.split('"').next().unwrap();
    let away = browser.submits("/logout", &[("csrf", csrf)]).await;
    let state = away.location().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    assert!(browser.opens(&format!("/logout/done?state={state}")).await.leads_to("/"));
    browser.opens(&format!("/logout/done?state={state}")).await.is_problem(400, "logout_unknown");

    let log = running.log();
    assert!(log.contains("logout_unknown"), "{log}");
    for secret in [&*state, &*id_token, csrf, ACCESS_TOKEN] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

#[actix_web::test]
async fn a_taken_port_is_said_in_one_sentence() {
    let running = Running::start(&[]).await;
    let second = rp(&["--bind", &running.bind, "--log", "off"]).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(said.lines().count() == 1 && said.contains(&running.bind) && said.contains("RP_BIND"), "{said}");
}

#[actix_web::test]
async fn a_mistake_in_the_settings_is_said_in_one_sentence() {
    for flags in [
        ["--issuer", "http://idp.example"],
        ["--scope", "profile"],
        ["--client-secret-file", "/no/such/file"],
        ["--log", "rp=nonsense=info"],
        ["--bind", "5002"],
        ["--attempt-lifetime", "10m"],
        ["--no-such-flag", "x"],
    ] {
        let output = rp(&flags).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {said}");
        assert!(said.lines().count() == 1 && said.starts_with("rp: "), "{said}");
    }
}

#[actix_web::test]
async fn health_tells_whether_it_runs() {
    let running = Running::start(&[]).await;
    assert_eq!(running.health().await.status.code(), Some(0));
    let nobody = rp(&["--bind", &free_address(), "health"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(1));
}

#[cfg(unix)]
#[actix_web::test]
async fn told_to_stop_it_answers_what_is_under_way_and_ends_with_0() {
    let provider = FakeProvider::start();
    let discovery = "/.well-known/openid-configuration";
    provider.answers(discovery, Canned::Silence);
    let mut running = Running::start(&["--issuer", &provider.issuer]).await;
    let mut browser = Browser::new(&format!("http://{}", running.bind));
    // The login waits for the provider, which never answers: five seconds of work under way.
    let (pid, calls) = (running.child.id().to_string(), || provider.calls(discovery).len());
    let before = calls();
    let told_to_stop = async {
        while calls() == before {
            actix_web::rt::task::yield_now().await;
        }
        let kill = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(kill.unwrap().success());
    };
    let (answer, ()) = futures_util::future::join(browser.opens("/login"), told_to_stop).await;
    answer.is_problem(502, "idp_unreachable");
    let ended = actix_web::web::block(move || running.child.wait().unwrap().code()).await;
    assert_eq!(ended.unwrap(), Some(0));
}
