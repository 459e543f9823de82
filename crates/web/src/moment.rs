//! A point in time as a page shows it.

use actix_web::cookie::time::OffsetDateTime;
use serde::Serialize;
use shared::clock::Timestamp;

/// A point in time, readable and raw. The server knows no visitor's time zone, so it writes UTC; the page's
/// script turns it into local time, and leaves out today's date.
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    unix: i64,
    iso: String,
    clock: String,
}

impl Moment {
    /// It as `2026-11-24T05:03:21Z`.
    pub fn iso(&self) -> &str {
        &self.iso
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        let unix = at.as_unix();
        let time = OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (date, (hour, minute, second)) = (time.date(), time.to_hms());
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        Self {
            unix,
            iso: format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"),
            clock: format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_readable_and_raw() {
        let moment = Moment::from(Timestamp::from_unix(1_795_496_601));
        assert_eq!(moment.iso, "2026-11-24T05:03:21Z");
        assert_eq!(moment.clock, "2026-11-24 05:03:21 UTC");
    }
}
