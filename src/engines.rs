//! The list of engines: the only place, beside their own folders, that knows any of them by name.

use std::{future::Future, path::Path, pin::Pin};

use mig_compiler::spec::Engines;
use mig_executor::{Driver, Failure, Lookout};
use mig_plan::{Dialect, Name};

use crate::{
    exit::{Reason, Trouble},
    project::Project,
};

/// A connection in the making.
type Connecting = Pin<Box<dyn Future<Output = Result<Box<dyn Driver>, Failure>> + Send>>;

/// Makes a session beside the one that works.
type MakeLookout = fn(&str) -> Box<dyn Lookout>;

/// One engine as the door sees it.
pub(crate) struct Engine {
    /// Its name in specs, plans and `mig.toml`.
    pub(crate) name: &'static str,
    /// The schemes of its URLs.
    pub(crate) schemes: &'static [&'static str],
    /// The version that specs are checked for where no database says which: for PostgreSQL the newest, which lacks nothing.
    pub(crate) usual_version: &'static str,
    /// The schema that unqualified names mean where no database says which.
    pub(crate) usual_schema: Option<&'static str>,
    /// Its pure half for a version.
    pub(crate) dialect: fn(&str, Option<Name>) -> Box<dyn Dialect>,
    /// Opens a session.
    pub(crate) connect: fn(String) -> Connecting,
    /// A session to be had beside the one that works; `None` where a second one sees nothing.
    pub(crate) lookout: Option<MakeLookout>,
    /// Puts a URL of `mig.toml` into terms of the current directory.
    pub(crate) locate: fn(&str, &Project) -> String,
}

/// The names of all engines.
pub(crate) const NAMES: &[&str] = &[mig_sqlite::NAME, mig_postgres::NAME, mig_mysql::NAME];

/// Every engine.
pub(crate) const ENGINES: &[Engine] = &[
    Engine {
        name: mig_sqlite::NAME,
        schemes: mig_sqlite::SCHEMES,
        usual_version: "3",
        usual_schema: None,
        dialect: mig_sqlite::dialect,
        connect: |url| Box::pin(async move { mig_sqlite::connect(&url).await }),
        lookout: None,
        locate: beside_project,
    },
    Engine {
        name: mig_postgres::NAME,
        schemes: mig_postgres::SCHEMES,
        usual_version: "18",
        usual_schema: Some("public"),
        dialect: mig_postgres::dialect,
        connect: |url| Box::pin(async move { mig_postgres::connect(&url).await }),
        lookout: Some(mig_postgres::lookout),
        locate: |url, _| url.to_owned(),
    },
    Engine {
        name: mig_mysql::NAME,
        schemes: mig_mysql::SCHEMES,
        usual_version: "mariadb-10.11/utf8mb4_general_ci",
        usual_schema: None,
        dialect: mig_mysql::dialect,
        connect: |url| Box::pin(async move { mig_mysql::connect(&url).await }),
        lookout: Some(mig_mysql::lookout),
        locate: |url, _| url.to_owned(),
    },
];

impl Engine {
    /// Its pure half where no database says which version it has.
    pub(crate) fn usual_dialect(&self) -> Box<dyn Dialect> {
        self.usual_dialect_of(self.usual_version)
    }

    /// Its pure half for a version, where no database says which schema is the default.
    pub(crate) fn usual_dialect_of(&self, version: &str) -> Box<dyn Dialect> {
        let schema = self.usual_schema.map(|name| Name::new(name).expect("the usual schemas are plain words"));
        (self.dialect)(version, schema)
    }
}

/// What tells specs for an engine from those for others.
pub(crate) fn of_specs(this: &str) -> Engines<'_> {
    Engines { this, all: NAMES }
}

/// The engine of that name.
pub(crate) fn of_name(name: &str) -> Result<&'static Engine, Trouble> {
    ENGINES.iter().find(|engine| engine.name == name).ok_or_else(|| {
        Trouble::new(Reason::Input, format!("this mig has no engine `{name}`"))
            .untouched("nothing was read or changed")
            .next(format!("use one of: {}", names()))
    })
}

/// The engine of a URL.
pub(crate) fn of_url(url: &str) -> Result<&'static Engine, Trouble> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    ENGINES.iter().find(|engine| engine.schemes.contains(&scheme)).ok_or_else(|| {
        let schemes: Vec<_> = ENGINES.iter().flat_map(|engine| engine.schemes).map(|s| format!("{s}://")).collect();
        // The URL itself stays unsaid: what is no URL may be a secret in the wrong place.
        Trouble::new(Reason::Usage, "the database's URL has a scheme that no engine knows")
            .untouched("no database was touched")
            .next(format!("begin it with one of: {}", schemes.join(", ")))
    })
}

/// The names of all engines, for messages.
pub(crate) fn names() -> String {
    NAMES.join(", ")
}

/// A relative path in a file URL of `mig.toml` is relative to that file.
fn beside_project(url: &str, project: &Project) -> String {
    let Some((scheme, path)) = url.split_once("://") else { return url.to_owned() };
    if path.starts_with('/') {
        return url.to_owned();
    }
    format!("{scheme}://{}", project.at(Path::new(path)).display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_is_named() {
        assert!(ENGINES.iter().map(|engine| engine.name).eq(NAMES.iter().copied()));
    }

    #[test]
    fn schemes_are_distinct() {
        let mut schemes: Vec<_> = ENGINES.iter().flat_map(|engine| engine.schemes).collect();
        let all = schemes.len();
        schemes.sort();
        schemes.dedup();
        assert_eq!(schemes.len(), all);
    }
}
