//! The walls of the house: which crate may know which, what the pure halves may use, and where an engine may be named.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers as well")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn engines() -> Vec<String> {
    let folders = fs::read_dir(root().join("executor/engines")).unwrap();
    folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Every crate that a crate is built from, itself left out.
fn dependencies(package: &str, more: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "tree",
        "--locked",
        "--offline",
        "-e",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "-p",
        package,
    ]);
    let output = cargo.args(more).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty());
    names.filter(|name| *name != package).map(str::to_owned).collect()
}

fn ours(package: &str, more: &[&str]) -> Vec<String> {
    dependencies(package, more).into_iter().filter(|name| name == "mig" || name.starts_with("mig-")).collect()
}

#[test]
fn every_arrow_points_down() {
    assert_eq!(ours("mig-plan", &[]), [""; 0]);
    assert_eq!(ours("mig-compiler", &[]), ["mig-plan"]);
    assert_eq!(ours("mig-executor", &[]), ["mig-plan"]);
    for engine in engines() {
        let package = format!("mig-{engine}");
        assert_eq!(ours(&package, &[]), ["mig-executor", "mig-plan"], "{package}");
        assert_eq!(ours(&package, &["--no-default-features"]), ["mig-plan"], "the pure half of {package}");
    }
}

#[test]
fn the_pure_halves_have_no_means_of_io() {
    let means =
        ["tokio", "mio", "socket2", "sqlx-core", "rand", "rand_core", "getrandom", "chrono", "time", "tempfile"];
    let mut pure = vec![("mig-plan".to_owned(), vec![]), ("mig-compiler".to_owned(), vec![])];
    pure.extend(engines().into_iter().map(|engine| (format!("mig-{engine}"), vec!["--no-default-features"])));
    for (package, more) in pure {
        let found = dependencies(&package, &more);
        let bad: Vec<_> = means.iter().filter(|name| found.contains(**name)).collect();
        assert!(bad.is_empty(), "{package} depends on {bad:?}");
    }
}

/// The Rust files of a folder, those of tests left out.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "tests" | "target" | "examples" | "docs") && !name.starts_with('.') {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The code of a file: no comments, and nothing from its test module on.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The parts of the standard library that a code names: `std::fs`, and each of `std::{fs, ...}`.
fn std_parts(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("std::") {
        let rest = &code[at + 5..];
        match rest.strip_prefix('{') {
            None => drop(found.insert(word(rest))),
            Some(group) => found.extend(top_level(group).iter().map(|part| word(part.trim_start()))),
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The parts of a group up to its closing brace, nested groups with them.
fn top_level(group: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => parts.push(String::new()),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                parts.last_mut().unwrap().push(c);
            }
        }
    }
    parts
}

#[test]
fn the_pure_halves_name_no_io_and_no_unordered_map() {
    let mut files = Vec::new();
    sources(&root().join("plans/format/src"), &mut files);
    sources(&root().join("compiler/src"), &mut files);
    for engine in engines() {
        sources(&root().join("executor/engines").join(engine).join("src/dialect"), &mut files);
    }
    assert!(files.len() > 20, "the folders have moved");
    let mut bad = Vec::new();
    for file in files {
        let code = code(&file);
        let parts = std_parts(&code);
        for part in ["fs", "env", "net", "time", "process", "thread", "os"] {
            if parts.contains(part) {
                bad.push(format!("{}: std::{part}", file.display()));
            }
        }
        for name in ["HashMap", "HashSet", "rand::", "SystemTime", "Instant::now", "RandomState"] {
            if code.contains(name) {
                bad.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn engines_are_named_in_their_folders_and_in_the_list_only() {
    let mut files = Vec::new();
    for folder in ["src", "compiler/src", "executor/src", "plans/format/src"] {
        sources(&root().join(folder), &mut files);
    }
    let names = engines();
    let mut bad = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("src/engines.rs")) {
        let code = code(file).to_lowercase();
        bad.extend(names.iter().filter(|name| code.contains(*name)).map(|name| format!("{}: {name}", file.display())));
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn groups_of_imports_are_understood() {
    let found = std_parts("use std::{collections::{BTreeMap, btree_map}, fs::File, fmt};\nlet x = std::env::args();");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["collections", "env", "fmt", "fs"]);
}
