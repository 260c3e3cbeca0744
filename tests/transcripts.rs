//! The examples' READMEs are what the command really prints. `MIG_BLESS=1` writes what it prints now into them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers as well")]

#[path = "../examples/support/transcript.rs"]
mod transcript;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mig_test_support::postgres;
use transcript::{Piece, parse};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Runs a line as a shell would, both outputs in one stream, away from the caller's settings.
fn run(line: &str, folder: &Path, variables: &[(&str, String)]) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_mig")).parent().unwrap();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin.to_owned()].into_iter().chain(env::split_paths(&path))).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec 2>&1; {line}")]).current_dir(folder).stdin(Stdio::null());
    for name in ["SSH_AUTH_SOCK", "DATABASE_URL", "MIG_STOP_AT", "MIG_CRASH_LIST", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.env("PATH", path).env("HOME", folder).env("NO_COLOR", "1").env("LC_ALL", "C.UTF-8");
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Replays an example's README in a copy of its folder.
fn replay(name: &str, variables: &[(&str, String)]) {
    let folder = tempfile::tempdir().unwrap();
    copy(&example(name), folder.path());
    replay_page(&example(name).join("README.md"), folder.path(), variables);
}

/// Replays a page's commands in a folder.
fn replay_page(readme: &Path, folder: &Path, variables: &[(&str, String)]) {
    let written = fs::read_to_string(readme).unwrap();
    let mut now = parse(&written);
    for piece in &mut now {
        if let Piece::Run(command) = piece {
            command.output = run(&command.line, folder, variables);
        }
    }
    let (was, is) = (redact(&written), redact(&unparse(&now)));
    if was == is {
        return;
    }
    if env::var_os("MIG_BLESS").is_some() {
        fs::write(readme, unparse(&now)).unwrap();
        return;
    }
    let diff = similar::TextDiff::from_lines(&was, &is).unified_diff().header("the page", "now").to_string();
    panic!("{} is not what happens (MIG_BLESS=1 rewrites it):\n{diff}", readme.display());
}

/// The text of pieces.
fn unparse(pieces: &[Piece]) -> String {
    let one = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Run(command) => format!("$ {}\n{}", command.line, command.output),
    };
    pieces.iter().map(one).collect()
}

/// What differs from run to run, made alike.
fn redact(text: &str) -> String {
    in_order(&alike(text))
}

/// Backfills that go on at the same time end in any order; here they stand in that of the plan.
fn in_order(text: &str) -> String {
    let number = |line: &str| -> Option<u32> {
        let (number, _) = line.strip_prefix('[').filter(|_| line.contains("/backfill-"))?.split_once('/')?;
        number.parse().ok()
    };
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    for side_by_side in lines.chunk_by_mut(|a, b| number(a).is_some() && number(b).is_some()) {
        side_by_side.sort_by_key(|line| number(line));
    }
    lines.concat()
}

/// Digests, run ids, key fingerprints, times, ports and server versions in one spelling.
fn alike(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (taken, written) = redacted(rest, out.chars().last()).unwrap_or((c.len_utf8(), &rest[..c.len_utf8()]));
        out.push_str(written);
        rest = &rest[taken..];
    }
    out
}

/// How many bytes at the start differ from run to run, and what stands for them.
fn redacted(rest: &str, before: Option<char>) -> Option<(usize, &'static str)> {
    let run = |from: usize, ok: fn(char) -> bool| rest[from..].find(|c| !ok(c)).unwrap_or(rest.len() - from);
    let starts = |prefix: &str| rest.starts_with(prefix).then_some(prefix.len());
    if before.is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    if let Some(at) = starts("sha256:") {
        return Some((at + run(at, |c| c.is_ascii_hexdigit()), "sha256:DIGEST"));
    }
    if let Some(at) = starts("SHA256:") {
        return Some((at + run(at, |c| c.is_ascii_alphanumeric() || "+/".contains(c)), "SHA256:KEY"));
    }
    if let Some(at) = starts("127.0.0.1:") {
        return Some((at + run(at, |c| c.is_ascii_alphanumeric() || "/_-".contains(c)), "HOST"));
    }
    if let Some(at) = starts("postgres ") {
        let digits = run(at, |c| c.is_ascii_digit());
        return (digits > 0).then_some((at + digits, "postgres VERSION"));
    }
    let digits = run(0, |c| c.is_ascii_digit());
    if digits > 0 && rest[digits..].starts_with(" ms") && !rest[digits..].starts_with(" ms each") {
        return Some((digits + 3, "TIME"));
    }
    let id = run(0, |c| c.is_ascii_hexdigit() || c == '-');
    if digits == 8 && id >= 22 && rest.as_bytes()[8] == b'-' && rest.as_bytes()[15] == b'-' {
        return Some((id, "RUN"));
    }
    None
}

#[test]
fn sqlite_first_plan() {
    replay("01-sqlite-first-plan", &[]);
}

#[test]
fn postgres_first_plan() {
    let database = postgres::server().database("");
    replay("02-postgres", &[("DATABASE_URL", database.url())]);
}

#[test]
fn story_to_thread() {
    let database = postgres::server().database("");
    replay("03-story-to-thread", &[("DATABASE_URL", database.url())]);
}

#[test]
fn domain_identity() {
    let database = postgres::server().database("");
    replay("04-domain-identity", &[("DATABASE_URL", database.url())]);
}

#[test]
fn start_here() {
    let database = postgres::server().database("");
    let folder = tempfile::tempdir().unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/start.md");
    replay_page(&page, folder.path(), &[("DATABASE_URL", database.url())]);
}

#[test]
fn texts_survive_cutting() {
    for name in ["01-sqlite-first-plan", "02-postgres", "03-story-to-thread", "04-domain-identity"] {
        let text = fs::read_to_string(example(name).join("README.md")).unwrap();
        assert_eq!(unparse(&parse(&text)), text);
    }
}

#[test]
fn what_differs_is_made_alike() {
    let text = "run 20261120-145425-abc123: 3 steps sha256:00ff, SHA256:ab+/c 12 ms, about 500 ms each";
    assert_eq!(redact(text), "run RUN: 3 steps sha256:DIGEST, SHA256:KEY TIME, about 500 ms each");
}

#[test]
fn backfills_that_end_in_any_order_are_told_in_that_of_the_plan() {
    let text = "[1/9] t/sync-a: TIME\n[10/9] u/backfill-c: TIME\n[2/9] t/backfill-b: TIME\n[3/9] t/keep-d: TIME\n";
    let told = "[1/9] t/sync-a: TIME\n[2/9] t/backfill-b: TIME\n[10/9] u/backfill-c: TIME\n[3/9] t/keep-d: TIME\n";
    assert_eq!(in_order(text), told);
}
