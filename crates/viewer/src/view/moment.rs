//! Points in time to the millisecond, and spans between them.

use actix_web::cookie::time::OffsetDateTime;
use serde::Serialize;

/// A point in time. The server knows no visitor's time zone, so it writes UTC; the page's script makes local time of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct At {
    iso: String,
    clock: String,
}

impl From<i64> for At {
    /// From milliseconds since 1970-01-01T00:00:00Z.
    fn from(millis: i64) -> Self {
        let time = OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (date, (hour, minute, second)) = (time.date(), time.to_hms());
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        let millis = millis.rem_euclid(1000);
        Self {
            iso: format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"),
            clock: format!("{hour:02}:{minute:02}:{second:02} UTC"),
        }
    }
}

/// How long something took: the key of its words, and the numbers in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Took {
    unit: &'static str,
    n: String,
    seconds: i64,
}

impl From<i64> for Took {
    /// From milliseconds.
    fn from(millis: i64) -> Self {
        let millis = millis.max(0);
        let (unit, n) = match millis {
            0..1_000 => ("ms", millis.to_string()),
            1_000..60_000 => ("s", format!("{}.{}", millis / 1000, millis % 1000 / 100)),
            60_000..3_600_000 => ("min", (millis / 60_000).to_string()),
            _ => ("h", (millis / 3_600_000).to_string()),
        };
        Self { unit, n, seconds: millis / 1000 % 60 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_its_milliseconds() {
        let at = At::from(1_795_496_650_310);
        assert_eq!((at.iso.as_str(), at.clock.as_str()), ("2026-11-24T05:04:10.310Z", "05:04:10 UTC"));
    }

    #[test]
    fn a_span_is_told_in_the_unit_that_fits() {
        let told = |millis| {
            let Took { unit, n, seconds } = Took::from(millis);
            (unit, n, seconds)
        };
        assert_eq!(told(3), ("ms", "3".to_owned(), 0));
        assert_eq!(told(9_240), ("s", "9.2".to_owned(), 9));
        assert_eq!(told(65_000), ("min", "1".to_owned(), 5));
        assert_eq!(told(-4), ("ms", "0".to_owned(), 0));
    }
}
