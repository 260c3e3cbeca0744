//! What an operator does, and what happens to one: several executors, interruptions, a server that goes away, looking back, cleaning up.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use mig_test_support::postgres::Server;

use crate::common::{Database, ENGINES, Engine, TRANSACTIONAL, Workspace};

const NOTES: &str = "create table notes (id integer primary key, body text); insert into notes values (1, 'x');
    create table memos (id integer primary key, body text); insert into memos values (1, 'kept');";

fn strs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// Adds a column to `notes`, plans and signs.
fn add_column(work: &Workspace, database: &Database, column: &str) {
    work.edit("specs/schema.toml", "[table.notes.columns]", &format!("[table.notes.columns]\n{column} = \"text?\""));
    work.plan(database);
    work.sign();
}

/// A table with rows and a plan that fills a new column of it in many small batches.
fn batches(work: &Workspace, database: &Database) {
    batches_by(work, database, "upper(body)");
}

/// The same with an expression of the test's own.
fn batches_by(work: &Workspace, database: &Database, label: &str) {
    let rows = (1..=ROWS).map(|n| format!("({n}, 'b{n}')")).collect::<Vec<_>>().join(", ");
    database.query(&format!("insert into long values {rows}"));
    work.import(database);
    let file = "specs/schema.toml";
    work.edit(file, "[table.long.columns]", "[table.long.columns]\nlabel = \"text?\"");
    let text = fs::read_to_string(work.path().join(file)).unwrap();
    let transform = format!("\n[transform.long]\nset.label = \"{label}\"\nbatch_rows = 5\n");
    fs::write(work.path().join(file), text + &transform).unwrap();
    work.plan(database);
    work.sign();
}

const ROWS: usize = 20_000;
/// A millisecond for each row.
const SLOW: &str = "upper(body) || left(pg_sleep(0.001)::text, 0)";
const LONG: &str = "create table long (id integer primary key, body text);";
const DONE: &str = "select count(*) from long where label = upper(body)";

/// Starts an apply and returns when it has done its first batch.
fn in_the_middle(work: &Workspace, database: &Database) -> (Child, impl FnOnce() -> String + use<>) {
    let mut args = work.apply_args(database);
    args.push("--json".to_owned());
    let mut child = work.program().command(strs(&args)).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut said = String::new();
    let batch = lines.by_ref().find(|line| {
        said += &format!("{line}\n");
        line.contains("batch-done")
    });
    assert!(batch.is_some(), "no batch in:\n{said}");
    (child, move || lines.fold(said, |said, line| said + &line + "\n"))
}

/// Starts an apply that holds the lock and stops at its n-th write point.
fn held(work: &Workspace, database: &Database, n: usize) -> Child {
    let reached = work.path().join("reached");
    fs::write(&reached, "").unwrap();
    let args = work.apply_args(database);
    let program = work.program().env("MIG_STOP_AT", n.to_string()).env("MIG_STOPPED", reached.display().to_string());
    let mut child = program.command(strs(&args)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = std::time::Instant::now();
    while fs::read_to_string(&reached).unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none(), "point {n}");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_second_executor_leaves_and_the_next_one_goes_on() {
    for engine in TRANSACTIONAL {
        let database = engine.database(NOTES);
        let work = Workspace::new();
        work.import(&database);
        add_column(&work, &database, "author");
        let first = held(&work, &database, 4);
        let output = work.expect(7, &strs(&work.apply_args(&database)));
        assert!(output.stderr.contains("another executor holds the lock"), "{engine:?}: {}", output.stderr);
        kill(first);
        work.apply(&database);
        work.nothing_to_do(&database);
    }
}

#[test]
fn executors_at_once_do_nothing_twice() {
    for engine in TRANSACTIONAL {
        let database = engine.database(LONG);
        let work = Workspace::new();
        batches(&work, &database);
        let mut args = work.apply_args(&database);
        args.extend(["--wait".to_owned(), "60".to_owned()]);
        let start = |_| work.program().command(strs(&args)).spawn().unwrap();
        let all: Vec<Child> = (0..3).map(start).collect();
        for child in all {
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{engine:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let history = work.expect(0, &["history", "--url", &database.url(), "--json"]).stdout;
        assert_eq!(history.lines().count(), 1, "{engine:?}: one run\n{history}");
        assert_eq!(database.query(DONE).trim(), ROWS.to_string());
    }
}

#[test]
fn an_interrupt_stops_at_a_safe_point_and_apply_goes_on() {
    for engine in TRANSACTIONAL {
        let database = engine.database(LONG);
        let work = Workspace::new();
        batches(&work, &database);
        let (mut child, rest) = in_the_middle(&work, &database);
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let said = rest();
        assert_eq!(child.wait().unwrap().code(), Some(5), "{engine:?}: {said}");
        assert_ne!(database.query(DONE).trim(), ROWS.to_string(), "{engine:?}: it stopped in the middle");
        let status = work.expect(0, &["status", "--url", &database.url()]).stdout;
        assert!(status.contains("open"), "{engine:?}: {status}");
        work.apply(&database);
        assert_eq!(database.query(DONE).trim(), ROWS.to_string());
        work.nothing_to_do(&database);
    }
}

/// The id of the only run.
fn run_of(work: &Workspace, database: &Database) -> String {
    let history = work.expect(0, &["history", "--url", &database.url(), "--json"]).stdout;
    let value: serde_json::Value = serde_json::from_str(history.trim()).unwrap();
    value["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_is_paused_resumed_and_stopped_from_elsewhere() {
    let engine = Engine::Postgres;
    let database = engine.database(LONG);
    let work = Workspace::new();
    batches_by(&work, &database, SLOW);
    let (mut child, rest) = in_the_middle(&work, &database);
    let (run, url) = (run_of(&work, &database), database.url());
    let paused = work.expect(0, &["pause", &run, "--url", &url]).stdout;
    assert!(paused.contains(&format!("run {run} is paused")), "{engine:?}: {paused}");
    let done = database.query(DONE);
    assert_ne!(done.trim(), ROWS.to_string(), "{engine:?}: it stopped in the middle");
    let status = work.expect(0, &["status", "--url", &url]).stdout;
    assert!(status.contains("paused on request"), "{engine:?}: {status}");
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(database.query(DONE), done, "{engine:?}: nothing moves");
    let resumed = work.expect(0, &["resume", &run, "--url", &url]).stdout;
    assert!(resumed.contains("goes on"), "{engine:?}: {resumed}");
    let stopped = work.expect(0, &["stop", &run, "--url", &url]).stdout;
    assert!(stopped.contains("has stopped"), "{engine:?}: {stopped}");
    let said = rest();
    assert_eq!(child.wait().unwrap().code(), Some(5), "{engine:?}: {said}");
    assert!(said.contains("stopped on request of"), "{engine:?}: {said}");
    assert_ne!(database.query(DONE).trim(), ROWS.to_string(), "{engine:?}: it stopped in the middle");
    let idle = work.expect(0, &["stop", &run, "--url", &url]).stdout;
    assert!(idle.contains("nothing to stop"), "{engine:?}: {idle}");
    work.apply(&database);
    assert_eq!(database.query(DONE).trim(), ROWS.to_string());
    work.expect(1, &["pause", &run, "--url", &url]);
    work.expect(1, &["pause", "no-such-run", "--url", &url]);
}

#[test]
fn a_pause_waits_for_the_next_executor() {
    for engine in TRANSACTIONAL {
        let database = engine.database(LONG);
        let work = Workspace::new();
        batches(&work, &database);
        let (child, rest) = in_the_middle(&work, &database);
        kill(child);
        drop(rest);
        let (run, url) = (run_of(&work, &database), database.url());
        let begun = std::time::Instant::now();
        loop {
            let paused = work.expect(0, &["pause", &run, "--url", &url, "--wait", "0"]).stdout;
            if paused.contains("nobody is at work") {
                break;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{engine:?}: the killed executor's session is still there"
            );
        }
        let done = database.query(DONE);
        let child = work.program().command(strs(&work.apply_args(&database))).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(database.query(DONE), done, "{engine:?}: it waits");
        work.expect(0, &["resume", &run, "--url", &url]);
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0), "{engine:?}");
        assert_eq!(database.query(DONE).trim(), ROWS.to_string());
    }
}

#[test]
fn a_second_signal_cuts_the_statement_short() {
    let work = Workspace::new();
    let database = slow_validation(&work);
    let child = work.program().command(strs(&work.apply_args(&database))).stderr(Stdio::piped()).spawn().unwrap();
    until_it_validates(&database);
    let pid = child.id().to_string();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    signal("-TERM");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(database.query(VALIDATES).trim(), "1", "a first signal lets the statement end");
    signal("-TERM");
    let begun = std::time::Instant::now();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("second signal"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    assert_eq!(database.query(VALIDATES).trim(), "0");
}

/// A table whose check takes five seconds to validate, and a plan that adds it.
fn slow_validation(work: &Workspace) -> Database {
    let database = Engine::Postgres.database(
        "create function slow(int) returns boolean language sql volatile as 'select pg_sleep(0.05) is not null';
         create table big (id integer primary key); insert into big select generate_series(1, 100);",
    );
    work.import(&database);
    let spec = fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
    let check = "\n[[table.big.checks]]\nname = \"slow\"\nexpr = \"slow(id)\"\n";
    fs::write(work.path().join("specs/schema.toml"), spec + check).unwrap();
    work.plan(&database);
    let plan = fs::read_to_string(work.path().join("plan.json")).unwrap();
    assert!(plan.contains("VALIDATE CONSTRAINT"), "{plan}");
    work.sign();
    database
}

const VALIDATES: &str = "select count(*) from pg_stat_activity where datname = current_database() and query like '%VALIDATE%' and state = 'active' and pid <> pg_backend_pid()";

fn until_it_validates(database: &Database) {
    let begun = std::time::Instant::now();
    while database.query(VALIDATES).trim() == "0" {
        assert!(begun.elapsed() < Duration::from_secs(60), "no VALIDATE");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_a_killed_client_asked_for_is_over_before_anything_else_is_done() {
    let work = Workspace::new();
    let database = slow_validation(&work);
    let child = work.program().command(strs(&work.apply_args(&database))).spawn().unwrap();
    until_it_validates(&database);
    kill(child);
    assert_eq!(database.query(VALIDATES).trim(), "1", "the server works on for a client that is gone");
    let next = work.program().command(strs(&work.apply_args(&database))).spawn().unwrap();
    let most = std::thread::scope(|scope| {
        let looks = scope.spawn(|| {
            let look = || database.query(VALIDATES).trim().parse::<u32>().unwrap();
            (0..60).map(|_| (look(), std::thread::sleep(Duration::from_millis(100))).0).max().unwrap()
        });
        let output = next.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        looks.join().unwrap()
    });
    assert_eq!(most, 1, "never two at once");
    work.nothing_to_do(&database);
}

#[test]
fn a_server_that_goes_away_in_the_middle_loses_nothing() {
    let server = Server::start_own();
    let database = Database::Postgres(server.database(LONG));
    let work = Workspace::new();
    batches(&work, &database);
    let (mut child, rest) = in_the_middle(&work, &database);
    server.stop_immediate();
    server.start();
    let said = rest();
    let code = child.wait().unwrap().code();
    assert!(matches!(code, Some(0 | 1 | 6)), "{code:?}: {said}");
    work.apply(&database);
    assert_eq!(database.query(DONE).trim(), ROWS.to_string(), "first: {code:?}\n{said}");
    work.nothing_to_do(&database);
    work.rollback(&database);
}

#[test]
fn a_server_that_went_away_with_its_executor_goes_on() {
    let server = Server::start_own();
    let database = Database::Postgres(server.database(NOTES));
    let work = Workspace::new();
    work.import(&database);
    add_column(&work, &database, "author");
    let child = held(&work, &database, 5);
    server.stop_immediate();
    kill(child);
    let output = work.mig(&strs(&work.apply_args(&database)));
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    server.start();
    work.apply(&database);
    work.nothing_to_do(&database);
}

#[test]
fn old_runs_are_collected_and_then_not_taken_back() {
    for engine in TRANSACTIONAL {
        let database = engine.database(NOTES);
        let work = Workspace::new();
        work.import(&database);
        let spec = fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        let (memos, notes) = (spec.find("[table.memos]").unwrap(), spec.find("[table.notes]").unwrap());
        assert!(memos < notes, "{spec}");
        fs::write(work.path().join("specs/schema.toml"), &spec[notes..]).unwrap();
        work.plan(&database);
        work.sign();
        work.apply(&database);
        let kept = engine.pick(
            "select count(*) from sqlite_schema where name like '\\_mig\\_kept%' escape '\\'",
            "select count(*) from pg_class where relkind = 'r' and relnamespace = to_regnamespace('mig_trash')",
            "select count(*) from information_schema.tables where table_schema = database() and table_name like '\\_mig\\_kept%'",
        );
        assert_eq!(database.query(kept).trim(), "1", "{engine:?}");
        let url = database.url();
        let young = work.expect(0, &["gc", "--older-than", "7d", "--url", &url, "--yes"]);
        assert!(young.stdout.contains("nothing to collect"), "{}", young.stdout);
        let asked = work.expect(64, &["gc", "--older-than", "0s", "--url", &url]);
        assert!(asked.stderr.contains("plan.json") && asked.stderr.contains("--yes"), "{}", asked.stderr);
        assert_eq!(database.query(kept).trim(), "1", "{engine:?}: nothing was dropped");
        work.expect(0, &["gc", "--older-than", "0s", "--url", &url, "--yes"]);
        assert_eq!(database.query(kept).trim(), "0", "{engine:?}");
        let again = work.expect(0, &["gc", "--older-than", "0s", "--url", &url, "--yes"]);
        assert!(again.stdout.contains("nothing to collect"), "{}", again.stdout);
        let history = work.expect(0, &["history", "--url", &url]).stdout;
        assert!(history.contains("kept data dropped"), "{history}");
        let signers = work.signers.display().to_string();
        let back = ["rollback", "--plan", "plan.json", "--url", &url, "--allowed-signers", &signers, "--yes"];
        assert!(work.expect(1, &back).stderr.contains("mig gc"));
        work.nothing_to_do(&database);
    }
}

#[test]
fn a_run_waits_between_phases() {
    for engine in TRANSACTIONAL {
        let database = engine.database(NOTES);
        let work = Workspace::new();
        work.import(&database);
        work.edit("specs/schema.toml", "[table.notes.columns]", "[table.notes.columns]\nauthor = \"text?\"");
        let spec = fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        fs::write(work.path().join("specs/schema.toml"), &spec[spec.find("[table.notes]").unwrap()..]).unwrap();
        work.plan(&database);
        work.sign();
        let mut args = work.apply_args(&database);
        args.extend(["--through".to_owned(), "switch".to_owned()]);
        work.expect(0, &strs(&args));
        assert_eq!(database.query("select body from memos").trim(), "kept", "{engine:?}: contract has not begun");
        database.query("select author from notes");
        let status = work.expect(0, &["status", "--url", &database.url()]).stdout;
        assert!(status.contains("paused after switch") && status.contains("memos/drop"), "{engine:?}: {status}");
        let plan = ["plan", "--url", &database.url(), "--specs", "specs"];
        let spec = fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        work.edit("specs/schema.toml", "[table.notes.columns]", "[table.notes.columns]\nmore = \"text?\"");
        let refused = work.expect(1, &plan);
        assert!((refused.stdout + &refused.stderr).contains("is open and reserves"), "{engine:?}");
        fs::write(work.path().join("specs/schema.toml"), spec).unwrap();
        work.expect(0, &strs(&args));
        assert_eq!(database.query("select body from memos").trim(), "kept", "{engine:?}: still");
        work.apply(&database);
        work.nothing_to_do(&database);
        work.rollback(&database);
        assert_eq!(database.query("select body from memos").trim(), "kept", "{engine:?}: and back");
    }
}

#[test]
fn overlapping_runs_are_taken_back_in_reverse_order() {
    for engine in TRANSACTIONAL {
        let database = engine.database(NOTES);
        let work = Workspace::new();
        work.import(&database);
        for column in ["first", "second"] {
            add_column(&work, &database, column);
            work.apply(&database);
            for file in signatures(work.path()) {
                fs::remove_file(file).unwrap();
            }
        }
        let url = database.url();
        let history = work.expect(0, &["history", "--url", &url, "--json"]).stdout;
        let id =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["run"].as_str().unwrap().to_owned();
        let runs: Vec<String> = history.lines().map(id).collect();
        let refused = work.expect(3, &["rollback", &runs[0], "--url", &url, "--yes"]);
        assert!(refused.stderr.contains(&runs[1]) && refused.stderr.contains("reverse order"), "{}", refused.stderr);
        work.expect(0, &["rollback", &runs[1], "--url", &url, "--yes"]);
        work.expect(0, &["rollback", &runs[0], "--url", &url, "--yes"]);
        work.expect(0, &["rollback", &runs[0], "--url", &url, "--yes"]);
    }
}

#[test]
fn a_journal_that_was_changed_stops_everything() {
    for engine in TRANSACTIONAL {
        let database = engine.database(NOTES);
        let work = Workspace::new();
        work.import(&database);
        add_column(&work, &database, "author");
        work.apply(&database);
        database.query(engine.pick(
            "update _mig_journal set entry = replace(entry, 'alice', 'mallory') where seq = 1",
            "update mig.journal set entry = replace(entry::text, 'alice', 'mallory')::json where seq = 1",
            "update _mig_journal set entry = replace(entry, 'alice', 'mallory') where seq = 1",
        ));
        let url = database.url();
        for args in [vec!["status", "--url", &url], vec!["history", "--url", &url], strs(&work.apply_args(&database))] {
            let output = work.expect(6, &args);
            assert!(output.stderr.contains("line 1 of the journal"), "{engine:?}: {}", output.stderr);
        }
        work.expect(6, &["gc", "--older-than", "0s", "--url", &url, "--yes"]);
    }
}

#[test]
fn a_dry_run_writes_not_a_byte() {
    let database = Engine::Sqlite.database(NOTES);
    let Database::Sqlite(file) = &database else { unreachable!("it is SQLite") };
    let work = Workspace::new();
    work.import(&database);
    add_column(&work, &database, "author");
    let folder = || {
        let all = fs::read_dir(file.path().parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<_> = all.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        all.sort();
        all
    };
    let before = folder();
    let mut args = work.apply_args(&database);
    args.push("--dry-run".to_owned());
    let said = work.expect(0, &strs(&args)).stdout;
    assert!(said.contains("nothing was written"), "{said}");
    let names = |all: &[(std::path::PathBuf, Vec<u8>)]| all.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    assert_eq!(names(&folder()), names(&before));
    assert!(folder() == before, "a file changed");
}

#[test]
fn a_snapshot_gives_the_same_plan_as_the_database() {
    for engine in TRANSACTIONAL {
        let database = engine.database(NOTES);
        let work = Workspace::new();
        work.import(&database);
        add_column(&work, &database, "author");
        work.expect(0, &["pull", "--url", &database.url(), "--out", "live.json"]);
        work.expect(0, &["plan", "--live", "live.json", "--specs", "specs", "--out", "other.json"]);
        let read = |name: &str| fs::read_to_string(work.path().join(name)).unwrap();
        assert_eq!(read("plan.json"), read("other.json"), "{engine:?}");
    }
}

fn signatures(folder: &Path) -> Vec<std::path::PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|e| e == "sig")).collect()
}

#[test]
fn signatures_are_those_of_stock_openssh() {
    let database = Engine::Sqlite.database(NOTES);
    let work = Workspace::new();
    work.import(&database);
    add_column(&work, &database, "author");
    let ours = signatures(work.path()).remove(0);
    let keygen = |args: &[&str]| {
        let mut command = Command::new("ssh-keygen");
        command.args(args).current_dir(work.path()).stdin(fs::File::open(work.path().join("plan.json")).unwrap());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let (signers, key) = (work.signers.display().to_string(), work.key.path().display().to_string());
    let signature = ours.display().to_string();
    keygen(&["-Y", "verify", "-n", "mig-plan", "-f", &signers, "-I", "alice@example.com", "-s", &signature]);
    fs::remove_file(ours).unwrap();
    work.expect(3, &strs(&work.apply_args(&database)));
    keygen(&["-Y", "sign", "-n", "mig-plan", "-f", &key, "plan.json"]);
    assert!(work.path().join("plan.json.sig").exists());
    work.expect(0, &["verify", "plan.json", "--allowed-signers", &signers]);
    work.apply(&database);
}

#[test]
fn huge_and_odd_values_survive_there_and_back() {
    for engine in TRANSACTIONAL {
        let database = engine.database(NOTES);
        let huge = engine.pick("hex(zeroblob(4000000))", "repeat('0', 8000000)", "repeat('0', 8000000)");
        let odd = "'it''s \" a \\ line\nand \tanother: \u{1f980} \u{feff}%s $1 ?'";
        database.query(&format!("insert into notes values (2, {huge}), (3, {odd}), (-9, ''), (4, null);"));
        let work = Workspace::new();
        work.import(&database);
        work.edit("specs/schema.toml", "[table.notes.columns]", "[table.notes.columns]\nkind = \"text\"");
        let spec = fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        let spec = spec + "\n[transform.notes]\nset.kind = \"coalesce(body, 'none') || '!'\"\n";
        fs::write(work.path().join("specs/schema.toml"), spec).unwrap();
        let sums = "select id, length(body), substr(body, 1, 60) from notes order by id";
        let before = database.query(sums);
        work.plan(&database);
        work.sign();
        work.apply(&database);
        assert_eq!(database.query(sums), before, "{engine:?}");
        let filled = database.query("select count(*) from notes where kind = coalesce(body, 'none') || '!'");
        assert_eq!(filled.trim(), "5", "{engine:?}");
        work.rollback(&database);
        assert_eq!(database.query(sums), before, "{engine:?}");
    }
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() {
    for engine in ENGINES {
        let database = engine.database(NOTES);
        let work = Workspace::new();
        let url = database.url();
        let well = work.expect(0, &["doctor", "--url", &url]).stdout;
        assert!(well.contains("can be written") && well.contains("applied nothing here yet"), "{engine:?}: {well}");
        work.import(&database);
        add_column(&work, &database, "author");
        let mut args = work.apply_args(&database);
        args.extend(["--through".to_owned(), "expand".to_owned()]);
        work.expect(0, &strs(&args));
        let after = work.expect(0, &["doctor", "--url", &url, "--json"]).stdout;
        assert!(after.contains("lines follow on each other"), "{engine:?}: {after}");
    }
    let database = Engine::Postgres
        .database("create table t (id integer primary key, n integer); insert into t values (1, 7), (2, 7);");
    let Database::Postgres(postgres) = &database else { unreachable!("it is PostgreSQL") };
    assert!(postgres.try_psql("create unique index concurrently broken on t (n)").is_err());
    postgres.psql("alter table t add constraint positive check (n > 0) not valid");
    let work = Workspace::new();
    let sick = work.expect(1, &["doctor", "--url", &database.url()]);
    assert!(sick.stdout.contains("index public.broken of public.t is not valid"), "{}", sick.stdout);
    assert!(
        sick.stdout.contains("positive of public.t was never validated") && sick.stdout.contains("next: "),
        "{}",
        sick.stdout
    );
    assert!(sick.stderr.contains("1 thing is wrong"), "{}", sick.stderr);
    let nobody = work.expect(1, &["doctor", "--url", "postgres://postgres@127.0.0.1:1/none"]);
    assert!(nobody.stderr.contains("cannot connect"), "{}", nobody.stderr);
}

#[test]
fn a_spelling_is_accepted_on_a_persons_word() {
    let database = Engine::Postgres.database(
        "create function f(integer) returns boolean language sql immutable as 'select true';
         create table t (id integer primary key, n integer, constraint c check (f(n) and n > 1));",
    );
    let work = Workspace::new();
    work.import(&database);
    let url = database.url();
    let said = fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
    let check =
        said.lines().find(|line| line.trim_start().starts_with("expr")).unwrap_or_else(|| panic!("{said}")).to_owned();
    work.edit("specs/schema.toml", &check, "expr = \"n > 1 and f(n)\"");
    let plan = ["plan", "--url", &url, "--specs", "specs", "--detailed-exitcode"];
    let unknown = work.mig(&plan);
    assert_ne!(unknown.code, Some(0), "{}", unknown.stdout);
    let none = work.expect(1, &["accept", "table public.nothing", "--url", &url, "--yes"]);
    assert!(none.stderr.contains("the specs declare no table public.nothing"), "{}", none.stderr);
    work.expect(64, &["accept", "table public.t", "--url", &url]);
    let accepted = work.expect(0, &["accept", "table public.t", "--url", &url, "--yes"]);
    assert!(accepted.stdout.contains("accepted 1 spelling of table public.t"), "{}", accepted.stdout);
    assert!(accepted.stderr.contains("the specs say     n > 1 and f(n)"), "{}", accepted.stderr);
    work.expect(0, &plan);
    work.edit("specs/schema.toml", "[table.t.columns]", "[table.t.columns]\nmore = \"text\"");
    let more = work.expect(4, &["accept", "table public.t", "--url", &url, "--yes"]);
    assert!(more.stderr.contains("more than spelling differs"), "{}", more.stderr);
}

#[test]
fn a_rollback_says_beforehand_what_it_amounts_to() {
    for engine in TRANSACTIONAL {
        let database = engine.database(NOTES);
        let work = Workspace::new();
        work.import(&database);
        add_column(&work, &database, "author");
        work.apply(&database);
        let said = work.rollback(&database).stderr;
        assert!(said.contains("to take back"), "{engine:?}: {said}");
        assert!(*engine != Engine::Postgres || said.contains("1 step to take back, metadata only"), "{said}");
    }
}
