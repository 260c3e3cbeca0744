//! `mig.toml`: what a project says once, so that commands need not.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use mig_executor::{MonitorPolicy, sign::Policy};
use serde::Deserialize;

use crate::{
    exit::{Reason, Trouble},
    files,
};

/// The file's name.
pub(crate) const FILE: &str = "mig.toml";

/// The settings of a project, and where they stand.
#[derive(Debug, Default)]
pub(crate) struct Project {
    /// The folder that holds `mig.toml`, if there is one: paths in it are relative to this.
    folder: Option<PathBuf>,
    settings: Settings,
}

/// The content of `mig.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    engine: Option<String>,
    specs: Option<PathBuf>,
    plans: Option<PathBuf>,
    allowed_signers: Option<PathBuf>,
    revoked: Option<PathBuf>,
    targets: BTreeMap<String, Target>,
    policy: Policy,
    monitor: MonitorPolicy,
}

/// A database that the project names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// `env:NAME`, `file:PATH`, `cmd:COMMAND`, or the URL itself.
    pub(crate) url: String,
}

impl Project {
    /// The project of the current directory: the nearest `mig.toml` here or above. Without one, every setting is the default.
    pub(crate) fn find() -> Result<Self, Trouble> {
        let here = env::current_dir()
            .map_err(|error| Trouble::new(Reason::Input, format!("cannot tell the current directory: {error}")))?;
        for folder in here.ancestors() {
            let file = folder.join(FILE);
            if file.is_file() {
                return Self::read(&file, relative(folder, &here));
            }
        }
        Ok(Self::default())
    }

    fn read(file: &Path, folder: PathBuf) -> Result<Self, Trouble> {
        let text = files::read_text(file)?;
        let settings = toml::from_str(&text).map_err(|error| {
            let says = error.to_string();
            Trouble::new(Reason::Input, format!("{} cannot be used: {}", file.display(), says.trim_end()))
                .untouched("nothing was read or changed")
        })?;
        Ok(Self { folder: Some(folder), settings })
    }

    /// The engine that `mig.toml` names.
    pub(crate) fn engine(&self) -> Option<&str> {
        self.settings.engine.as_deref()
    }

    /// The folder of the specs.
    pub(crate) fn specs(&self) -> PathBuf {
        self.at(self.settings.specs.as_deref().unwrap_or(Path::new("specs")))
    }

    /// The folder of the plans.
    pub(crate) fn plans(&self) -> PathBuf {
        self.at(self.settings.plans.as_deref().unwrap_or(Path::new("plans")))
    }

    /// The file of those who may sign, if one is named.
    pub(crate) fn allowed_signers(&self) -> Option<PathBuf> {
        self.settings.allowed_signers.as_deref().map(|path| self.at(path))
    }

    /// The file of revoked keys, if one is named.
    pub(crate) fn revoked(&self) -> Option<PathBuf> {
        self.settings.revoked.as_deref().map(|path| self.at(path))
    }

    /// How many must sign.
    pub(crate) fn policy(&self) -> &Policy {
        &self.settings.policy
    }

    /// When a run hurts too much.
    pub(crate) fn monitor(&self) -> &MonitorPolicy {
        &self.settings.monitor
    }

    /// The databases that have names.
    pub(crate) fn targets(&self) -> &BTreeMap<String, Target> {
        &self.settings.targets
    }

    /// A path of `mig.toml` as seen from the current directory.
    pub(crate) fn at(&self, path: &Path) -> PathBuf {
        match &self.folder {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        }
    }
}

/// An ancestor of the current directory as a short path: empty for itself, so that messages say `specs/users.toml`.
fn relative(folder: &Path, here: &Path) -> PathBuf {
    if folder == here { PathBuf::new() } else { folder.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_settings_are_refused() {
        assert!(toml::from_str::<Settings>("engin = \"x\"").is_err());
        let settings: Settings = toml::from_str(
            "engine = \"x\"\n[targets.prod]\nurl = \"env:U\"\n[policy]\nsigners = 1\ncritical = { signers = 2 }\n",
        )
        .unwrap();
        assert_eq!(settings.targets["prod"].url, "env:U");
    }
}
