//! `mig drift`: how a database differs from the specs.

use std::path::PathBuf;

use mig_compiler::explain;

use crate::{
    commands::plan::compiled,
    exit::{Outcome, Reason, Trouble},
    project::Project,
    target::Where,
    terminal,
};

/// Say how a live schema differs from what the specs declare. Exits with 4 if it does; nothing is changed.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    against: Where,
    /// The folder of the specs [default: specs of mig.toml, or ./specs]
    #[arg(long, value_name = "DIR")]
    specs: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    let specs = args.specs.clone().unwrap_or_else(|| project.specs());
    let (plan, _) = compiled(&project, &args.against, None, &specs, false)?;
    if plan.steps.is_empty() {
        terminal::say("no drift: the database is what the specs say");
        return Ok(Outcome::Done);
    }
    for step in &plan.steps {
        terminal::say(&format!("{}: {}", step.change.address(), step.why));
        for change in explain::changes(step) {
            terminal::say(&format!("  {change}"));
        }
    }
    Err(Trouble::new(Reason::Drift, format!("the database is {} steps away from the specs", plan.steps.len()))
        .untouched("nothing was changed")
        .next("mig plan shows the way to the specs; or declare in the specs what the database has"))
}
