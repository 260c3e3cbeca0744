//! `mig gc`: what runs kept, dropped for good.

use std::{str::FromStr as _, time::Duration};

use mig_executor::{Filing, GcRequest, Pace, span::Span};

use crate::{
    artifacts::Artifacts,
    commands::wait,
    exit::{Outcome, Reason, Trouble},
    operate,
    project::Project,
    target::{Database, Where},
    terminal,
};

/// Drop for good what runs kept so that they could be rolled back: dropped tables, dropped columns' values, overwritten values. A run
/// that is collected cannot be rolled back any more. Where the policy asks for it, everything is saved first.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Collect runs that ended longer ago than this, such as 7d, 12h or 30m
    #[arg(long, value_name = "DURATION", value_parser = Span::from_str)]
    older_than: Span,
    #[command(flatten)]
    of: Where,
    /// Save it first: in files of the runs' folders, which are read back; always so with `backup` under [policy] of mig.toml
    #[arg(long)]
    backup: bool,
    #[command(flatten)]
    artifacts: Artifacts,
    /// Wait this long for another executor to finish, or for a lost one's session to end
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    wait: u64,
    /// Print events, one JSON object a line
    #[arg(long)]
    json: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    let database = args.of.find(&project)?;
    let backup = backup(args, &project, &database)?;
    let due = wait(operate::collectible(&database, args.older_than.0))?;
    if due.is_empty() {
        terminal::say(if args.json { r#"{"event":"collected","runs":[]}"# } else { "nothing to collect" });
        return Ok(Outcome::Done);
    }
    let first = match &backup {
        Some(filing) => format!(", once it is saved in {}", filing.root.join("runs").display()),
        None => String::new(),
    };
    terminal::note(&format!("what these runs kept would be dropped for good{first}:\n{}", due.join("\n")));
    terminal::confirm(&format!("Drop it from {database}?"), args.yes)?;
    let wait_for = Duration::from_secs(args.wait);
    let request =
        GcRequest { older_than: args.older_than.0, backup, pace: Pace { lock_wait: wait_for, ..Pace::default() } };
    wait(operate::collect(&database, &request, args.json))
}

/// Where what the runs kept is saved before it is dropped, if it is.
fn backup(args: &Args, project: &Project, database: &Database) -> Result<Option<Filing>, Trouble> {
    let policy = project.policy().backup;
    if !policy && !args.backup {
        return Ok(None);
    }
    let filing = args.artifacts.filing(project, database, &args.of);
    if filing.is_none() {
        let (reason, who) = if policy {
            (Reason::Policy, "the policy drops nothing without a backup")
        } else {
            (Reason::Usage, "--backup saves first")
        };
        let says = format!("{who}, and files of runs are switched off: there is nowhere to put it");
        return Err(Trouble::new(reason, says)
            .untouched("nothing was dropped")
            .next("name a folder with --artifacts DIR, or leave out --no-artifacts and `artifacts = false`"));
    }
    Ok(filing)
}
