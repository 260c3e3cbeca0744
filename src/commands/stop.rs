//! `mig stop`: end a run's executor.

use std::time::Duration;

use mig_executor::Wish;

use crate::{
    commands::wait,
    exit::{Outcome, Trouble},
    operate,
    project::Project,
    target::Where,
    terminal,
};

/// Ask the executor of a run, on this or another machine, to finish its batch or step and then end, as Ctrl-C does in its terminal. The
/// same mig apply goes on from there.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run's id, as mig status prints it
    run: String,
    #[command(flatten)]
    of: Where,
    /// Wait this long to see it done
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    wait: u64,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let database = args.of.find(&Project::find()?)?;
    let patience = Duration::from_secs(args.wait);
    terminal::say(&wait(operate::ask(&database, &args.run, Wish::Stop, patience))?);
    Ok(Outcome::Done)
}
