//! `mig rollback`: a run, taken back.

use std::path::PathBuf;

use mig_executor::Which;

use crate::{
    artifacts::Artifacts,
    commands::wait,
    exit::{Outcome, Trouble},
    operate::{self, Back},
    plan_file,
    project::Project,
    signatures::{self, Trust},
    target::Where,
    terminal,
};

/// Take a run back: every step that is done is undone, in reverse order. Says beforehand how many steps that is, how many of them put
/// kept rows back, and about how long that takes; the others change metadata only. The database keeps the plan of each run, so the run's id
/// is enough.
#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["run", "plan"]))]
pub(crate) struct Args {
    /// The run's id, as mig status and mig history print it
    run: Option<String>,
    /// The run of this plan
    #[arg(long, value_name = "PLAN")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    of: Where,
    #[command(flatten)]
    trust: Trust,
    /// Wait this long for another executor to finish, or for a lost one's session to end
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    wait: u64,
    /// Print events, one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    artifacts: Artifacts,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    let (which, words) = match (&args.run, &args.plan) {
        (Some(run), _) => (Which::Run(run.clone()), format!("run {run}")),
        (None, path) => {
            let path = path.as_ref().expect("the group requires one of both");
            let file = plan_file::read(path)?;
            signatures::admit(path, &file, &args.trust, &project)?;
            (Which::Plan(file.plan.digest()), format!("the run of {}", path.display()))
        }
    };
    let database = args.of.find(&project)?;
    if let Some(forecast) = wait(operate::forecast(&database, &which))? {
        terminal::note(&forecast);
    }
    terminal::confirm(&format!("Roll {words} back on {database}?"), args.yes)?;
    let filing = args.artifacts.filing(&project, &database, &args.of);
    let back = Back { which, wait: std::time::Duration::from_secs(args.wait), json: args.json, filing };
    wait(operate::rollback(&database, back))
}
