//! How fast rows are done, and how long the rest will take.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The time over which speed is measured: long enough to be steady, short enough to follow a run that is slowed down.
const WINDOW: Duration = Duration::from_secs(30);
/// The most marks kept in it.
const MARKS: usize = 64;

/// Marks of how many rows were done when.
#[derive(Debug, Default)]
pub(crate) struct Rate(VecDeque<(Instant, u64)>);

impl Rate {
    /// So many rows are done at a moment.
    pub(crate) fn mark(&mut self, at: Instant, rows: u64) {
        let old = |(mark, _): &(Instant, u64)| at.duration_since(*mark) > WINDOW;
        while self.0.len() > 1 && (self.0.len() >= MARKS || self.0.front().is_some_and(old)) {
            self.0.pop_front();
        }
        self.0.push_back((at, rows));
    }

    /// Rows a second, once that can be told.
    pub(crate) fn per_second(&self) -> Option<u64> {
        let ((begun, first), (ended, last)) = (self.0.front()?, self.0.back()?);
        let ms = u64::try_from(ended.duration_since(*begun).as_millis()).ok().filter(|ms| *ms > 0)?;
        Some(last.saturating_sub(*first).saturating_mul(1_000) / ms)
    }

    /// How long the rest will take at this speed.
    pub(crate) fn left(&self, total: Option<u64>) -> Option<Duration> {
        let (_, done) = self.0.back()?;
        let rate = self.per_second().filter(|rate| *rate > 0)?;
        Some(Duration::from_secs(total?.saturating_sub(*done).div_ceil(rate)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_that_of_the_last_half_minute() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut rate = Rate::default();
        rate.mark(at(0), 0);
        assert_eq!(rate.per_second(), None);
        rate.mark(at(10), 1_000);
        assert_eq!((rate.per_second(), rate.left(Some(2_000))), (Some(100), Some(Duration::from_secs(10))));
        rate.mark(at(100), 1_900);
        rate.mark(at(110), 1_950);
        assert_eq!((rate.per_second(), rate.left(Some(2_000))), (Some(5), Some(Duration::from_secs(10))));
        assert_eq!(rate.left(None), None);
    }

    #[test]
    fn it_takes_no_more_memory_however_long_a_run_is() {
        let begun = Instant::now();
        let mut rate = Rate::default();
        (0..10_000).for_each(|n| rate.mark(begun + Duration::from_millis(n), n));
        assert!(rate.0.len() <= MARKS);
    }
}
