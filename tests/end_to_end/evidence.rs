//! The folder that a run leaves for people who were not there.

use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use crate::common::{Database, ENGINES, Engine, Workspace};

const USERS: &str = "create table users (id integer primary key, name varchar(100)); \
    insert into users values (1, 'Ann'), (2, 'a \"quoted\" name'), (3, null);";

const SPEC: &str = "\n[transform.users]\nset.slug = \"lower(name)\"\n\n\
    [[check]]\nname = \"as many as before\"\nsql = \"select count(*) from users\"\nexpect = \"unchanged\"\n\n\
    [[check]]\nname = \"every name has a slug\"\nwhen = \"after\"\n\
    sql = \"select count(*) from users where name is not null and slug is null\"\nexpect = 0\n\n\
    [[probe]]\nname = \"a user needs an id\"\nsql = \"insert into users (id, name) values (1, 'x')\"\nexpect_error = \"\"\n\n\
    [[dataset]]\nname = \"users, all\"\nwhen = \"both\"\nsql = \"select id, name from users order by id\"\n";

fn prepared(engine: Engine) -> (Workspace, Database) {
    let database = engine.database(USERS);
    let work = Workspace::new();
    work.import(&database);
    let file = "specs/schema.toml";
    work.edit(file, "[table.users.columns]", "[table.users.columns]\nslug = \"varchar(100)?\"");
    let text = fs::read_to_string(work.path().join(file)).unwrap();
    work.write(file, &(text + SPEC));
    work.plan(&database);
    work.sign();
    (work, database)
}

fn folder(work: &Workspace, root: &str) -> PathBuf {
    let runs: Vec<_> =
        fs::read_dir(work.path().join(root).join("runs")).unwrap().map(|run| run.unwrap().path()).collect();
    let [run] = runs.as_slice() else { panic!("one run: {runs:?}") };
    run.clone()
}

fn json(path: PathBuf) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn strs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

#[test]
fn a_run_files_what_it_found_did_and_proved() {
    for engine in ENGINES {
        let (work, database) = prepared(*engine);
        let mut args = work.apply_args(&database);
        args.extend(["--through", "expand"].map(str::to_owned));
        work.expect(0, &strs(&args));
        let folder = folder(&work, "artifacts");
        assert_eq!(json(folder.join("report.json"))["status"], "paused", "{engine:?}");
        work.apply(&database);
        let before = fs::read_to_string(folder.join("01-extract/01-users--all.before.jsonl")).unwrap();
        let lines: Vec<serde_json::Value> = before.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3, "{engine:?}: {before}");
        assert_eq!(lines[1]["name"], "a \"quoted\" name", "{engine:?}");
        assert!(lines[2]["name"].is_null(), "{engine:?}");
        let meta = json(folder.join("01-extract/01-users--all.after.meta.json"));
        assert_eq!(meta["rows"], 3, "{engine:?}: {meta}");
        let manifest = json(folder.join("manifest.json"));
        assert!(!manifest.to_string().contains("password"), "{engine:?}: {manifest}");
        for file in manifest["files"].as_array().unwrap() {
            let path = folder.join(file["path"].as_str().unwrap());
            let sum = std::process::Command::new("sha256sum").arg(&path).output().unwrap();
            let sum = String::from_utf8(sum.stdout).unwrap();
            let told = file["sha256"].as_str().unwrap().trim_start_matches("sha256:");
            assert!(sum.starts_with(told), "{engine:?}: {file}: {sum}");
        }
        let report = json(folder.join("report.json"));
        assert_eq!(report["status"], "done", "{engine:?}: {report}");
        assert_eq!(report["sessions"], 2, "{engine:?}: {report}");
        let verdicts: Vec<_> = report["checks"].as_array().unwrap().iter().map(|check| &check["verdict"]).collect();
        assert_eq!(verdicts, ["holds", "holds"], "{engine:?}: {report}");
        assert_eq!(report["checks"][0]["before"]["first"], report["checks"][0]["after"]["first"], "{engine:?}");
        assert_eq!(report["probes"][0]["verdict"], "holds", "{engine:?}: {report}");
        let fills: Vec<_> =
            report["steps"].as_array().unwrap().iter().filter(|step| step["kind"] == "backfill").collect();
        assert!(fills.iter().all(|step| step["result"]["state"] == "done"), "{engine:?}: {report}");
        let page = fs::read_to_string(folder.join("report.md")).unwrap();
        assert!(page.contains("done and verified") && page.contains("alice@example.com"), "{engine:?}: {page}");
        let run = folder.file_name().unwrap().to_str().unwrap();
        work.expect(0, &["audit", "verify", run, "--url", &database.url()]);
        work.rollback(&database);
        assert_eq!(json(folder.join("report.json"))["status"], "rolled-back", "{engine:?}");
        work.expect(0, &["audit", "verify", run, "--url", &database.url()]);
        fs::write(folder.join("01-extract/01-users--all.before.jsonl"), "{}\n").unwrap();
        let found = work.expect(6, &["audit", "verify", run, "--url", &database.url()]);
        assert!(found.stderr.contains("01-users--all.before.jsonl was changed"), "{engine:?}: {}", found.stderr);
    }
}

#[test]
fn what_cannot_be_filed_is_not_begun() {
    for engine in ENGINES {
        let (work, database) = prepared(*engine);
        let before = database.schema();
        work.write("taken", "a file");
        let mut args = work.apply_args(&database);
        args.extend(["--artifacts", "taken"].map(str::to_owned));
        let refused = work.expect(1, &strs(&args));
        assert!(refused.stderr.contains("the evidence of the run cannot be written"), "{engine:?}: {}", refused.stderr);
        assert_eq!(database.schema(), before, "{engine:?}");
        let history = work.expect(0, &["history", "--url", &database.url()]).stdout;
        assert!(history.contains("nothing here"), "{engine:?}: {history}");
    }
}

/// A limit on the size of files fills the disk for this process only.
#[test]
fn a_full_disk_stops_the_run_before_the_database_is_touched() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let (work, database) = prepared(engine);
        let wide = format!("insert into users select id + 10, '{}' from users", "x".repeat(90));
        (0..14).for_each(|n| drop(database.query(&wide.replace("+ 10", &format!("+ {}", 10 << n)))));
        let dump = database.schema();
        let program = env!("CARGO_BIN_EXE_mig");
        let args = work.apply_args(&database).join(" ");
        let script = format!("trap '' XFSZ; ulimit -f 700; exec {program} {args}");
        let output =
            std::process::Command::new("bash").args(["-c", &script]).current_dir(work.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{engine:?}: {said}");
        assert!(said.contains("the evidence of the run cannot be written"), "{engine:?}: {said}");
        assert_eq!(database.schema(), dump, "{engine:?}");
        assert_eq!(fs::read_dir(work.path().join("artifacts/runs")).unwrap().count(), 0, "{engine:?}: nothing is left");
        let history = work.expect(0, &["history", "--url", &database.url()]).stdout;
        assert!(history.contains("nothing here"), "{engine:?}: {history}");
        work.apply(&database);
    }
}

#[test]
fn evidence_can_be_refused() {
    let (work, database) = prepared(Engine::Sqlite);
    let mut args = work.apply_args(&database);
    args.push("--no-artifacts".to_owned());
    work.expect(0, &strs(&args));
    assert!(!work.path().join("artifacts").exists());
}

/// Starts an apply, waits until it stands at its n-th point, and kills it there.
fn killed_at(work: &Workspace, database: &Database, n: usize) {
    let reached = work.path().join("reached");
    fs::write(&reached, "").unwrap();
    let args = work.apply_args(database);
    let program = work.program().env("MIG_STOP_AT", n.to_string()).env("MIG_STOPPED", reached.display().to_string());
    let mut child = program.command(strs(&args)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while fs::read_to_string(&reached).unwrap().is_empty() && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "point {n}");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_run_completes_its_folder() {
    for engine in ENGINES {
        for n in [5, 9, 14] {
            let (work, database) = prepared(*engine);
            killed_at(&work, &database, n);
            // What was written to the file may have been cut in the middle of a line.
            let runs = fs::read_dir(work.path().join("artifacts/runs")).unwrap().map(|run| run.unwrap().path());
            for journal in runs.map(|run| run.join("03-apply/journal.jsonl")).filter(|path| path.exists()) {
                let text = fs::read_to_string(&journal).unwrap();
                fs::write(&journal, &text[..text.len() - text.len().min(7)]).unwrap();
            }
            work.apply(&database);
            let history = work.expect(0, &["history", "--url", &database.url(), "--json"]).stdout;
            let run: serde_json::Value = serde_json::from_str(history.lines().last().unwrap()).unwrap();
            let run = run["run"].as_str().unwrap();
            let report = json(work.path().join("artifacts/runs").join(run).join("report.json"));
            assert_eq!(report["status"], "done", "{engine:?}, {n}: {report}");
            work.expect(0, &["audit", "verify", run, "--url", &database.url()]);
        }
    }
}
