//! `mig pause`: let a run wait.

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

/// Ask a run that is under way, from this or another machine, to finish its batch or step and then wait. The executor keeps its lock and
/// holds no transaction. mig resume lets it go on. The wish stands in the database, so a run that nobody executes waits as soon as it is
/// taken up.
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
    terminal::say(&wait(operate::ask(&database, &args.run, Wish::Pause, patience))?);
    Ok(Outcome::Done)
}
