//! Where the evidence of runs is filed: the options, and what the project says.

use std::path::{Path, PathBuf};

use clap::Args;
use mig_executor::Filing;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    project::Project,
    target::{Database, Where},
};

/// The folder where nothing names another.
const USUAL: &str = "artifacts";

/// What `mig.toml` says of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Setting {
    /// Whether there is any.
    Wanted(bool),
    /// Its folder.
    Folder(PathBuf),
}

/// The options that say where evidence is filed.
#[derive(Args, Clone, Debug)]
pub(crate) struct Artifacts {
    /// File the evidence of the run below this folder [default: artifacts of mig.toml, else artifacts]
    #[arg(long, value_name = "DIR")]
    artifacts: Option<PathBuf>,
    /// File no evidence
    #[arg(long, conflicts_with = "artifacts")]
    no_artifacts: bool,
}

impl Artifacts {
    /// Where evidence is filed; nowhere if the options or the project say so.
    pub(crate) fn filing(&self, project: &Project, database: &Database, of: &Where) -> Option<Filing> {
        if self.no_artifacts {
            return None;
        }
        let root = match &self.artifacts {
            Some(folder) => folder.clone(),
            None => folder(project)?,
        };
        Some(filing(root, database, of))
    }
}

/// The project's folder for evidence; none if it wants none.
pub(crate) fn folder(project: &Project) -> Option<PathBuf> {
    match project.artifacts() {
        Some(Setting::Wanted(false)) => None,
        Some(Setting::Folder(folder)) => Some(project.at(folder)),
        Some(Setting::Wanted(true)) | None => Some(project.at(Path::new(USUAL))),
    }
}

/// The evidence of a database below a folder.
pub(crate) fn filing(root: PathBuf, database: &Database, of: &Where) -> Filing {
    Filing { root, database: database.to_string(), target: of.target.clone() }
}
