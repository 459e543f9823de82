//! Where to go after the login: `/login?next=/reports` leads back to `/reports`, and never to another site.

use url::Url;
use web::origin::Origin;

/// The longest `next` that is kept.
const MAX_BYTES: usize = 2048;

/// Pages that are no place to be after a login: they would begin another one, or end this one.
const NO_PLACES: [&str; 4] = ["/login", "/auth", "/logout", "/logout/done"];

/// `next` as a path on our own site; everything else becomes the home page.
///
/// Browsers read more as "another site" than meets the eye: `//host`, and also `/\host`, `\/host` and `/<tab>/host`,
/// because the URL standard takes `\` for `/` and drops tabs and line ends. So the rule names what is good: a
/// single `/` first, and neither backslashes nor control characters anywhere. The URL parser has the last word.
pub fn local(next: Option<&str>, own: &Origin) -> String {
    let home = || format!("{}/", own.path());
    let Some(next) = next.filter(|next| next.len() <= MAX_BYTES) else {
        return home();
    };
    let plain = next.starts_with('/')
        && !next.starts_with("//")
        && next.chars().all(|char| char.is_ascii_graphic() && char != '\\');
    if plain && stays(next, own) { next.to_owned() } else { home() }
}

fn stays(next: &str, own: &Origin) -> bool {
    let Ok(base) = Url::parse(own.as_str()) else { return false };
    let Ok(target) = base.join(next) else { return false };
    let page = target.path().strip_prefix(own.path()).unwrap_or_default();
    target.origin() == base.origin() && !NO_PLACES.contains(&page)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ours() -> Origin {
        Origin::parse("http://127.0.0.1:5002", false).unwrap()
    }

    #[test]
    fn a_path_of_ours_is_kept_with_its_query() {
        for next in ["/", "/reports", "/reports?year=2026&q=%2F%2Fx", "/a//b", "/@host"] {
            assert_eq!(local(Some(next), &ours()), next);
        }
    }

    #[test]
    fn r11_what_leaves_the_site_becomes_the_home_page() {
        let leaving = [
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "\t//evil.example",
            "/\n/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "@evil.example",
            ".evil.example",
            "",
            " /",
        ];
        for next in leaving {
            assert_eq!(local(Some(next), &ours()), "/", "{next:?}");
        }
        assert_eq!(local(None, &ours()), "/");
        assert_eq!(local(Some(&format!("/{}", "a".repeat(MAX_BYTES))), &ours()), "/");
    }

    #[test]
    fn the_home_page_may_lie_below_a_path() {
        let below = Origin::parse("https://apps.example/rp", false).unwrap();
        assert_eq!(local(Some("//evil.example"), &below), "/rp/");
        assert_eq!(local(Some("/rp/login"), &below), "/rp/");
        assert_eq!(local(Some("/rp/reports"), &below), "/rp/reports");
        assert_eq!(local(Some("/login"), &below), "/login", "somebody else's page on this host");
    }

    #[test]
    fn a_login_does_not_lead_to_the_next_one() {
        for next in ["/login", "/login?prompt=sso", "/x/../login", "/auth?state=x", "/logout", "/logout/done"]
        {
            assert_eq!(local(Some(next), &ours()), "/", "{next}");
        }
        for next in ["/login/help", "/logins", "/?login"] {
            assert_eq!(local(Some(next), &ours()), next);
        }
    }

    proptest! {
        #[test]
        fn r11_whatever_passes_stays_on_our_origin(next in "[/\\\\@:.?#\t\n\r a-c%0-9é]{0,12}") {
            let base = Url::parse(ours().as_str()).unwrap();
            let target = base.join(&local(Some(&next), &ours())).unwrap();
            prop_assert_eq!(target.origin(), base.origin());
        }
    }
}
