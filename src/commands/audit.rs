//! `mig audit`: the journal, proved and exported.

use std::path::PathBuf;

use crate::{
    artifacts, audit,
    commands::wait,
    exit::{Outcome, Trouble},
    files,
    project::Project,
    target::{Database, Where},
    terminal,
};

/// Prove that a database's journal is as it was written, or export it. Reads only.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Prove that no line of the journal was edited, removed, moved or cut off, and that every kept plan is the one that ran
    Verify {
        /// A run whose evidence is compared too; the chain is proved as a whole
        run: Option<String>,
        /// The folder of the evidence [default: artifacts of mig.toml, else artifacts, if the run's is there]
        #[arg(long, value_name = "DIR", requires = "run")]
        artifacts: Option<PathBuf>,
        #[command(flatten)]
        of: Where,
        /// Print the outcome as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the journal, or write it to a file
    Export {
        /// Only the lines of this run
        run: Option<String>,
        /// As an array of JSON objects, or as CSV with a header
        #[arg(long, value_name = "FORMAT", default_value = "json")]
        format: audit::Format,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        of: Where,
    },
}

/// Where the evidence of a run is: where it is said to be, or where it usually is, if it is there.
fn filed(
    run: &str,
    named: Option<&PathBuf>,
    project: &Project,
    database: &Database,
    of: &Where,
) -> Option<mig_executor::Filing> {
    if let Some(root) = named {
        return Some(artifacts::filing(root.clone(), database, of));
    }
    let usual = artifacts::filing(artifacts::folder(project)?, database, of);
    usual.folder(run).is_dir().then_some(usual)
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    match &args.what {
        What::Verify { run, artifacts, of, json } => {
            let database = of.find(&project)?;
            let filing = run.as_deref().and_then(|run| filed(run, artifacts.as_ref(), &project, &database, of));
            terminal::say(&wait(audit::verify(&database, run.as_deref(), filing.as_ref(), *json))?);
        }
        What::Export { run, format, out, of } => {
            let database = of.find(&project)?;
            let text = wait(audit::export(&database, run.as_deref(), *format))?;
            match out {
                Some(path) => files::write(path, text.as_bytes())?,
                None => terminal::say_bytes(text.as_bytes()),
            }
        }
    }
    Ok(Outcome::Done)
}
