//! `mig gc`: what runs kept, dropped for good.

use std::{str::FromStr as _, time::Duration};

use mig_executor::span::Span;

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
    #[arg(long, value_name = "DURATION", value_parser = Span::from_str)]
    older_than: Span,
    #[command(flatten)]
    of: Where,
    /// Wait this long for another executor to finish, or for a lost one's session to end
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    wait: u64,
    /// Print events, one JSON object a line
    #[arg(long)]
    json: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let database = args.of.find(&Project::find()?)?;
    let due = wait(operate::collectible(&database, args.older_than.0))?;
    if due.is_empty() {
        terminal::say(if args.json { r#"{"event":"collected","runs":[]}"# } else { "nothing to collect" });
        return Ok(Outcome::Done);
    }
    terminal::note(&format!("what these runs kept would be dropped for good:\n{}", due.join("\n")));
    terminal::confirm(&format!("Drop it from {database}?"), args.yes)?;
    let wait_for = Duration::from_secs(args.wait);
    wait(operate::collect(&database, args.older_than.0, wait_for, args.json))
}
