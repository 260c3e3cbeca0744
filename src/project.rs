//! `mig.toml`: what a project says once, so that commands need not.

use std::{
    collections::BTreeMap,
    env,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use mig_executor::{MonitorPolicy, sign::Policy};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Deserialize;

use crate::{
    artifacts::Setting,
    engines,
    exit::{Reason, Trouble},
    files, scan,
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

/// What a project says once, so that commands need not. Paths are relative to the file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Project")]
struct Settings {
    /// The engine of the databases; where it is missing, commands that need no database ask for `--engine`.
    engine: Option<String>,
    /// The folder of the specs; `specs` without it.
    #[schemars(example = &"specs")]
    specs: Option<PathBuf>,
    /// The folder of the plans; `plans` without it.
    #[schemars(example = &"plans")]
    plans: Option<PathBuf>,
    /// The file of those who may sign, as `ssh-keygen` describes it under ALLOWED SIGNERS.
    #[schemars(example = &"allowed_signers")]
    allowed_signers: Option<PathBuf>,
    /// A file of public keys that no longer count: a signature by one of them is bad, and bad refuses.
    #[schemars(example = &"revoked_keys")]
    revoked: Option<PathBuf>,
    /// The databases that `--target` names. The only one of them needs no naming.
    #[schemars(example = serde_json::json!({ "main": { "url": "env:DATABASE_URL" } }))]
    targets: BTreeMap<String, Target>,
    /// How many distinct people must have signed a plan before it may run.
    #[schemars(example = serde_json::json!({ "signers": 1, "critical": { "signers": 2 } }))]
    policy: Policy,
    /// The folder below which the evidence of runs is filed, or `false` for none; `artifacts` without it.
    #[schemars(example = &"artifacts")]
    artifacts: Option<Setting>,
    /// How source files are looked through for names that a plan takes away.
    #[schemars(example = serde_json::json!({ "files": ["*.py"], "ignore": ["vendor"] }))]
    scan: scan::Settings,
    /// What is watched while a plan is applied, and what happens when clients suffer.
    #[schemars(example = serde_json::json!({ "latency_percent": 30, "patience": "10m" }))]
    monitor: MonitorPolicy,
    /// How many tables a run fills at the same time, each in a session of its own, where the plan lets it be more than one; 2 without it.
    #[schemars(example = 4)]
    parallel: Option<NonZeroUsize>,
}

/// A database that the project names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// Where its URL comes from: `env:NAME`, `file:PATH`, `cmd:COMMAND`; or the URL itself, if there is no secret in it.
    #[schemars(example = &"env:DATABASE_URL")]
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

    /// How source files are looked through.
    pub(crate) fn scan(&self) -> &scan::Settings {
        &self.settings.scan
    }

    /// When a run hurts too much.
    pub(crate) fn monitor(&self) -> &MonitorPolicy {
        &self.settings.monitor
    }

    /// How many tables a run fills at the same time.
    pub(crate) fn parallel(&self) -> NonZeroUsize {
        const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
        self.settings.parallel.unwrap_or(TWO)
    }

    /// Where the evidence of runs is filed, if it is said.
    pub(crate) fn artifacts(&self) -> Option<&Setting> {
        self.settings.artifacts.as_ref()
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

/// The JSON Schema (2020-12) of `mig.toml`, as pretty JSON with a final newline.
pub(crate) fn json_schema() -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Settings>();
    if let Some(engine) = schema.pointer_mut("/properties/engine").and_then(|value| value.as_object_mut()) {
        let names: Vec<_> = engines::ENGINES.iter().map(|engine| engine.name).collect();
        engine.insert("examples".to_owned(), names[..1].into());
        engine.insert("enum".to_owned(), names.into());
    }
    let mut text = serde_json::to_string_pretty(&schema).expect("a JSON value always encodes");
    text.push('\n');
    text
}

/// An ancestor of the current directory as a short path: empty for itself, so that messages say `specs/users.toml`.
fn relative(folder: &Path, here: &Path) -> PathBuf {
    if folder == here { PathBuf::new() } else { folder.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::published::published;

    #[test]
    fn the_published_schema_and_reference_are_current() {
        let schema = json_schema();
        published("specs/project.schema.json", &schema);
        let intro = "`mig.toml` stands in the project's folder and is found from every folder below it. `mig schema project` \
                     prints its JSON Schema.";
        published("docs/reference/project.md", &mig_compiler::reference("mig.toml", intro, &schema));
    }

    #[test]
    fn every_setting_is_described_by_an_example_that_is_one() {
        let schema: serde_json::Value = serde_json::from_str(&json_schema()).unwrap();
        let definitions = schema["$defs"].as_object().unwrap().values().chain([&schema]);
        for (key, value) in definitions.filter_map(|one| one["properties"].as_object()).flatten() {
            assert!(value["description"].is_string(), "{key} has no description");
            assert!(value["examples"].as_array().is_some_and(|all| !all.is_empty()), "{key} has no example");
        }
        for (key, value) in schema["properties"].as_object().unwrap() {
            for example in value["examples"].as_array().unwrap() {
                serde_json::from_value::<Settings>(serde_json::json!({ key: example })).unwrap();
            }
        }
    }

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
