//! `mig apply`: a signed plan, carried out.

use std::{num::NonZeroUsize, path::PathBuf};

use mig_plan::Phase;

use crate::{
    artifacts::Artifacts,
    commands::wait,
    exit::{Outcome, Trouble},
    operate::{self, Order},
    plan_file,
    project::Project,
    scan,
    signatures::{self, Trust},
    target::Where,
    terminal,
};

/// Apply a plan, or go on with it where it stands. Signatures and policy are checked before the database is touched; then the
/// database must be where the plan begins, or on its way. Killed at any point and run again, it goes on.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The plan file
    plan: PathBuf,
    #[command(flatten)]
    to: Where,
    #[command(flatten)]
    trust: Trust,
    /// Stop after this phase; the same plan goes on later
    #[arg(long, value_name = "PHASE", value_parser = phase)]
    through: Option<Phase>,
    /// Check everything and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Apply a plan that was rolled back here once more
    #[arg(long)]
    again: bool,
    /// Wait this long for another executor to finish, or for a lost one's session to end
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    wait: u64,
    /// Fill so many tables at the same time; `parallel` of mig.toml, or 2, without it
    #[arg(long, value_name = "TABLES")]
    parallel: Option<NonZeroUsize>,
    /// Print events, one JSON object a line
    #[arg(long)]
    json: bool,
    /// Write the outcome of the checks to this file as a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    artifacts: Artifacts,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Reads the name of a phase.
fn phase(word: &str) -> Result<Phase, String> {
    let found = Phase::ALL.into_iter().find(|phase| phase.word() == word);
    found.ok_or_else(|| format!("use one of: {}", Phase::ALL.map(Phase::word).join(", ")))
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    let file = plan_file::read(&args.plan)?;
    let approval = signatures::admit(&args.plan, &file, &args.trust, &project)?;
    scan::clear(&file.plan, args.through, &project)?;
    let database = args.to.find(&project)?;
    if !args.dry_run {
        let summary = file.plan.summary;
        let question = format!(
            "Apply {} to {database}? It has {} critical, {} warning, {} routine steps.",
            args.plan.display(),
            summary.critical,
            summary.warning,
            summary.routine
        );
        terminal::confirm(&question, args.yes)?;
    }
    let order = Order {
        title: args.plan.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        signatures: signatures::beside(&args.plan)?,
        file,
        approval,
        through: args.through,
        dry_run: args.dry_run,
        again: args.again,
        monitor: project.monitor().clone(),
        parallel: args.parallel.unwrap_or_else(|| project.parallel()),
        wait: std::time::Duration::from_secs(args.wait),
        json: args.json,
        junit: args.junit.clone(),
        filing: args.artifacts.filing(&project, &database, &args.to),
    };
    wait(operate::apply(&database, order))
}
