//! The monitor on a real server: what hurts the clients is seen within seconds, and the run waits for as long as it lasts.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use crate::common::{Database, Engine, Workspace};

/// Within this time a run must have stopped working.
const SOON: Duration = Duration::from_secs(10);

/// What nobody measures may take as long as a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A table to fill a row a millisecond, and what the test makes the monitor see.
const SCHEMA: &str = "create table long (id integer primary key, body text);
    insert into long select n, 'b' || n from generate_series(1, 12000) n;
    create table lag (seconds float8); insert into lag values (0);
    create table pace (seconds float8); insert into pace values (0.02);
    create table other (id integer);";

/// A project whose plan fills a column in small batches, watched.
fn project(database: &Database, monitor: &str) -> Workspace {
    let work = Workspace::new();
    work.write("mig.toml", &format!("[monitor]\n{monitor}\n"));
    work.import(database);
    let file = "specs/schema.toml";
    work.edit(file, "[table.long.columns]", "[table.long.columns]\nlabel = \"text?\"");
    let text = fs::read_to_string(work.path().join(file)).unwrap();
    let fill = "upper(body) || left(pg_sleep(0.001)::text, 0)";
    let transform = format!("\n[transform.long]\nset.label = \"{fill}\"\nbatch_rows = 20\n");
    work.write(file, &(text + &transform));
    work.plan(database);
    work.sign();
    work
}

/// A run with its events and when they came.
struct Run {
    child: Child,
    events: Receiver<serde_json::Value>,
}

impl Run {
    fn start(work: &Workspace, database: &Database) -> Self {
        let mut args = work.apply_args(database);
        args.push("--json".to_owned());
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let mut child = work.program().command(args).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, events) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = tell.send(serde_json::from_str(&line).unwrap());
            }
        });
        let run = Self { child, events };
        run.until(PATIENCE, |event| event["event"] == "batch-done");
        run
    }

    /// Waits for an event; gives it and how long it took.
    fn until(&self, most: Duration, wanted: impl Fn(&serde_json::Value) -> bool) -> (serde_json::Value, Duration) {
        let begun = Instant::now();
        let mut others = Vec::new();
        loop {
            match self.events.recv_timeout(most.saturating_sub(begun.elapsed())) {
                Ok(event) if wanted(&event) => return (event, begun.elapsed()),
                Ok(event) => others.push(event),
                Err(_) => panic!("no such event within {most:?}, only {others:?}"),
            }
        }
    }

    fn waits_because(&self, what: &str) {
        let waits = |event: &serde_json::Value| event["event"] == "strained" && event["level"] == "wait";
        let (event, took) = self.until(SOON, waits);
        assert!(event["says"].as_str().unwrap().contains(what), "{event}");
        assert!(took < SOON, "{what}: the run waits after {took:?}");
    }

    fn goes_on(&self) {
        self.until(PATIENCE, |event| event["event"] == "noted" && event["says"].as_str().unwrap().contains("goes on"));
        self.until(PATIENCE, |event| event["event"] == "batch-done");
    }
}

#[test]
fn what_hurts_clients_is_seen_within_ten_seconds() {
    let database = Engine::Postgres.database(SCHEMA);
    let Database::Postgres(server) = &database else { unreachable!("it is PostgreSQL") };
    let work = project(&database, "probe = \"select pg_sleep(seconds) from pace\"\nlag = \"select seconds from lag\"");
    let mut run = Run::start(&work, &database);

    database.query("update lag set seconds = 90");
    run.waits_because("a replica is 90s behind");
    let done = "select count(*) from long where label is not null";
    let before = database.query(done);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(database.query(done), before, "nothing moves while it waits");
    database.query("update lag set seconds = 0");
    run.goes_on();

    database.query("update pace set seconds = 0.3");
    run.waits_because("the probe takes");
    database.query("update pace set seconds = 0.02");
    run.goes_on();

    let url = server.url();
    std::thread::scope(|scope| {
        scope.spawn(|| server.psql("begin; lock table other; select pg_sleep(12); commit"));
        std::thread::sleep(Duration::from_millis(500));
        scope.spawn(|| server.psql("select count(*) from other"));
        run.waits_because("waits for a lock");
        let status = work.expect(0, &["status", "--url", &url]).stdout;
        assert!(status.contains("held up") && status.contains("behind process"), "{status}");
    });
    run.goes_on();
    while run.events.recv().is_ok() {}
    assert_eq!(run.child.wait().unwrap().code(), Some(0));
    assert_eq!(database.query("select count(*) from long where label = upper(body)").trim(), "12000");
    let kept =
        "select string_agg(event, ' ' order by seq) from mig.journal where event in ('baseline', 'strained', 'eased')";
    let kept = database.query(kept);
    assert!(kept.starts_with("baseline strained") && kept.contains(" eased"), "the evidence is kept: {kept}");
}

#[test]
fn a_run_that_waits_in_vain_is_taken_back_if_policy_says_so() {
    let database = Engine::Postgres.database(SCHEMA);
    let work = project(&database, "lag = \"select seconds from lag\"\npatience = \"2s\"\nthen = \"undo\"");
    let mut run = Run::start(&work, &database);
    database.query("update lag set seconds = 90");
    let (stopped, _) = run.until(PATIENCE, |event| event["event"] == "stopped");
    assert_eq!(stopped["exit"], 5, "{stopped}");
    assert!(stopped["says"].as_str().unwrap().contains("was rolled back, as policy says"), "{stopped}");
    assert_eq!(run.child.wait().unwrap().code(), Some(5));
    assert!(!database.schema().contains("label"), "nothing of the run stands");
}

#[test]
fn a_probe_that_cannot_be_asked_stops_before_the_first_step() {
    let database = Engine::Postgres.database(SCHEMA);
    let work = project(&database, "probe = \"select no_such_column from pace\"");
    let args = work.apply_args(&database);
    let said = work.expect(1, &args.iter().map(String::as_str).collect::<Vec<_>>()).stderr;
    assert!(said.contains("[monitor] in mig.toml") && said.contains("no_such_column"), "{said}");
    assert!(!database.schema().contains("label"));
}

#[test]
fn an_engine_without_a_second_session_goes_on_unwatched() {
    for engine in [Engine::Sqlite, Engine::MariaDb] {
        let database = engine.database("create table t (id integer primary key); insert into t values (1);");
        let work = Workspace::new();
        work.write("mig.toml", "[monitor]\nlock_wait = \"3s\"\n");
        work.import(&database);
        work.edit("specs/schema.toml", "[table.t.columns]", "[table.t.columns]\nlabel = \"int?\"");
        work.plan(&database);
        work.sign();
        work.apply(&database);
        work.nothing_to_do(&database);
    }
}
