//! How long it takes until a run waits for what hurts the clients: a lag, a latency, a blocker.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use mig_test_support::postgres::Server;

use crate::{change::Change, project::Project};

/// A row takes two milliseconds, so that the run lasts.
const SCHEMA: &str = "create table items (id integer primary key, body text);
    insert into items select n, 'b' || n from generate_series(1, 60000) n;
    create table lag (seconds float8); insert into lag values (0);
    create table pace (seconds float8); insert into pace values (0.002);
    create table other (id integer);";

const FILL: Change = Change {
    name: "slow fill",
    edit: ("[table.items.columns]", "[table.items.columns]\nlabel = \"text?\""),
    more: "\n[transform.items]\nset.label = \"upper(body) || left(pg_sleep(0.001)::text, 0)\"\nbatch_rows = 20\n",
    plain: "",
    new: "",
};

/// Injects each, three times, and prints how long it took until the run stood still.
pub(crate) fn measure(server: &Server) {
    let database = server.database(SCHEMA);
    let project = Project::new(&database, "detection");
    project.configure("[monitor]\nprobe = \"select pg_sleep(seconds) from pace\"\nlag = \"select seconds from lag\"\n");
    project.plan(&FILL, &database);
    let (mut run, events) = begun(&project, &database.url());
    let waits = |event: &serde_json::Value| event["event"] == "strained" && event["level"] == "wait";
    let goes_on = |event: &serde_json::Value| event["event"] == "batch-done";
    until(&events, goes_on);
    for (what, set, back) in [
        ("a lag of 90 s (the limit is 60 s)", "update lag set seconds = 90", "update lag set seconds = 0"),
        ("a probe that takes 30 ms (2 ms before)", "update pace set seconds = 0.03", "update pace set seconds = 0.002"),
    ] {
        let times: Vec<_> = (0..3)
            .map(|_| {
                database.psql(set);
                let took = until(&events, waits);
                database.psql(back);
                until(&events, goes_on);
                took.as_secs_f64()
            })
            .collect();
        println!("the run waits for {what} after {times:.1?} s");
    }
    let times: Vec<_> = (0..3)
        .map(|_| {
            thread::scope(|scope| {
                scope.spawn(|| database.psql("begin; lock table other; select pg_sleep(9); commit"));
                thread::sleep(Duration::from_millis(200));
                scope.spawn(|| database.psql("select count(*) from other"));
                let took = until(&events, waits);
                until(&events, goes_on);
                took.as_secs_f64()
            })
        })
        .collect();
    println!("the run waits for a client that waits for a lock (the limit is 5 s) after {times:.1?} s");
    run.kill().unwrap();
    run.wait().unwrap();
}

/// An apply with its events.
fn begun(project: &Project, url: &str) -> (Child, Receiver<serde_json::Value>) {
    let mut child = project.spawn(&["apply", "plan.json", "--json"], url, Stdio::piped());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (tell, events) = channel();
    thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if tell.send(serde_json::from_str(&line).unwrap()).is_err() {
                break;
            }
        }
    });
    (child, events)
}

/// Waits for an event that comes from now on; gives how long it took.
fn until(events: &Receiver<serde_json::Value>, wanted: impl Fn(&serde_json::Value) -> bool) -> Duration {
    let begun = Instant::now();
    // What came before is not what is waited for.
    events.try_iter().for_each(drop);
    while !wanted(&events.recv_timeout(Duration::from_secs(60)).unwrap()) {}
    begun.elapsed()
}
