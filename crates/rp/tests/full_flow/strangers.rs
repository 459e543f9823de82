//! Who is shown whose flows.

use reqwest::StatusCode;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::pair::{AGREE, Browser, PASSWORD, Pair, http};

/// A client that is not the demo's: its RP shows everybody no more than their own.
const OUTSIDE_THE_DEMO: [&str; 4] = ["--client-id", "client2", "--client-secret", "client2-secret"];
/// Every address below a flow, and those that take its name in a query.
const ADDRESSES: [&str; 6] = [
    "/flows/{id}",
    "/flows/{id}/live",
    "/flows/{id}/save",
    "/flows/{id}/save?as=har",
    "/flows/{id}/save?as=page&secrets=1",
    "/flows/compare?a={id}&b={id}",
];

impl Browser {
    /// What it is answered at an address, with the cookies that it has.
    async fn is_answered(&self, address: &str) -> (StatusCode, String) {
        let cookies: Vec<_> =
            self.cookies.iter().map(|((name, _), value)| format!("{name}={value}")).collect();
        let request =
            http().get(address).header("cookie", cookies.join("; ")).header("accept-language", "en");
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }
}

fn latest(pair: &Pair) -> String {
    pair.app.recorder.as_ref().unwrap().flows(1, |_| true).remove(0).id.clone()
}

#[actix_web::test]
async fn whoever_makes_up_the_name_of_a_flow_is_shown_nothing() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    let id = latest(&pair);
    let mut forged = id.clone();
    let last = if forged.pop() == Some('0') { '1' } else { '0' };
    forged.push(last);
    for name in [forged.as_str(), "1", "x", &id[..31], &id.to_uppercase()] {
        for address in ADDRESSES {
            let address = format!("{}{}", pair.rp, address.replace("{id}", name));
            let (status, text) = browser.is_answered(&address).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{address}");
            assert!(!text.contains("code_verifier"), "{address}");
        }
    }
    let (status, _) = browser.is_answered(&format!("{}/flows/of/forged", pair.rp)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    for address in ADDRESSES {
        let address = format!("{}{}", pair.rp, address.replace("{id}", &id));
        if !address.ends_with("/live") {
            assert_eq!(browser.is_answered(&address).await.0, StatusCode::OK, "{address}");
        }
    }
}

#[actix_web::test]
async fn outside_the_demo_a_browser_is_shown_the_flows_that_it_began_and_no_others() {
    let pair = Pair::start_with(&[], &OUTSIDE_THE_DEMO);
    let (mut owner, mut other) = (Browser::default(), Browser::default());
    pair.signs_in(&mut owner).await;
    let of_owner = latest(&pair);
    other.opens(&format!("{}/login", pair.rp)).await;
    other.submits(None, &PASSWORD).await;
    other.submits(None, &AGREE).await;
    let of_other = latest(&pair);
    assert_ne!(of_owner, of_other);
    for (browser, own, strange) in [(&owner, &of_owner, &of_other), (&other, &of_other, &of_owner)] {
        let (status, list) = browser.is_answered(&format!("{}/flows", pair.rp)).await;
        assert_eq!(status, StatusCode::OK);
        assert!(list.contains(own.as_str()) && !list.contains(strange.as_str()));
        assert_eq!(browser.is_answered(&format!("{}/flows/{own}", pair.rp)).await.0, StatusCode::OK);
        for address in ADDRESSES {
            let address = format!("{}{}", pair.rp, address.replace("{id}", strange));
            assert_eq!(browser.is_answered(&address).await.0, StatusCode::NOT_FOUND, "{address}");
        }
        let mixed = format!("{}/flows/compare?a={own}&b={strange}", pair.rp);
        assert_eq!(browser.is_answered(&mixed).await.0, StatusCode::NOT_FOUND);
    }
    // Somebody who began none, and somebody who makes up a cookie.
    let mut forger = Browser::default();
    forger.cookies.insert(("rp_viewer".into(), "/".into()), "made-up".into());
    for stranger in [Browser::default(), forger] {
        let (_, list) = stranger.is_answered(&format!("{}/flows", pair.rp)).await;
        assert!(list.contains("No flow yet") && !list.contains(&of_owner), "{list}");
        for address in ADDRESSES {
            let address = format!("{}{}", pair.rp, address.replace("{id}", &of_owner));
            assert_eq!(stranger.is_answered(&address).await.0, StatusCode::NOT_FOUND, "{address}");
        }
    }
}

#[actix_web::test]
async fn outside_the_demo_nobody_is_led_to_a_flow_by_what_travels_in_it() {
    let pair = Pair::start_with(&[], &OUTSIDE_THE_DEMO);
    let mut owner = Browser::default();
    pair.signs_in(&mut owner).await;
    let flow = pair.app.recorder.as_ref().unwrap().flows(1, |_| true).remove(0);
    for correlator in &flow.correlators {
        let address = format!("{}/flows/of/{}", pair.rp, correlator.encode());
        assert_eq!(owner.is_answered(&address).await.0, StatusCode::SEE_OTHER);
        assert_eq!(Browser::default().is_answered(&address).await.0, StatusCode::NOT_FOUND);
    }
}

#[actix_web::test]
async fn the_idp_shows_its_flows_to_whoever_has_the_address_that_it_told_at_start() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    let id = pair.provider.recorder.as_ref().unwrap().flows(1, |_| true).remove(0).id.clone();
    let addresses = ["/flows", "/flows/open"].into_iter().chain(ADDRESSES);
    let addresses: Vec<_> =
        addresses.map(|address| format!("{}{}", pair.idp, address.replace("{id}", &id))).collect();
    let mut forger = Browser::default();
    forger.cookies.insert(("idp_viewer".into(), "/flows".into()), "made-up".into());
    for stranger in [&browser, &forger] {
        for address in &addresses {
            let (status, text) = stranger.is_answered(address).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{address}");
            assert!(!text.contains(&id) || address.contains(&id), "{address}");
        }
    }
    let sent =
        http().post(format!("{}/flows/open", pair.idp)).header("origin", &pair.idp).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::NOT_FOUND);
    let wrong = format!("{}/flows/enter/made-up", pair.idp);
    assert_eq!(browser.is_answered(&wrong).await.0, StatusCode::NOT_FOUND);

    browser.opens(&idp::features::flows::address(&pair.provider).unwrap()).await;
    assert!(browser.is_at(&format!("{}/flows", pair.idp)));
    for address in addresses.iter().filter(|address| !address.ends_with("/live")) {
        assert_eq!(browser.is_answered(address).await.0, StatusCode::OK, "{address}");
    }
}

#[actix_web::test]
async fn a_client_is_told_of_no_other_clients_flows() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    let flow = pair.app.recorder.as_ref().unwrap().flows(1, |_| true).remove(0);
    let form: Vec<_> = flow.correlators.iter().map(|it| ("correlator", it.encode())).collect();
    let asks = async |id: &str, secret: &str| -> Vec<Value> {
        let request =
            http().post(format!("{}/flows/lookup", pair.idp)).basic_auth(id, Some(secret)).form(&form);
        let half: Value = request.send().await.unwrap().json().await.unwrap();
        half["events"].as_array().unwrap().clone()
    };
    let own = asks("client1", "client1-secret").await;
    assert!(own.len() > 30, "{}", own.len());
    // Who knows the random trace of requests for documents that anybody may read is told of those.
    let public = ["discovery", "keys"];
    for it in asks("client2", "client2-secret").await {
        let exchange = it["event"]["message"]["exchange"].as_str();
        assert!(exchange.is_some_and(|exchange| public.contains(&exchange)), "{it}");
    }
    let nobody = http().post(format!("{}/flows/lookup", pair.idp)).form(&form).send().await.unwrap();
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn r14_a_file_that_another_site_sends_is_not_opened() {
    let pair = Pair::start();
    let mut browser = Browser::default();
    pair.signs_in(&mut browser).await;
    let (_, saved) = browser.is_answered(&format!("{}/flows/{}/save", pair.rp, latest(&pair))).await;
    let sends = async |site: &str| {
        let part = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f.html\"\r\n\r\n";
        let request = http().post(format!("{}/flows/open", pair.rp)).header("sec-fetch-site", site);
        let request = request.header("content-type", "multipart/form-data; boundary=x");
        request.body(format!("{part}{saved}\r\n--x--\r\n")).send().await.unwrap().status()
    };
    for site in ["cross-site", "same-site"] {
        assert_eq!(sends(site).await, StatusCode::FORBIDDEN, "{site}");
    }
    assert_eq!(pair.app.recorder.as_ref().unwrap().flows(10, |_| true).len(), 1);
    assert_eq!(sends("same-origin").await, StatusCode::SEE_OTHER);
    assert_eq!(pair.app.recorder.as_ref().unwrap().flows(10, |_| true).len(), 2);
}

#[actix_web::test]
async fn i22_a_file_that_never_arrives_is_waited_for_ten_seconds() {
    let pair = Pair::start();
    let host = pair.rp.trim_start_matches("http://");
    let request = format!(
        "POST /flows/open HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 100\r\n\
         Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\ncontent-disposition: form-data; name=\"file\""
    );
    let mut connection = TcpStream::connect(host).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("text/html"), "{answer}");
}
