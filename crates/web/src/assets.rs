//! The stylesheet, the script and the icon, compiled in.

use actix_web::HttpResponse;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rust_embed::Embed;

use crate::{last_segment::LastSegment, problem::Problem};

#[derive(Embed)]
#[folder = "../../assets"]
struct Assets;

/// The address of an asset below `base`. It changes with the content, so browsers may keep what they have.
pub fn href(base: &str, name: &str) -> String {
    let hash = Assets::get(name).map(|file| file.metadata.sha256_hash()).unwrap_or_default();
    format!("{base}/assets/{name}?v={}", URL_SAFE_NO_PAD.encode(&hash[..6]))
}

/// The stylesheet itself, for a page that must do without a server.
pub fn stylesheet() -> String {
    Assets::get("style.css").map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default()
}

/// `GET /assets/{name}`.
#[expect(clippy::unused_async, reason = "a handler")]
pub async fn serve(name: LastSegment) -> Result<HttpResponse, Problem> {
    let file = Assets::get(&name).ok_or(Problem::not_found())?;
    let media_type = match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => return Err(Problem::not_found()),
    };
    // The icon is also a logo, which the other house shows (OpenID Connect Dynamic Client Registration §2, `logo_uri`).
    let readers = if media_type.starts_with("image/") { "cross-origin" } else { "same-origin" };
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header(("cross-origin-resource-policy", readers))
        .insert_header(("cache-control", "public, max-age=31536000, immutable"))
        .body(file.data.into_owned()))
}
