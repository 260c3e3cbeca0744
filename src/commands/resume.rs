//! `mig resume`: a paused run goes on.

use crate::{
    commands::wait,
    exit::{Outcome, Trouble},
    operate,
    project::Project,
    target::Where,
    terminal,
};

/// Let a run go on that mig pause made wait. Its executor goes on by itself; if there is none, mig apply does.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run's id, as mig status prints it
    run: String,
    #[command(flatten)]
    of: Where,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let database = args.of.find(&Project::find()?)?;
    terminal::say(&wait(operate::resume(&database, &args.run))?);
    Ok(Outcome::Done)
}
