//! What holds at every address: the provider's own name, bounds, errors that say what is wrong.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::helpers::{Answer, AuthorizationRequest, Browser, Idp, http};

/// Sends bytes as they are and reads the answer's head.
async fn answer_to(idp: &Idp, request: &[u8]) -> String {
    let (address, request) = (idp.issuer.trim_start_matches("http://").to_owned(), request.to_owned());
    let answered = actix_web::web::block(move || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(&request)?;
        let mut answer = [0; 2048];
        let read = stream.read(&mut answer)?;
        std::io::Result::Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
    });
    answered.await.unwrap().unwrap().to_ascii_lowercase()
}

/// The same, as a status line.
async fn raw(idp: &Idp, request: &[u8]) -> String {
    answer_to(idp, request).await.lines().next().unwrap_or_default().to_owned()
}

#[actix_web::test]
async fn i21_forged_headers_change_nothing() {
    let idp = Idp::start();
    for name in ["forwarded", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for"] {
        let value = if name == "forwarded" { "host=evil.example;proto=https" } else { "evil.example" };
        let request = http().get(idp.at("/.well-known/openid-configuration")).header(name, value);
        assert_eq!(Answer::of(request).await.json()["issuer"], idp.issuer.as_str(), "{name}");
    }
}

#[actix_web::test]
async fn i21_a_foreign_host_is_misdirected() {
    let idp = Idp::start();
    for host in ["evil.example", "localhost:5001", "127.0.0.1"] {
        let answer =
            Answer::of(http().get(idp.at("/.well-known/openid-configuration")).header("host", host)).await;
        assert_eq!(answer.status, 421, "{host}");
    }
    let asked = AuthorizationRequest::new().query();
    let request = http().get(idp.at(&format!("/oauth/authorize?{asked}"))).header("host", "evil.example");
    let answer = Answer::of(request).await;
    assert_eq!((answer.status, answer.location), (421, None));
    // An absolute request target is no way around it.
    let status = raw(&idp, b"GET http://evil.example/health HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert!(status.contains("421"), "{status}");
}

#[actix_web::test]
async fn i22_a_body_beyond_64_kib_is_refused() {
    let idp = Idp::start();
    let body = format!("a={}", "b".repeat(64 * 1024));
    for path in ["/oauth/token", "/oauth/authorize", "/oauth/userinfo"] {
        let request = http().post(idp.at(path)).header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(Answer::of(request.body(body.clone())).await.status, 413, "{path}");
    }
}

#[actix_web::test]
async fn i22_an_address_beyond_8_kib_is_refused() {
    let idp = Idp::start();
    let answer = Answer::of(http().get(idp.at(&format!("/oauth/authorize?a={}", "b".repeat(8192))))).await;
    assert_eq!(answer.status, 414);
}

#[actix_web::test]
async fn i22_headers_beyond_128_kib_or_96_are_refused() {
    let idp = Idp::start();
    let host = idp.issuer.trim_start_matches("http://");
    let head = format!("GET /health HTTP/1.1\r\nHost: {host}\r\n");
    let long = format!("{head}x: ");
    let long = long.clone() + &"a".repeat(128 * 1024 - long.len());
    for request in [long, head.clone() + &"x: y\r\n".repeat(96) + "\r\n"] {
        let status = raw(&idp, request.as_bytes()).await;
        assert!(status.contains("431"), "{status}");
    }
    let fits = head + &"x: y\r\n".repeat(95) + "\r\n";
    assert!(raw(&idp, fits.as_bytes()).await.contains("200"));
}

/// What no text of the protocol may be, form-encoded.
const UNREADABLE: [&str; 6] = ["%00", "%ff%fe", "%", "%4", "%zz", "a%C3%28"];

#[actix_web::test]
async fn i22_nul_broken_utf8_and_a_lone_percent_are_refused_in_query_and_form() {
    let idp = Idp::start();
    let asked = AuthorizationRequest::new().query();
    let form = "application/x-www-form-urlencoded";
    let mut browser = Browser::new(&idp);
    browser.opens(&AuthorizationRequest::new()).await;
    let cookie = format!("idp_browser={}", browser.cookies["idp_browser"]);
    for bad in UNREADABLE.iter().flat_map(|bad| [format!("x={bad}"), format!("{bad}=x")]) {
        let page = http().get(idp.at(&format!("/oauth/authorize?{asked}&{bad}")));
        Answer::of(page).await.is_error_page("invalid_request");
        let page = http().post(idp.at("/oauth/authorize")).header("content-type", form).body(bad.clone());
        Answer::of(page).await.is_error_page("invalid_request");
        let page = http().post(&browser.page).header("content-type", form).body(bad.clone());
        let page = page.header("cookie", &cookie).header("sec-fetch-site", "same-origin");
        Answer::of(page).await.is_error_page("invalid_request");
        for path in ["/oauth/token", "/oauth/userinfo"] {
            let request = http().post(idp.at(path)).header("content-type", form).body(bad.clone());
            let answer = Answer::of(request).await;
            assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{path} {bad}");
            let answer = Answer::of(http().post(idp.at(&format!("{path}?{bad}")))).await;
            assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{path} {bad}");
        }
    }
}

#[actix_web::test]
async fn i22_nul_broken_utf8_and_a_lone_percent_are_refused_in_credentials_and_paths() {
    let idp = Idp::start();
    for bad in UNREADABLE {
        for credentials in [format!("{bad}:client1-secret"), format!("client1:{bad}"), bad.to_owned()] {
            let basic = format!("Basic {}", STANDARD.encode(credentials));
            let request = http().post(idp.at("/oauth/token")).header("authorization", basic);
            let answer = Answer::of(request.form(&[("grant_type", "authorization_code")])).await;
            assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{bad}");
        }
        let host = idp.issuer.trim_start_matches("http://");
        for (path, expected) in [("/login/", 400), ("/consent/", 400), ("/assets/", 404), ("/", 404)] {
            let request = format!("GET {path}{bad} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            let status = raw(&idp, request.as_bytes()).await;
            assert!(status.contains(&format!(" {expected} ")), "{path}{bad}: {status}");
        }
    }
    for bytes in [&b"Basic \xff\xfe"[..], b"Basic \x80"] {
        let bytes = reqwest::header::HeaderValue::from_bytes(bytes).unwrap();
        let request = http().post(idp.at("/oauth/token")).header("authorization", bytes);
        assert_eq!(Answer::of(request).await.status, 401);
    }
}

#[actix_web::test]
async fn i22_bytes_that_are_no_http_never_make_it_a_5xx() {
    let idp = Idp::start();
    let host = [b"\r\nHost: ", idp.issuer.trim_start_matches("http://").as_bytes(), b"\r\n"].concat();
    for (first_line, rest) in [
        (&b"\x00\x01\x02"[..], &b"\r\n"[..]),
        (b"GET /oauth/authorize?\xff HTTP/1.1", b"\r\n"),
        (b"GET /nowhere HTTP/1.1", b"Cookie: idp_browser=\xff\xfe; ;;=\r\n\r\n"),
        (b"POST /oauth/token HTTP/1.1", b"Content-Length: x\r\n\r\n"),
        (b"POST /oauth/token HTTP/1.1", b"Host: evil.example\r\nContent-Length: 0\r\n\r\n"),
    ] {
        let request = [first_line, &host, rest].concat();
        let status = raw(&idp, &request).await;
        assert!(status.contains(" 4"), "{status}");
    }
}

#[actix_web::test]
async fn i22_what_never_arrives_is_waited_for_ten_seconds() {
    let idp = Idp::start();
    let host = idp.issuer.trim_start_matches("http://");
    let announced = format!(
        "Host: {host}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 10\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\na="
    );
    let head = format!("GET /health HTTP/1.1\r\nHost: {host}\r\n");
    let token = format!("POST /oauth/token HTTP/1.1\r\n{announced}");
    let login = format!("POST /login/x HTTP/1.1\r\n{announced}");
    let (head, token, login) = tokio::join!(
        answer_to(&idp, head.as_bytes()),
        answer_to(&idp, token.as_bytes()),
        answer_to(&idp, login.as_bytes())
    );
    assert!(head.contains(" 408 "), "{head}");
    for (answer, kind) in [(token, "application/json"), (login, "text/html")] {
        assert!(answer.contains(" 408 ") && answer.contains(kind), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
}

#[actix_web::test]
async fn a_connection_is_kept_for_longer_than_clients_keep_theirs() {
    let idp = Idp::start();
    let host = idp.issuer.trim_start_matches("http://");
    let head = format!("GET /health HTTP/1.1\r\nHost: {host}\r\n");
    let mut connection = tokio::net::TcpStream::connect(host).await.unwrap();
    let mut is_served = async || {
        connection.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        let mut answer = [0; 2048];
        let read = connection.read(&mut answer).await.unwrap();
        answer[..read].starts_with(b"HTTP/1.1 200 ")
    };
    assert!(is_served().await);
    // It is quiet for as long as it takes until a request is given up that never arrives.
    assert!(answer_to(&idp, head.as_bytes()).await.contains(" 408 "));
    assert!(is_served().await);
}

#[actix_web::test]
async fn a_handle_that_is_unknown_gets_a_page() {
    let idp = Idp::start();
    for path in ["/login/x", "/consent/in_x", "/login/%2e%2e%2f", "/login/%ff", "/login/%"] {
        let answer = Browser::new(&idp).goes(&idp.at(path)).await.status;
        assert_eq!(answer, 400, "{path}");
    }
    for path in
        ["/nowhere", "/login", "/login/", "/login/x/", "/login/x/y", "/loginx", "/assets/", "/assets/../x"]
    {
        let nowhere = Answer::of(http().get(idp.at(path))).await;
        assert_eq!(nowhere.status, 404, "{path}");
        assert!(nowhere.body.contains("<html"), "{path}: {}", nowhere.body);
    }
    let deleted = Answer::of(http().delete(idp.at("/oauth/authorize"))).await;
    assert_eq!(deleted.status, 405);
    assert!(deleted.body.contains("<html"), "{}", deleted.body);
}

#[actix_web::test]
async fn a_refused_method_is_answered_with_those_that_are_not() {
    let idp = Idp::start();
    for (path, methods) in [
        ("/.well-known/openid-configuration", "OPTIONS, GET"),
        ("/.well-known/oauth-authorization-server", "OPTIONS, GET"),
        ("/oauth/jwks", "OPTIONS, GET"),
        ("/oauth/authorize", "GET, POST"),
        ("/login/x", "GET, POST"),
        ("/oauth/token", "POST"),
        ("/oauth/userinfo", "GET, POST"),
        ("/health", "GET"),
    ] {
        let answer = Answer::of(http().delete(idp.at(path))).await;
        assert_eq!((answer.status, answer.header("allow")), (405, methods), "{path}");
    }
}

#[actix_web::test]
async fn head_is_answered_as_get_without_the_body() {
    let idp = Idp::start();
    for (path, status) in [
        ("/.well-known/openid-configuration", 200),
        ("/health", 200),
        ("/oauth/authorize", 400),
        ("/oauth/token", 405),
    ] {
        let (head, get) = (http().head(idp.at(path)), http().get(idp.at(path)));
        let (head, get) = (Answer::of(head).await, Answer::of(get).await);
        assert_eq!((head.status, head.body.as_str()), (status, ""), "{path}");
        for name in ["content-type", "content-length", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
    }
}

#[actix_web::test]
async fn every_error_page_has_a_reference_number_and_speaks_both_languages() {
    let idp = Idp::start();
    for (lang, word) in [("ja", "認証サーバー"), ("en", "Identity Provider")] {
        let page = Answer::of(http().get(idp.at(&format!("/oauth/authorize?lang={lang}")))).await;
        assert!(
            page.body.contains(word) && page.body.contains(&format!("<html lang=\"{lang}\"")),
            "{}",
            page.body
        );
        let reference = page.body.split("<code>").find_map(|part| {
            let code = part.split("</code>").next()?;
            (code.len() == 9 && code.as_bytes()[4] == b'-').then(|| code.to_owned())
        });
        assert!(reference.is_some(), "{}", page.body);
        assert!(page.set_cookies.iter().any(|cookie| cookie.starts_with(&format!("lang={lang}"))));
    }
}

#[actix_web::test]
async fn a_cookie_that_is_not_utf8_costs_no_login() {
    let idp = Idp::start();
    let mut browser = Browser::new(&idp);
    browser.opens(&AuthorizationRequest::new()).await;
    let cookie = [b"x=\xff\xfe; idp_browser=".as_slice(), browser.cookies["idp_browser"].as_bytes()].concat();
    let cookie = reqwest::header::HeaderValue::from_bytes(&cookie).unwrap();
    assert_eq!(Answer::of(http().get(&browser.page).header("cookie", cookie)).await.status, 200);
}
