//! The times of `valid-after` and `valid-before`: `YYYYMMDD[HHMM[SS]][Z]`, local time unless a `Z` follows.

use chrono::{DateTime, Local, LocalResult, NaiveDate, NaiveDateTime, TimeZone as _};
use std::time::{SystemTime, UNIX_EPOCH};

/// Which end of a validity a time is. A local time that occurs twice is read so that the validity is the shorter one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    After,
    Before,
}

/// Seconds since the Unix epoch.
pub(crate) fn parse(text: &str, bound: Bound) -> Result<i64, String> {
    let naive = |digits| civil(digits).ok_or_else(|| format!("`{text}` is not a time: expected YYYYMMDD[HHMM[SS]][Z]"));
    if let Some(digits) = text.strip_suffix(['Z', 'z']) {
        return Ok(naive(digits)?.and_utc().timestamp());
    }
    match (Local.from_local_datetime(&naive(text)?), bound) {
        (LocalResult::Single(time), _)
        | (LocalResult::Ambiguous(_, time), Bound::After)
        | (LocalResult::Ambiguous(time, _), Bound::Before) => Ok(time.timestamp()),
        (LocalResult::None, _) => Err(format!("`{text}` does not exist in local time: add a Z and write it in UTC")),
    }
}

fn civil(digits: &str) -> Option<NaiveDateTime> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) || ![8, 12, 14].contains(&digits.len()) {
        return None;
    }
    let number = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<u32>().ok());
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(4, 6)?, number(6, 8)?)?;
    date.and_hms_opt(number(8, 10)?, number(10, 12)?, number(12, 14)?)
}

/// Whole seconds since the Unix epoch; a clock before it reads as the epoch itself.
pub(crate) fn seconds(now: SystemTime) -> i64 {
    now.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// A time for people, in UTC.
pub(crate) fn show(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0)
        .map_or_else(|| format!("{seconds} s"), |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_times_are_exact() {
        for (text, shown) in [
            ("20260101Z", "2026-01-01 00:00:00 UTC"),
            ("202602281530Z", "2026-02-28 15:30:00 UTC"),
            ("20260228153059Z", "2026-02-28 15:30:59 UTC"),
        ] {
            assert_eq!(show(parse(text, Bound::After).unwrap()), shown);
        }
    }

    #[test]
    fn local_times_are_read_in_the_local_zone() {
        let expected = Local.with_ymd_and_hms(2026, 1, 15, 12, 0, 0).unwrap().timestamp();
        assert_eq!(parse("202601151200", Bound::Before), Ok(expected));
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for text in
            ["", "Z", "2026", "20260230Z", "2026010112Z", "202601012500Z", "2026-01-01", "２０２６0101", "20260101ZZ"]
        {
            assert!(parse(text, Bound::After).is_err(), "{text}");
        }
    }
}
