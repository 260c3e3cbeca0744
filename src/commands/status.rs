//! `mig status`: where a database stands.

use crate::{
    commands::wait,
    exit::{Outcome, Trouble},
    operate,
    project::Project,
    target::Where,
    terminal,
};

/// Say which runs are open in a database and how far they are.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Where,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let database = args.of.find(&Project::find()?)?;
    terminal::say(wait(operate::status(&database, args.json))?.trim_end());
    Ok(Outcome::Done)
}
