//! `mig validate`: specs checked without a database.

use std::path::PathBuf;

use crate::{
    exit::{Outcome, Trouble},
    project::Project,
    spec_files, terminal, wiring,
};

/// Check all specs without a database, and show everything that is wrong at once.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The folder of the specs [default: specs of mig.toml, or ./specs]
    #[arg(long, value_name = "DIR")]
    specs: Option<PathBuf>,
    /// The engine that they are for [default: engine of mig.toml]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    let project = Project::find()?;
    let specs = spec_files::read(&args.specs.clone().unwrap_or_else(|| project.specs()))?;
    let engine = spec_files::engine(args.engine.as_deref(), &project)?;
    match wiring::validate(&specs, engine) {
        Ok(objects) => {
            let (count, files) = (specs.len(), if specs.len() == 1 { "file" } else { "files" });
            terminal::say(&format!("{count} {files}, {objects} objects: valid for {}", engine.name));
            Ok(Outcome::Done)
        }
        Err(found) => Err(spec_files::invalid(&found, &specs)),
    }
}
