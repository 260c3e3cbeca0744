//! Looks through source files for names that a plan takes away.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use mig_plan::{Phase, Plan, leaving::Leaving};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    exit::{Reason, Trouble},
    project::Project,
};

/// How `mig scan` looks. Table `[scan]` of `mig.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// The files that are read, by name, with `*` and `?`; all texts unless set.
    #[schemars(example = ["*.py", "*.sql"])]
    files: Vec<String>,
    /// Files and folders that are not read, by path, with `*` and `?`. Hidden ones never are, nor specs, plans and evidence.
    #[schemars(example = ["node_modules", "migrations/*"])]
    ignore: Vec<String>,
    /// How code spells a name: `{name}` as it stands or in capitals, `{camel}` as `orderId`, `{pascal}` as `OrderId`. Found where no
    /// letter, digit or underscore is beside it.
    #[schemars(example = ["{name}", "{camel}"])]
    patterns: Vec<String>,
    /// What may be left.
    #[schemars(example = serde_json::json!([{ "name": "legacy_id", "path": "tools/*", "because": "reads the archive" }]))]
    allow: Vec<Allowed>,
}

impl Default for Settings {
    fn default() -> Self {
        let patterns = vec!["{name}".to_owned()];
        Self { files: Vec::new(), ignore: Vec::new(), patterns, allow: Vec::new() }
    }
}

/// A name that may be left in some files.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Allowed {
    /// The name, with `*` and `?`.
    #[schemars(example = &"legacy_id")]
    name: String,
    /// The files, by path, with `*` and `?`; all unless set.
    #[schemars(example = &"tools/*")]
    path: Option<String>,
    /// Why it may be left, for readers.
    #[schemars(example = &"reads the archive")]
    because: String,
}

/// A place where a name is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Hit {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) name: String,
    pub(crate) at: String,
    pub(crate) becomes: Option<String>,
    pub(crate) step: String,
    pub(crate) phase: Phase,
    /// The line, cut where it is long.
    pub(crate) text: String,
}

/// The most characters of a line that are shown.
const WIDE: usize = 160;
/// How much of a file is looked at to tell a text from anything else.
const HEAD: u64 = 8_000;

/// A name with the words that mean it.
struct Wanted<'a> {
    leaving: &'a Leaving,
    words: Vec<String>,
}

/// Every place below some paths where a name is left that the plan takes away.
pub(crate) fn scan(plan: &Plan, paths: &[PathBuf], project: &Project) -> Result<Vec<Hit>, Trouble> {
    let broken = |error| Trouble::new(Reason::Internal, format!("the plan's steps: {error}"));
    let (leaving, settings) = (plan.leaving().map_err(broken)?, project.scan());
    let wanted: Vec<_> =
        leaving.iter().map(|one| Wanted { words: words(one, &settings.patterns), leaving: one }).collect();
    let mut files = Vec::new();
    let own = [project.specs(), project.plans()].into_iter().chain(crate::artifacts::folder(project));
    let own: Vec<_> = own.filter_map(|path| path.canonicalize().ok()).collect();
    for path in paths {
        below(path, settings, &own, &mut files).map_err(|error| Trouble::file("read", path, &error))?;
    }
    files.sort();
    files.dedup();
    let mut hits = Vec::new();
    for file in files {
        look(&file, &wanted, settings, &mut hits).map_err(|error| Trouble::file("read", &file, &error))?;
    }
    Ok(hits)
}

/// Refuses a plan that goes on to its contract while names are left in the paths that policy names.
pub(crate) fn clear(plan: &Plan, through: Option<Phase>, project: &Project) -> Result<(), Trouble> {
    let paths: Vec<_> = project.policy().scan.iter().map(|path| project.at(path)).collect();
    if paths.is_empty() || through.is_some_and(|through| through < Phase::Contract) {
        return Ok(());
    }
    let mut hits = scan(plan, &paths, project)?;
    hits.retain(|hit| hit.phase == Phase::Contract);
    if hits.is_empty() {
        return Ok(());
    }
    let says = format!("policy lets no contract begin while code uses what it removes:\n{}", lines(&hits));
    Err(Trouble::new(Reason::Policy, says)
        .untouched("no database was touched")
        .next("change that code and deploy it; or allow the name under [scan] in mig.toml")
        .next("--through switch goes as far as old clients can work"))
}

/// Hits as lines for people.
pub(crate) fn lines(hits: &[Hit]) -> String {
    hits.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(hit: &Hit) -> String {
    let becomes = hit.becomes.as_ref().map_or("is removed".to_owned(), |name| format!("becomes {name}"));
    format!("{}:{}:{}: {} {becomes} by step {}\n    {}", hit.path, hit.line, hit.column, hit.at, hit.step, hit.text)
}

/// How code may spell a name.
fn words(leaving: &Leaving, patterns: &[String]) -> Vec<String> {
    let name = leaving.name.as_str();
    if leaving.value {
        return vec![format!("'{name}'"), format!("\"{name}\"")];
    }
    let mut words = Vec::new();
    for pattern in patterns {
        let (camel, pascal) = (camel(name, false), camel(name, true));
        let word = pattern.replace("{camel}", &camel).replace("{pascal}", &pascal);
        words.push(word.replace("{name}", name));
        words.push(word.replace("{name}", &name.to_uppercase()));
    }
    words.retain(|word| !word.is_empty());
    words.sort();
    words.dedup();
    words
}

fn camel(name: &str, mut up: bool) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c == '_' {
            up = !out.is_empty() || up;
        } else if up {
            out.extend(c.to_uppercase());
            up = false;
        } else {
            out.push(c);
        }
    }
    out
}

fn below(path: &Path, settings: &Settings, own: &[PathBuf], found: &mut Vec<PathBuf>) -> io::Result<()> {
    if fs::metadata(path)?.is_file() {
        found.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let shown = shown(&path);
        let ignored = settings.ignore.iter().any(|glob| like(glob, &name) || like(glob, &shown));
        if name.starts_with('.') || ignored || own.iter().any(|own| path.canonicalize().is_ok_and(|path| path == *own))
        {
            continue;
        }
        if kind.is_dir() {
            below(&path, settings, own, found)?;
        } else if kind.is_file() && (settings.files.is_empty() || settings.files.iter().any(|glob| like(glob, &name))) {
            found.push(path);
        }
    }
    Ok(())
}

fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}

/// Looks through one file, a line at a time.
fn look(path: &Path, wanted: &[Wanted<'_>], settings: &Settings, hits: &mut Vec<Hit>) -> io::Result<()> {
    let mut head = Vec::new();
    fs::File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    if head.contains(&0) {
        return Ok(());
    }
    let (shown, first) = (shown(path), hits.len());
    let allowed = |name: &str| {
        settings
            .allow
            .iter()
            .any(|one| like(&one.name, name) && one.path.as_ref().is_none_or(|glob| like(glob, &shown)))
    };
    let wanted: Vec<_> = wanted.iter().filter(|one| !allowed(&one.leaving.name)).collect();
    // A name that others bear too counts where the file names its table.
    let mut tables: Vec<(&str, bool)> =
        wanted.iter().filter_map(|one| Some((one.leaving.only_with.as_deref()?, false))).collect();
    let (mut reader, mut bytes) = (BufReader::new(fs::File::open(path)?), Vec::new());
    let mut conditional = Vec::new();
    for number in 1.. {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&bytes);
        for (table, seen) in &mut tables {
            *seen = *seen || !places(&text, table).is_empty();
        }
        for one in &wanted {
            let mut starts: Vec<_> = one.words.iter().flat_map(|word| places(&text, word)).collect();
            starts.sort_unstable();
            starts.dedup();
            for start in starts {
                let column = text[..start].chars().count() + 1;
                conditional.push(one.leaving.only_with.clone());
                hits.push(hit(one.leaving, &shown, number, column, &text));
            }
        }
    }
    let named = |table: &Option<String>| {
        table.as_ref().is_none_or(|t| tables.iter().any(|(name, seen)| *name == t.as_str() && *seen))
    };
    let kept: Vec<_> =
        hits.drain(first..).zip(&conditional).filter(|(_, table)| named(table)).map(|(hit, _)| hit).collect();
    hits.extend(kept);
    Ok(())
}

fn hit(leaving: &Leaving, path: &str, line: usize, column: usize, text: &str) -> Hit {
    Hit {
        path: path.to_owned(),
        line,
        column,
        name: leaving.name.clone(),
        at: if leaving.value { format!("{} '{}'", leaving.at, leaving.name) } else { leaving.at.to_string() },
        becomes: leaving.becomes.clone(),
        step: leaving.step.to_string(),
        phase: leaving.phase,
        text: text.trim().chars().take(WIDE).collect(),
    }
}

/// Where a word stands in a line, whole.
fn places(text: &str, word: &str) -> Vec<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let (opens, closes) = (word.starts_with(part), word.ends_with(part));
    text.match_indices(word)
        .filter(|(at, _)| {
            let (before, after) = (text[..*at].chars().next_back(), text[at + word.len()..].chars().next());
            !(opens && before.is_some_and(part) || closes && after.is_some_and(part))
        })
        .map(|(at, _)| at)
        .collect()
}

/// Whether a text is like a pattern in which `*` is any text and `?` any character.
fn like(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = rest.as_str();
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| like(rest, &text[at..]))
        }
        Some(first) => {
            let mut chars = text.chars();
            chars.next().is_some_and(|c| first == '?' || c == first) && like(rest.as_str(), chars.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_whole() {
        assert_eq!(places("old_id, t.old_id; cold_id old_ids Δold_id", "old_id"), [0, 10]);
        assert_eq!(places("x = 'new'", "'new'"), [4]);
    }

    #[test]
    fn names_have_spellings() {
        assert_eq!(
            (camel("order_item_id", false), camel("order_item_id", true)),
            ("orderItemId".into(), "OrderItemId".into())
        );
    }

    #[test]
    fn patterns_are_of_whole_texts() {
        assert!(like("src/*.rs", "src/a/b.rs") && like("?x*", "axe") && !like("*.rs", "a.rsx") && like("*", ""));
    }
}
