//! Durations as people write them: a number and a unit.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, de::Error as _};

/// A duration of whole milliseconds, written `250ms`, `5s`, `30m`, `12h`, `7d` or `1w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// What is wrong with a text that should be a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use a number and one of ms, s, m, h, d, w: 7d is a week")]
pub struct BadSpan;

const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

impl Span {
    /// So many seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// In milliseconds.
    #[must_use]
    pub fn ms(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Self, BadSpan> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| BadSpan)?;
        let (_, ms) = UNITS.into_iter().find(|(word, _)| *word == unit).ok_or(BadSpan)?;
        number.checked_mul(ms).map(|ms| Self(Duration::from_millis(ms))).ok_or(BadSpan)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.ms();
        let whole = UNITS.into_iter().rev().find(|(_, unit)| ms != 0 && ms.is_multiple_of(*unit));
        let (word, unit) = whole.unwrap_or(("s", 1_000));
        write!(f, "{}{word}", ms / unit)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_number_and_a_unit() {
        for (text, ms) in [("7d", 604_800_000), ("0s", 0), ("250ms", 250), ("90s", 90_000)] {
            assert_eq!(text.parse::<Span>(), Ok(Span(Duration::from_millis(ms))));
        }
        for text in ["1w", "90s", "2m", "250ms", "0s"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        for wrong in ["", "d", "7", "-1d", "1.5h", "99999999999999999999d", "9999999999999999999w", "7é"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }
}
