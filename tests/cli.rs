//! The command line: exit codes, refusals, and what every message says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers as well")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use mig_test_support::{
    keys::Key,
    program::{Output, Program},
    sqlite::{self, SqliteFile},
};
use tempfile::TempDir;

const BEFORE: &str = "CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);\
                      INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace');";
const AFTER: &str = "[table.users]\nprimary_key = [\"id\"]\n\n[table.users.columns]\nid = \"integer\"\nname = \"text\"\n\
                     age = \"integer?\"\n";

/// A project with a database, specs that ask for one more column, and a key that may sign.
struct Project {
    folder: TempDir,
    database: SqliteFile,
    key: Key,
    signers: PathBuf,
}

impl Project {
    fn new() -> Self {
        let (folder, database, key) = (tempfile::tempdir().unwrap(), sqlite::database(BEFORE), Key::new("alice"));
        fs::create_dir(folder.path().join("specs")).unwrap();
        fs::write(folder.path().join("specs/users.toml"), AFTER).unwrap();
        let signers = key.allowed_signers(&["alice@example.com"]);
        Self { folder, database, key, signers }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn mig(&self, args: &[&str]) -> Output {
        mig(self.folder.path(), args)
    }

    fn plan(&self, more: &[&str]) -> Output {
        let url = self.database.url();
        self.mig(&[&["plan", "--url", &url, "--specs", "specs"], more].concat())
    }

    fn apply(&self, more: &[&str]) -> Output {
        let (url, signers) = (self.database.url(), self.signers.display().to_string());
        self.mig(&[&["apply", "plan.json", "--url", &url, "--allowed-signers", &signers], more].concat())
    }

    fn sign(&self, key: &Key) {
        let signed = self.mig(&["sign", "plan.json", "--key", &key.path().display().to_string()]);
        assert_eq!(signed.code, Some(0), "{}", signed.stderr);
    }

    /// With a plan, signed.
    fn signed() -> Self {
        let project = Self::new();
        assert_eq!(project.plan(&["--out", "plan.json"]).code, Some(0));
        project.sign(&project.key);
        project
    }
}

fn mig(folder: &Path, args: &[&str]) -> Output {
    Program::new(env!("CARGO_BIN_EXE_mig"), folder).run(args)
}

/// The exit code, and that the message has what it must.
#[track_caller]
fn refused(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.code, Some(code), "{}{}", output.stdout, output.stderr);
    for word in words {
        assert!(output.stderr.contains(word), "`{word}` is not in:\n{}", output.stderr);
    }
}

#[test]
fn a_plan_runs_once() {
    let project = Project::signed();
    let applied = project.apply(&["--yes"]);
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    assert_eq!(project.database.query("select id, name, age from users order by id"), "1|Ada|\n2|Grace|");
    let again = project.apply(&["--yes"]);
    assert_eq!((again.code, again.stdout.starts_with("nothing to do")), (Some(0), true), "{}", again.stdout);
    assert_eq!(project.plan(&["--detailed-exitcode"]).code, Some(0));
}

#[test]
fn the_detailed_exit_code_tells_changes() {
    let project = Project::new();
    assert_eq!(project.plan(&["--detailed-exitcode"]).code, Some(2));
    assert_eq!(project.plan(&[]).code, Some(0));
}

#[test]
fn check_compares_bytes() {
    let project = Project::new();
    refused(&project.plan(&["--check", "plan.json"]), 3, &["there is no plan.json"]);
    assert_eq!(project.plan(&["--out", "plan.json"]).code, Some(0));
    assert_eq!(project.plan(&["--check", "plan.json"]).code, Some(0));
    fs::write(project.path("specs/users.toml"), AFTER.replace("age", "years")).unwrap();
    let stale = project.plan(&["--check", "plan.json"]);
    refused(&stale, 3, &["not what the specs compile to now", "mig plan --out plan.json"]);
    assert!(stale.stdout.contains("+") && stale.stdout.contains("years"), "{}", stale.stdout);
}

#[test]
fn an_unsigned_plan_is_refused_before_the_database_is_opened() {
    let project = Project::new();
    assert_eq!(project.plan(&["--out", "plan.json"]).code, Some(0));
    let signers = project.signers.display().to_string();
    let nowhere = ["apply", "plan.json", "--url", "sqlite:///nowhere/a.db", "--allowed-signers", &signers, "--yes"];
    refused(&project.mig(&nowhere), 3, &["nobody has signed", "no database was touched", "mig sign plan.json"]);
    refused(&project.mig(&["apply", "plan.json", "--yes"]), 3, &["nothing says who may sign", "--allowed-signers"]);
}

#[test]
fn signers_who_are_unknown_or_revoked_or_the_same_do_not_count() {
    let project = Project::new();
    assert_eq!(project.plan(&["--out", "plan.json"]).code, Some(0));
    project.sign(&Key::new("mallory"));
    refused(&project.apply(&["--yes"]), 3, &["no signature counts", "mallory"]);
    project.sign(&project.key);
    fs::write(project.path("revoked"), format!("{}\n", project.key.public())).unwrap();
    refused(&project.apply(&["--yes", "--revoked", "revoked"]), 3, &["is revoked"]);
    fs::copy(project.path("plan.json.alice.sig"), project.path("plan.json.again.sig")).unwrap();
    fs::write(project.path("mig.toml"), "[policy]\nsigners = 2\n").unwrap();
    refused(&project.apply(&["--yes"]), 3, &["2 distinct signers", "1 counted"]);
}

#[test]
fn what_is_not_the_plan_that_was_signed_is_refused() {
    let project = Project::signed();
    let bytes = fs::read(project.path("plan.json")).unwrap();
    let with = |bytes: &[u8]| {
        fs::write(project.path("plan.json"), bytes).unwrap();
        project.apply(&["--yes"])
    };
    refused(&with(&bytes[..bytes.len() / 2]), 1, &["not a mig plan", "no database was touched"]);
    let text = String::from_utf8(bytes.clone()).unwrap();
    refused(&with(text.replace("mig-plan/1", "mig-plan/9").as_bytes()), 1, &["mig-plan/9", "install the mig"]);
    refused(&with(text.replace("  ", "    ").as_bytes()), 1, &["reformatted"]);
    for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        let output = with(&flipped);
        assert!(matches!(output.code, Some(1 | 3)), "byte {at}: {:?} {}", output.code, output.stderr);
    }
    assert_eq!(project.database.query("select count(*) from pragma_table_info('users')"), "2");
    assert_eq!(with(&bytes).code, Some(0));
}

#[test]
fn a_plan_for_another_database_is_drift() {
    let project = Project::signed();
    project.database.query("ALTER TABLE users ADD COLUMN surprise text");
    refused(&project.apply(&["--yes"]), 4, &["surprise", "nothing was changed", "next:"]);
    project.database.query("DROP TABLE users");
    refused(&project.apply(&["--yes"]), 4, &["users"]);
}

#[test]
fn a_question_needs_a_terminal_or_yes() {
    let project = Project::signed();
    refused(&project.apply(&[]), 64, &["--yes", "nothing was done"]);
}

#[test]
fn a_dry_run_writes_nothing() {
    let project = Project::signed();
    let before = project.database.dump();
    let output = project.apply(&["--dry-run"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stdout.contains("nothing was written"), "{}", output.stdout);
    assert_eq!(project.database.dump(), before);
}

#[test]
fn wrong_usage_has_its_own_code() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["plan", "--bogus"][..], &["nonsense"], &[], &["apply"], &["explain", "MIG-X1"], &["rollback"]] {
        assert_eq!(mig(folder.path(), args).code, Some(64), "{args:?}");
    }
    refused(&mig(folder.path(), &["status"]), 64, &["no database is named", "--url"]);
    assert_eq!(mig(folder.path(), &["--help"]).code, Some(0));
}

#[test]
fn a_database_that_is_not_there_is_an_error_and_is_not_made() {
    let project = Project::new();
    let missing = project.path("none.db");
    let url = format!("sqlite://{}", missing.display());
    for args in [&["status", "--url", &url][..], &["plan", "--url", &url], &["import", "--url", &url, "--specs", "new"]]
    {
        refused(&project.mig(args), 1, &["none.db"]);
    }
    assert!(!missing.exists());
}

#[test]
fn passwords_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["postgres://me:hunter2@127.0.0.1:1/db", "postgres://127.0.0.1:1/db?user=me&password=hunter2"] {
        let output = mig(folder.path(), &["status", "--url", url]);
        assert_eq!(output.code, Some(1), "{}", output.stderr);
        assert!(!format!("{}{}", output.stdout, output.stderr).contains("hunter2"), "{}", output.stderr);
    }
    let output = mig(folder.path(), &["status", "--url", "hunter2"]);
    assert!(output.code == Some(64) && !output.stderr.contains("hunter2"), "{}", output.stderr);
}

#[test]
fn specs_show_all_their_errors_at_once() {
    let project = Project::new();
    fs::write(project.path("specs/a.toml"), "[table.users]\nprimary_keys = [\"id\"]\n").unwrap();
    fs::write(project.path("specs/b.toml"), "[table.t\n").unwrap();
    let output = project.mig(&["validate", "--engine", "sqlite"]);
    refused(&output, 1, &["MIG-E001", "MIG-E002", "specs/a.toml:2:1", "specs/b.toml:1", "primary_key"]);
}

#[test]
fn an_empty_folder_never_means_drop_everything() {
    let project = Project::new();
    fs::remove_file(project.path("specs/users.toml")).unwrap();
    refused(&project.plan(&[]), 1, &["no *.toml file", "no database was touched"]);
}

#[test]
fn a_snapshot_stands_for_the_database() {
    let project = Project::new();
    let url = project.database.url();
    assert_eq!(project.mig(&["pull", "--url", &url, "--out", "live.json"]).code, Some(0));
    assert_eq!(project.mig(&["plan", "--live", "live.json", "--out", "a.json"]).code, Some(0));
    assert_eq!(project.plan(&["--out", "b.json"]).code, Some(0));
    assert_eq!(fs::read(project.path("a.json")).unwrap(), fs::read(project.path("b.json")).unwrap());
}

#[test]
fn init_makes_a_project_that_works() {
    let project = Project::new();
    fs::remove_dir_all(project.path("specs")).unwrap();
    let made = project.mig(&["init", "--engine", "sqlite", "--url", &project.database.url()]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert_eq!(project.mig(&["import"]).code, Some(0));
    assert_eq!(project.mig(&["plan", "--detailed-exitcode"]).code, Some(0));
    assert_eq!(project.mig(&["drift"]).code, Some(0));
    refused(&project.mig(&["init", "--engine", "sqlite"]), 1, &["already", "nothing was written"]);
    fs::create_dir(project.path("deep")).unwrap();
    assert_eq!(mig(&project.path("deep"), &["drift"]).code, Some(0));
    project.database.query("CREATE TABLE more (id integer PRIMARY KEY)");
    refused(&project.mig(&["drift"]), 4, &["away from the specs"]);
}

#[test]
fn machines_read_json() {
    let project = Project::signed();
    let output = project.apply(&["--yes", "--json"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let events: Vec<serde_json::Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.last().unwrap()["event"], "done");
    let url = project.database.url();
    for command in ["status", "history"] {
        let output = project.mig(&[command, "--url", &url, "--json"]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output.stdout.lines().for_each(|line| drop(serde_json::from_str::<serde_json::Value>(line).unwrap()));
    }
    let plan = project.plan(&["--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&plan.stdout).unwrap()["changes"], false);
}
