//! `mig history`: what was done in a database.

use crate::{
    commands::wait,
    exit::{Outcome, Trouble},
    operate,
    project::Project,
    target::Where,
    terminal,
};

/// List every run that a database's journal tells of: when, which plan, who signed it, how it ended.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Where,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let database = args.of.find(&Project::find()?)?;
    terminal::say(wait(operate::history(&database, args.json))?.trim_end());
    Ok(Outcome::Done)
}
