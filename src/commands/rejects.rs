//! `mig rejects`: the rows that a run left as they were.

use std::time::Duration;

use crate::{
    commands::wait,
    exit::{Outcome, Trouble},
    operate,
    project::Project,
    rejected::Form,
    target::Where,
    terminal,
};

/// List the rows that a run's transforms rejected: step, key, reason, and the row as it was.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run, as `mig history` shows it
    run: String,
    #[command(flatten)]
    of: Where,
    /// Try them again once they are corrected, and list those that still do not fit
    #[arg(long)]
    retry: bool,
    /// Wait this long for another executor to finish
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    wait: u64,
    /// How to write them
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let database = args.of.find(&Project::find()?)?;
    let rows = if args.retry {
        wait(operate::retry_rejects(&database, &args.run, Duration::from_secs(args.wait)))?
    } else {
        wait(operate::rejects(&database, &args.run))?
    };
    terminal::say(args.format.written(&rows).trim_end());
    Ok(Outcome::Done)
}
