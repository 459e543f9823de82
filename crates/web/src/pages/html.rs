//! An HTML answer, and what its headers let it do in the browser.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use url::Url;

use super::Kind;

/// An HTML answer with everything that keeps it from leaking, being framed, or running a stranger's script.
pub fn html_response(status: StatusCode, kind: Kind, html: Vec<u8>) -> HttpResponse {
    const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
                          connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    let (policy, referrer) = match kind {
        Kind::Plain => (format!("{POLICY}; form-action 'none'"), "no-referrer"),
        Kind::Form => (POLICY.to_owned(), "same-origin"),
    };
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::REFERRER_POLICY, referrer))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header((header::VARY, "Accept-Language, Cookie"))
        .body(html)
}

/// Lets the script of a page ask another site, too: that of a client which has no server to do it.
pub fn may_ask(page: &mut HttpResponse, other: &str) {
    widen(page, "connect-src 'self'", other);
}

/// Lets a page show pictures of the site of `address`, beside our own. An address that could say more to the browser than
/// that is passed over: hosts may hold semicolons (URL §3.5).
pub fn allow_image(page: &mut HttpResponse, address: &str) {
    let Ok(url) = Url::parse(address) else { return };
    let origin = url.origin().ascii_serialization();
    let is_plain = origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:/[]_".contains(&byte));
    if is_plain && !["", "null"].contains(&origin.as_str()) {
        widen(page, "img-src 'self'", &origin);
    }
}

/// Adds a site to a directive of a page's policy.
fn widen(page: &mut HttpResponse, directive: &str, site: &str) {
    let headers = page.headers_mut();
    let policy = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
    let wider = policy.map(|policy| policy.replace(directive, &format!("{directive} {site}")));
    if let Some(wider) = wider.and_then(|policy| HeaderValue::try_from(policy).ok()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, wider);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_pictures_of_one_other_site_and_its_address_says_nothing_more() {
        let policy = |address: &str| {
            let mut answer = html_response(StatusCode::OK, Kind::Form, Vec::new());
            allow_image(&mut answer, address);
            answer.headers().get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap().to_owned()
        };
        assert!(
            policy("https://a.example/logo.png").contains("img-src 'self' https://a.example; script-src")
        );
        assert!(policy("http://[::1]:5002/x").contains("img-src 'self' http://[::1]:5002;"));
        for bad in [
            "https://a;script-src.example/",
            "https://a'.example/",
            "data:image/png,x",
            "x",
            "https://*.example/",
        ] {
            assert!(policy(bad).contains("img-src 'self'; script-src 'self';"), "{bad}");
        }
    }
}
