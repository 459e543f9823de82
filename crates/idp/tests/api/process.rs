//! The program itself: how it starts, what it logs, how it stops.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use idp::domain::password::PasswordHash;
use shared::secret::Secret;

use crate::helpers::{Answer, AuthorizationRequest, Browser, REDIRECT_URI, basic, http};

/// The program with these flags.
pub fn idp(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
    command.args(flags).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A file with this content.
pub fn written(name: &str, content: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A program that serves on a port of its own; it is ended with the test.
pub struct Running {
    child: Child,
    pub issuer: String,
    bind: String,
}

impl Running {
    pub async fn start(flags: &[&str]) -> Self {
        let bind = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let issuer = format!("http://{bind}");
        let child = idp(&[&["--bind", &bind, "--issuer", &issuer], flags].concat()).spawn().unwrap();
        let running = Self { child, issuer, bind };
        let patience = Instant::now() + Duration::from_secs(30);
        while running.health().await.status.code() != Some(0) {
            assert!(Instant::now() < patience, "the program does not answer");
        }
        running
    }

    async fn health(&self) -> Output {
        let (bind, issuer) = (self.bind.clone(), self.issuer.clone());
        let asked = move || idp(&["--bind", &bind, "--issuer", &issuer, "health"]).output();
        actix_web::web::block(asked).await.unwrap().unwrap()
    }

    /// Ends it; what it wrote to its log.
    pub fn log(mut self) -> String {
        self.child.kill().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
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
async fn i14_no_secret_is_in_the_log_and_no_line_is_forged() {
    for format in ["text", "json"] {
        let running = Running::start(&["--log", "debug", "--log-format", format]).await;
        let asked = AuthorizationRequest::new();
        let mut browser = Browser::at(&running.issuer);
        browser.opens(&asked).await;
        browser.signs_in("demo", "WrongPassword!").await;
        let handle = browser.page.rsplit('/').next().unwrap().to_owned();
        browser.signs_in("demo", "DemoTest2024!").await;
        let code = browser.decides("allow").await.location().param("code").unwrap();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", asked.verifier.expose()),
        ];
        let request = http().post(format!("{}/oauth/token", running.issuer));
        let request = request.header("authorization", basic("client1", "client1-secret"));
        let tokens = Answer::of(request.form(&fields)).await.json();
        // A stranger's line ends and colours.
        let forged = format!("{}/oauth/authorize?%0d%0aforged%1b[31m=1&a=%", running.issuer);
        Answer::of(http().get(&forged)).await;
        let twice = "x%0d%0aforged%1b[31m=1&x%0d%0aforged%1b[31m=2";
        let request = http().post(format!("{}/oauth/token", running.issuer)).body(twice);
        Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await;

        let cookies: Vec<String> = browser.cookies.values().cloned().collect();
        let log = running.log();
        assert!(log.contains("answered"), "{log}");
        let secrets = [
            handle.as_str(),
            &code,
            asked.verifier.expose(),
            "WrongPassword!",
            "DemoTest2024!",
            "client1-secret",
            tokens["access_token"].as_str().unwrap(),
            tokens["id_token"].as_str().unwrap(),
        ];
        for secret in secrets.iter().copied().chain(cookies.iter().map(String::as_str)) {
            assert!(!log.contains(secret), "{secret} is in the log: {log}");
        }
        assert!(!log.contains("\u{1b}[31m") && !log.lines().any(|line| line.starts_with("forged")), "{log}");
    }
}

#[actix_web::test]
async fn a_taken_port_is_said_in_one_sentence() {
    let running = Running::start(&[]).await;
    let second = idp(&["--bind", &running.bind, "--issuer", &running.issuer]).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(said.lines().count() == 1 && said.contains(&running.bind) && said.contains("IDP_BIND"), "{said}");
}

#[actix_web::test]
async fn a_mistake_in_the_settings_is_said_in_one_sentence() {
    for (flags, named) in [
        (["--issuer", "http://idp.example"], "IDP_ISSUER"),
        (["--bind", "5001"], "--bind"),
        (["--code-lifetime", "10m"], "--code-lifetime"),
    ] {
        let output = idp(&flags).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.lines().count() == 1 && said.contains(named), "{said}");
    }
}

#[actix_web::test]
async fn health_tells_whether_it_runs() {
    let running = Running::start(&[]).await;
    assert_eq!(running.health().await.status.code(), Some(0));
    let nobody = idp(&["--bind", "127.0.0.1:9", "health"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(1));
}

/// A request that is under way: its handler has asked for a body of three bytes.
#[cfg(unix)]
fn under_way(bind: &str) -> TcpStream {
    let mut stream = TcpStream::connect(bind).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\nExpect: 100-continue";
    write!(stream, "POST /oauth/token HTTP/1.1\r\nHost: {bind}\r\n{head}\r\n\r\n").unwrap();
    let answer = read(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 100"), "{answer}");
    stream
}

/// What has come; nothing when the server has closed the connection.
fn read(stream: &mut TcpStream) -> String {
    let mut answer = [0; 1024];
    let read = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[cfg(unix)]
impl Running {
    /// Tells it to stop, and waits until nobody new is let in.
    fn told_to_stop(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let patience = Instant::now() + Duration::from_secs(5);
        while TcpStream::connect(&self.bind).is_ok() {
            assert!(Instant::now() < patience, "new connections are still accepted");
        }
    }
}

#[cfg(unix)]
#[actix_web::test]
async fn i25_told_to_stop_it_answers_what_is_under_way_and_ends_with_0() {
    let mut running = Running::start(&[]).await;
    let ended = actix_web::web::block(move || {
        let mut under_way = under_way(&running.bind);
        running.told_to_stop();
        under_way.write_all(b"a=b").unwrap();
        let answer = read(&mut under_way);
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        running.child.wait().unwrap().code()
    });
    assert_eq!(ended.await.unwrap(), Some(0));
}

#[cfg(unix)]
#[actix_web::test]
async fn i25_told_to_stop_it_is_not_ready_any_more() {
    let running = Running::start(&[]).await;
    let (running, under_way) = actix_web::web::block(move || {
        let mut kept = TcpStream::connect(&running.bind).unwrap();
        write!(kept, "GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", running.bind).unwrap();
        assert!(read(&mut kept).starts_with("HTTP/1.1 200"));
        let under_way = under_way(&running.bind);
        running.told_to_stop();
        assert_eq!(read(&mut kept), "", "a connection that was kept for later is closed");
        (running, under_way)
    })
    .await
    .unwrap();
    assert_eq!(running.health().await.status.code(), Some(1));
    drop(under_way);
}

#[cfg(unix)]
#[actix_web::test]
async fn i25_what_does_not_end_within_ten_seconds_is_given_up() {
    let mut running = Running::start(&[]).await;
    let ended = actix_web::web::block(move || {
        let mut under_way = under_way(&running.bind);
        running.told_to_stop();
        let told = Instant::now();
        let code = running.child.wait().unwrap().code();
        assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
        assert_eq!(read(&mut under_way), "");
        code
    });
    assert_eq!(ended.await.unwrap(), Some(0));
}

#[actix_web::test]
async fn i22_bytes_that_are_no_http_are_no_error_in_the_log() {
    let running = Running::start(&[]).await;
    let bind = running.bind.clone();
    let answered = actix_web::web::block(move || {
        let large = [b"GET / HTTP/1.1\r\nx: ", "a".repeat(128 * 1024).as_bytes()].concat();
        for (bytes, status) in [(&b"\x00\x01\x02\r\n\r\n"[..], "400"), (&large[..128 * 1024], "431")] {
            let mut stream = TcpStream::connect(&bind).unwrap();
            stream.write_all(bytes).unwrap();
            let answer = read(&mut stream);
            assert!(answer.contains(status), "{answer}");
        }
    });
    answered.await.unwrap();
    // The line of a later request stands behind whatever the earlier ones left.
    Answer::of(http().get(format!("{}/nowhere", running.issuer))).await;
    let log = running.log();
    assert!(log.contains("not_found") && !log.contains("ERROR"), "{log}");
}

/// What the program says on standard output, and how it ends, when `typed` is its standard input.
fn told(flags: &[&str], typed: &str) -> (String, Option<i32>) {
    let mut child = idp(flags).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[test]
fn hash_password_prints_what_the_password_is_checked_against() {
    let (hash, code) = told(&["hash-password"], "pass wörd \r\n");
    assert_eq!(code, Some(0));
    let hash = PasswordHash::parse(hash.trim_end()).unwrap();
    assert!(hash.matches(&Secret::new("pass wörd "), &mut Vec::new()));
    assert!(!hash.matches(&Secret::new("pass wörd"), &mut Vec::new()));
    for empty in ["", "\n"] {
        assert_eq!(told(&["hash-password"], empty), (String::new(), Some(2)));
    }
}

#[test]
fn the_demo_that_is_printed_is_a_file_that_is_fine() {
    let printed = idp(&["--print-config"]).output().unwrap();
    assert_eq!(printed.status.code(), Some(0));
    let file = written("printed.toml", &String::from_utf8(printed.stdout).unwrap());
    let fine = format!("{file} is fine: 10 clients, 2 users\n");
    assert_eq!(told(&["check-config", &file], ""), (fine.clone(), Some(0)));
    assert_eq!(told(&["--config", &file, "check-config"], ""), (fine, Some(0)));
}

#[test]
fn each_mistake_in_the_file_is_said_on_a_line_of_its_own_and_nothing_is_served() {
    let file = written("mistaken.toml", "[[clients]]\nclient_id = ''\n\n[[user]]\n");
    let expected = format!(
        "idp: {file}:1: there is no [[users]]\n\
         idp: {file}:1: clients[0]: client_secret is missing (or client_secret_file, which names a file that holds it)\n\
         idp: {file}:1: clients[0]: redirect_uris is missing\n\
         idp: {file}:2: clients[0].client_id: must be printable ASCII, and not empty\n\
         idp: {file}:4: user: there is no such member; did you mean users?\n"
    );
    for flags in [["check-config", &file], ["--config", &file]] {
        let output = idp(&flags).output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
        assert_eq!(output.status.code(), Some(2));
    }
    for (flags, named) in [
        (&["check-config"][..], "IDP_CONFIG"),
        (&["check-config", "/no/such/idp.toml"], "/no/such/idp.toml cannot be read"),
    ] {
        let output = idp(flags).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.lines().count() == 1 && said.contains(named), "{said}");
    }
}
