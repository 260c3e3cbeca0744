//! Which database a command speaks to: `--url`, `--target`, or the project's only target; and its URL without secrets.

use std::{env, fmt, path::Path, process::Command};

use clap::Args;

use crate::{
    engines::{self, Engine},
    exit::{Reason, Trouble},
    files,
    project::Project,
};

/// The options that name a database.
#[derive(Args, Clone, Debug)]
pub(crate) struct Where {
    /// The database: a target of mig.toml
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Option<String>,
    /// The database: its URL, or env:NAME, file:PATH, cmd:COMMAND that gives it
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

/// A database, found.
pub(crate) struct Database {
    /// Its engine.
    pub(crate) engine: &'static Engine,
    /// Its URL, secrets included: never printed.
    pub(crate) url: String,
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_secrets(&self.url))
    }
}

impl Where {
    /// The database that the options or the project name.
    pub(crate) fn find(&self, project: &Project) -> Result<Database, Trouble> {
        let (reference, from_project) = match (&self.url, &self.target) {
            (Some(url), _) => (url.as_str(), false),
            (None, Some(name)) => (named(project, name)?, true),
            (None, None) => (only(project)?, true),
        };
        let url = resolve(reference, project, from_project)?;
        let engine = engines::of_url(&url)?;
        let url = if from_project { (engine.locate)(&url, project) } else { url };
        Ok(Database { engine, url })
    }
}

fn named<'a>(project: &'a Project, name: &str) -> Result<&'a str, Trouble> {
    match project.targets().get(name) {
        Some(target) => Ok(&target.url),
        None => Err(Trouble::new(Reason::Usage, format!("mig.toml names no target `{name}`")).next(known(project))),
    }
}

fn only(project: &Project) -> Result<&str, Trouble> {
    let mut targets = project.targets().values();
    match (targets.next(), targets.next()) {
        (Some(target), None) => Ok(&target.url),
        (Some(_), Some(_)) => Err(Trouble::new(Reason::Usage, "mig.toml names several targets").next(known(project))),
        (None, _) => Err(Trouble::new(Reason::Usage, "no database is named")
            .next("give --url URL, or name a target in mig.toml: [targets.NAME] with url = \"env:NAME\"")),
    }
}

fn known(project: &Project) -> String {
    let names: Vec<_> = project.targets().keys().map(String::as_str).collect();
    if names.is_empty() {
        "give --url URL".to_owned()
    } else {
        format!("give --target with one of: {}", names.join(", "))
    }
}

/// Follows a reference to the URL itself.
fn resolve(reference: &str, project: &Project, from_project: bool) -> Result<String, Trouble> {
    let input = |says: String| Trouble::new(Reason::Input, says).untouched("no database was touched");
    let url = if let Some(name) = reference.strip_prefix("env:") {
        env::var(name).map_err(|_| input(format!("the database's URL is in the variable {name}, which is not set")))?
    } else if let Some(path) = reference.strip_prefix("file:") {
        let path = Path::new(path);
        files::read_text(&if from_project { project.at(path) } else { path.to_owned() })?
    } else if let Some(command) = reference.strip_prefix("cmd:") {
        let output = Command::new("sh").args(["-c", command]).stderr(std::process::Stdio::inherit()).output();
        let output = output.map_err(|error| input(format!("the command that gives the URL cannot run: {error}")))?;
        if !output.status.success() {
            return Err(input(format!("the command that gives the URL failed: {}", output.status)));
        }
        String::from_utf8_lossy(&output.stdout).into_owned()
    } else {
        reference.to_owned()
    };
    Ok(url.trim().to_owned())
}

/// A URL as it may be shown: without a password, and without parameters that may be one.
pub(crate) fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.split_once(':').map_or_else(|| "a URL".to_owned(), |(scheme, _)| format!("{scheme}:..."));
    };
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    // A password may hold a `/` or `@` that should have been escaped: everything up to the last `@` counts as credentials.
    let shown = match rest.rsplit_once('@') {
        Some((credentials, place)) => {
            let user = credentials.split([':', '/']).next().unwrap_or_default();
            format!("{user}@{place}")
        }
        None => rest.to_owned(),
    };
    let query = query.map(|query| {
        let parts = query.split('&').map(|part| match part.split_once('=') {
            Some((key, _)) if is_secret(key) => format!("{key}=..."),
            _ => part.to_owned(),
        });
        format!("?{}", parts.collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{shown}{}", query.unwrap_or_default())
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["password", "passwd", "secret", "token", "sslkey", "sslpassword"].iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("x://me:p@ss/word@h:5/db", "x://me@h:5/db"),
            ("x://h/db?user=me&password=p&sslmode=require", "x://h/db?user=me&password=...&sslmode=require"),
            ("x:///tmp/a.db", "x:///tmp/a.db"),
            ("x://me@h/db", "x://me@h/db"),
            ("nonsense", "a URL"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
