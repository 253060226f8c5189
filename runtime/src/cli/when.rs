//! Times of day, as they are shown and as they are asked for: in the zone of whoever reads.

use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// `2026-07-01 10:00:00`.
pub(crate) fn shown(time: SystemTime, zone: &TimeZone) -> String {
    match Timestamp::try_from(time) {
        Ok(time) => Zoned::new(time, zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => "at no time that a calendar has".to_owned(),
    }
}

/// A time that was asked for: so long ago (`2h`, `3days`), or a date with or without a time and a zone.
pub(crate) fn asked(text: &str, now: SystemTime, zone: &TimeZone) -> Result<SystemTime, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(now.checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.into());
    }
    let local = text.parse::<DateTime>().ok().and_then(|local| local.to_zoned(zone.clone()).ok());
    local.map(|zoned| zoned.timestamp().into()).ok_or_else(|| {
        format!("`{text}` is no time: write how long ago, such as `2h` or `3days`, or a date such as `2026-07-01` or `2026-07-01T10:30`")
    })
}

/// As clap reads it.
pub(super) fn flag(text: &str) -> Result<SystemTime, String> {
    asked(text, SystemTime::now(), &TimeZone::system())
}

/// How long a run took, or has taken.
pub(crate) fn between(from: SystemTime, to: SystemTime) -> Duration {
    to.duration_since(from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_readers_zone_and_shown_in_it() {
        let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::fixed(jiff::tz::offset(2)));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_782_900_000);
        let read = |text| asked(text, now, &zone).map(|time| shown(time, &zone));
        assert_eq!(read("2026-07-01"), Ok("2026-07-01 00:00:00".to_owned()));
        assert_eq!(read("2026-07-01T10:30"), Ok("2026-07-01 10:30:00".to_owned()));
        assert_eq!(read("2026-07-01T10:30Z"), Ok("2026-07-01 12:30:00".to_owned()));
        assert_eq!(asked("2h", now, &zone), Ok(now - Duration::from_secs(7_200)));
        assert!(read("soon").unwrap_err().starts_with("`soon` is no time: write how long ago"));
    }
}
