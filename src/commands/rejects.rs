//! `mig rejects`: the rows that a run left as they were.

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
    /// How to write them
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let database = args.of.find(&Project::find()?)?;
    let rows = wait(operate::rejects(&database, &args.run))?;
    terminal::say(args.format.written(&rows).trim_end());
    Ok(Outcome::Done)
}
