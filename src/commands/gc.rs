//! `mig gc`: what runs kept, dropped for good.

use std::time::Duration;

use crate::{
    commands::wait,
    exit::{Outcome, Trouble},
    operate,
    project::Project,
    target::Where,
    terminal,
};

/// Drop for good what runs kept so that they could be rolled back: dropped tables, dropped columns' values, overwritten values. A run
/// that is collected cannot be rolled back any more.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Collect runs that ended longer ago than this, such as 7d, 12h or 30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: Duration,
    #[command(flatten)]
    of: Where,
    /// Wait this long for another executor to finish
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// Print events, one JSON object a line
    #[arg(long)]
    json: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Reads a number with a unit.
fn duration(word: &str) -> Result<Duration, String> {
    let unit = |letter| match letter {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        'w' => Some(604_800),
        _ => None,
    };
    let seconds = word.chars().next_back().and_then(unit).and_then(|seconds: u64| {
        let number = &word[..word.len() - 1];
        number.parse::<u64>().ok()?.checked_mul(seconds)
    });
    seconds.map(Duration::from_secs).ok_or_else(|| "use a number and one of s, m, h, d, w: 7d is a week".to_owned())
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let database = args.of.find(&Project::find()?)?;
    let due = wait(operate::collectible(&database, args.older_than))?;
    if due.is_empty() {
        terminal::say(if args.json { r#"{"event":"collected","runs":[]}"# } else { "nothing to collect" });
        return Ok(Outcome::Done);
    }
    terminal::note(&format!("what these runs kept would be dropped for good:\n{}", due.join("\n")));
    terminal::confirm(&format!("Drop it from {database}?"), args.yes)?;
    let wait_for = Duration::from_secs(args.wait);
    wait(operate::collect(&database, args.older_than, wait_for, args.json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_number_and_a_unit() {
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        for wrong in ["", "d", "7", "-1d", "1.5h", "99999999999999999999d", "9999999999999999999w", "7é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
