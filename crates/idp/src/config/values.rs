//! What single values of the configuration file must look like. Every reason begins where the name of the member ends.

use url::Url;

/// A text that says something: a claim that says nothing is left out (OpenID Connect Core §5.3.2).
pub(super) fn filled(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("must not be blank; leave it out instead"),
        "null" => Err("must not be \"null\"; leave it out instead"),
        _ => Ok(text.to_owned()),
    }
}

/// What pages call somebody. RFC 7591 §5: a name may be chosen to deceive, and what turns the letters around it (Unicode
/// Standard Annex #9 §2.1, §2.2 and §2.4) or does not show at all would change what else a page says.
pub(super) fn shown(text: &str) -> Result<String, &'static str> {
    let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if text.chars().any(|c| c.is_control() || turns(c)) {
        return Err("must not hold control characters, nor what turns the direction of writing");
    }
    filled(text)
}

/// RFC 6749 Appendix A.1 and A.2: printable ASCII, for names and secrets of clients.
pub(super) fn visible(text: &str) -> Result<String, &'static str> {
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if printable && !text.is_empty() {
        Ok(text.to_owned())
    } else {
        Err("must be printable ASCII, and not empty")
    }
}

/// OpenID Connect Core §2: `sub` has 255 ASCII characters at most.
pub(super) fn subject(text: &str) -> Result<String, &'static str> {
    let fits = visible(text).is_ok() && !text.trim().is_empty() && text.len() <= 255;
    if fits { Ok(text.to_owned()) } else { Err("must be 1 to 255 characters of printable ASCII") }
}

/// An address that a browser can open.
pub(super) fn web_address(text: &str) -> Result<String, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.map(|_| text.to_owned()).ok_or_else(|| format!("{text:?} is not an absolute http or https address"))
}

/// RFC 5322 §3.4.1, as far as a typing mistake goes: something, an @, something.
pub(super) fn email(text: &str) -> Result<String, String> {
    let sides = text.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
    let sides = sides.filter(|_| !text.contains(char::is_whitespace));
    sides.map(|_| text.to_owned()).ok_or_else(|| format!("{text:?} is not an e-mail address"))
}

/// OpenID Connect Core §5.1: `YYYY-MM-DD`, `0000-MM-DD` for whoever does not tell the year, or `YYYY`.
pub(super) fn birthdate(text: &str) -> Result<String, String> {
    let digits = |part: &str, count| {
        let fits = part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|_: &usize| fits)
    };
    let exists = match *text.split('-').collect::<Vec<_>>() {
        [year] => digits(year, 4).is_some_and(|year| year > 0),
        [year, month, day] => match (digits(year, 4), digits(month, 2), digits(day, 2)) {
            (Some(year), Some(month @ 1..=12), Some(day)) => (1..=days(year, month)).contains(&day),
            _ => false,
        },
        _ => false,
    };
    let reason =
        || format!("{text:?} is not a date such as 1990-04-01, 0000-04-01 without the year, or 1990");
    exists.then(|| text.to_owned()).ok_or_else(reason)
}

/// How many days a month has; in the year 0000, which stands for any, as many as it can have.
fn days(year: usize, month: usize) -> usize {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// RFC 5646 §2.1, as far as the form goes: a language, then parts of up to eight letters and digits.
pub(super) fn language(text: &str) -> Result<String, String> {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let fits = (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
    fits.then(|| text.to_owned()).ok_or_else(|| format!("{text:?} is not a language tag such as ja or en-US"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birthdate_is_a_day_that_exists_with_or_without_its_year_or_a_year() {
        for good in ["1990-04-01", "0000-02-29", "2000-02-29", "1990"] {
            assert_eq!(birthdate(good).as_deref(), Ok(good));
        }
        for bad in
            ["", "0000", "90", "1990-4-1", "1990-13-01", "1990-04-31", "1900-02-29", "1990-04", "+990-04-01"]
        {
            assert!(birthdate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_language_is_named_by_a_tag() {
        for good in ["ja", "en-US", "zh-Hant-TW", "de-CH-1996"] {
            assert_eq!(language(good).as_deref(), Ok(good));
        }
        for bad in ["", "j", "en_US", "en-", "日本語", "english-language1"] {
            assert!(language(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_e_mail_address_has_two_sides() {
        assert!(email("a@b").is_ok());
        for bad in ["", "a", "@b", "a@", "a b@c", "a@b "] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_says_nothing_is_refused() {
        assert!(filled("Demo User").is_ok());
        for bad in ["", "  ", "null"] {
            assert!(filled(bad).is_err(), "{bad}");
        }
        for good in ["Photos", "写真アプリ", "תמונות", "Ω 🙂"] {
            assert!(shown(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "a\0", "a\nb", "\u{202e}knaB", "a\u{2067}b", "\u{9b}"] {
            assert!(shown(bad).is_err(), "{bad:?}");
        }
        assert!(visible("a b").is_ok() && visible("").is_err() && visible("秘密").is_err());
        assert!(
            subject(&"a".repeat(255)).is_ok() && subject(&"a".repeat(256)).is_err() && subject(" ").is_err()
        );
        assert!(web_address("https://a.example/x").is_ok());
        for bad in ["/x", "a.example", "javascript:x", "http:"] {
            assert!(web_address(bad).is_err(), "{bad}");
        }
    }
}
