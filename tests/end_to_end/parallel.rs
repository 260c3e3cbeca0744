//! Several tables filled at the same time: their batches overlap, the journal stays one chain, and whatever ends the executor in the middle, the run
//! goes on or back from there.

use std::{process::Stdio, thread, time::Duration};

use crate::{
    common::{Database, Engine, Workspace},
    online::{Case, Clients, holds, planned, planned_for, shape},
    resumed::stopped,
};

/// Two tables with wider columns, one with a column of its own that is filled, and one whose values are overwritten and kept.
const CASE: Case = Case {
    engine: Engine::Postgres,
    base: "create table first (id integer primary key, amount integer not null);
        create table second (id integer primary key, amount integer not null, note text);
        create table third (id integer primary key, note text);
        insert into first select n, n from generate_series(1, 20000) n;
        insert into second select n, n, 'note ' || n from generate_series(1, 20000) n;
        insert into third select n, 'note ' || n from generate_series(1, 20000) n;
        create sequence ids start 100000;",
    edits: &[
        (
            "[table.first.columns]\nid     = \"integer\"\namount = \"integer\"",
            "[table.first.columns]\nid     = \"integer\"\namount = \"bigint\"",
        ),
        (
            "[table.second.columns]\nid     = \"integer\"\namount = \"integer\"",
            "[table.second.columns]\nid     = \"integer\"\nlabel  = \"text?\"\namount = \"bigint\"",
        ),
        (
            "[table.third]\n",
            "[transform.second]\nset.label = \"upper(note)\"\n\n[transform.third]\nset.note = \"note || '!'\"\nonce = \"louder\"\n\n[table.third]\n",
        ),
    ],
    old: &[
        "insert into first (id, amount) select n, 1 from nextval('ids') n",
        "update first set amount = amount + 1 where id between 7 and 9",
        "update second set amount = amount + 1 where id = 15000",
    ],
    new: &[],
    holds: &[
        ("select count(*) from first where id <= 20000 and amount = id", "20000"),
        ("select count(*) from second where amount = id and label = upper(note)", "20000"),
        ("select count(*) from third where note = 'note ' || id || '!'", "20000"),
        ("select count(*) from pg_class where relname like '\\_mig\\_%'", "0"),
        ("select count(*) from pg_trigger where tgname like 'zzz%'", "0"),
    ],
    rows: "select count(*), sum(amount) from first; select sum(amount), max(note) from second; select max(note), min(note) from third",
};

/// How many lines about one table's batches stand in the journal between those about another's.
const BETWEEN: &str = "with batch as (select seq, split_part(split_part(step, '/', 1), '.', 2) as about from mig.journal where event = 'batch')
    select count(*) > 0 from batch one join batch other on one.about <> other.about
    where other.seq > one.seq and exists (select from batch later where later.about = one.about and later.seq > other.seq)";

/// Whether the last run has written batches, and not all of them.
const HALF: &str =
    "with last as (select * from mig.journal where run = (select run from mig.journal order by seq desc limit 1))
    select exists (select from last where event = 'batch')
    and (select count(*) from last where event = 'step-done' and step like '%/backfill-%') < 3";

fn apply_with(work: &Workspace, database: &Database, more: &[&str]) {
    let args = work.apply_args(database);
    work.expect(0, &args.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>());
}

fn audited(work: &Workspace, database: &Database) {
    work.expect(0, &["audit", "verify", "--url", &database.url()]);
}

#[test]
fn tables_are_filled_at_the_same_time_while_clients_write() {
    let (work, database) = planned(&CASE);
    let clients = Clients::start(&database, CASE.old);
    apply_with(&work, &database, &["--through", "backfill"]);
    clients.stop();
    assert_eq!(database.query(BETWEEN).trim(), "t");
    audited(&work, &database);
    work.apply(&database);
    work.nothing_to_do(&database);
    assert_eq!(database.query("select count(*) from second where label is distinct from upper(note)").trim(), "0");
    assert_eq!(database.query("select count(*) from third where note = 'note ' || id || '!'").trim(), "20000");
}

#[test]
fn a_limit_of_one_fills_one_table_after_another() {
    let (work, database) = planned(&CASE);
    work.write("mig.toml", "parallel = 1\n");
    work.apply(&database);
    assert_eq!(database.query(BETWEEN).trim(), "f");
    holds(&CASE, &database);
}

/// A role that owns the tables and may have so many connections; gives the address for it.
fn narrow(database: &Database, connections: u32) -> String {
    let name = database.query("select current_database()").trim().to_owned();
    let role = format!("narrow_{name}");
    database.query(&format!(
        "create role {role} login connection limit {connections}; grant create on database {name} to {role};
         alter schema public owner to {role}; alter sequence ids owner to {role};
         alter table first owner to {role}; alter table second owner to {role}; alter table third owner to {role}"
    ));
    database.url().replace("postgres@", &format!("{role}@"))
}

#[test]
fn fewer_connections_than_tables_are_enough() {
    // Beside the session that has the lease and the one that watches there is room for one more, and for none.
    for (connections, says) in [(3, 1), (2, 1)] {
        let database = CASE.engine.database(CASE.base);
        let url = narrow(&database, connections);
        let work = planned_for(&CASE, &database);
        let args = work.apply_args(&database).into_iter().map(|word| word.replace(&database.url(), &url));
        let args: Vec<String> = args.collect();
        let out = work.expect(0, &args.iter().map(String::as_str).collect::<Vec<_>>());
        let notes = out.stderr.matches("fewer tables than allowed are filled at the same time").count();
        assert_eq!(notes, says, "{connections} connections: {}", out.stderr);
        assert_eq!(database.query(BETWEEN).trim(), "f");
        holds(&CASE, &database);
        audited(&work, &database);
        database.query(&format!(
            "reassign owned by narrow_{0} to postgres; drop owned by narrow_{0}; drop role narrow_{0}",
            database.query("select current_database()").trim()
        ));
    }
}

#[test]
fn a_run_that_is_killed_with_several_tables_half_filled_goes_on() {
    let (work, database) = planned(&CASE);
    apply_with(&work, &database, &["--through", "expand"]);
    let mut half = 0;
    for n in [5, 6, 7, 8, 9, 10, 11] {
        let Some(mut child) = stopped(&work, &database, n) else { break };
        half += usize::from(database.query(HALF).trim() == "t");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(half > 2, "killed in {half} places with batches done");
    work.apply(&database);
    audited(&work, &database);
    holds(&CASE, &database);
    work.nothing_to_do(&database);
}

#[test]
fn a_run_that_is_killed_with_several_tables_half_filled_goes_back() {
    let (work, database) = planned(&CASE);
    let (base, rows) = (shape(&database), database.query(CASE.rows));
    for (n, again) in [(9, None), (13, Some("--again")), (17, Some("--again"))] {
        let args: Vec<_> = ["--through", "expand"].into_iter().chain(again).collect();
        apply_with(&work, &database, &args);
        let mut child = stopped(&work, &database, n).unwrap();
        assert_eq!(database.query(HALF).trim(), "t", "point {n}");
        child.kill().unwrap();
        child.wait().unwrap();
        work.rollback(&database);
        assert_eq!(shape(&database), base, "taken back from point {n}");
        assert_eq!(database.query(CASE.rows), rows, "taken back from point {n}");
    }
    apply_with(&work, &database, &["--again"]);
    holds(&CASE, &database);
}

#[test]
fn all_tables_pause_and_stop_together() {
    const SLOW: Case = Case {
        base: "create table first (id integer primary key, note text); create table second (id integer primary key, note text);
            insert into first select n, 'note ' || n from generate_series(1, 8000) n;
            insert into second table first;",
        edits: &[
            ("[table.first.columns]\n", "[table.first.columns]\nlabel = \"text?\"\n"),
            ("[table.second.columns]\n", "[table.second.columns]\nlabel = \"text?\"\n"),
            (
                "[table.first]\n",
                "[transform.first]\nset.label = \"upper(note) || left(pg_sleep(0.001)::text, 0)\"\nbatch_rows = 50\n\n\
                 [transform.second]\nset.label = \"upper(note) || left(pg_sleep(0.001)::text, 0)\"\nbatch_rows = 50\n\n[table.first]\n",
            ),
        ],
        holds: &[
            ("select count(*) from first where label = upper(note)", "8000"),
            ("select count(*) from second where label = upper(note)", "8000"),
        ],
        ..CASE
    };
    let (work, database) = planned(&SLOW);
    let url = database.url();
    let args = work.apply_args(&database);
    let program = work.program().command(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let mut child = { program }.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let ask = |sql: &str| database.query(sql).trim().to_owned();
    let both = "select count(distinct step) from mig.journal where event = 'batch'";
    while ask("select to_regclass('mig.journal') is not null") == "f" || ask(both) != "2" {
        assert!(child.try_wait().unwrap().is_none());
        thread::sleep(Duration::from_millis(20));
    }
    let run = ask("select max(run) from mig.journal");
    let paused = work.expect(0, &["pause", &run, "--url", &url]).stdout;
    assert!(paused.contains("is paused"), "{paused}");
    let open =
        "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'mig%'
        and xact_start is not null and query not like '%mig.signal%' and state <> 'idle'";
    assert_eq!(ask(open), "0");
    let lines = ask("select count(*) from mig.journal where event = 'batch'");
    thread::sleep(Duration::from_secs(1));
    assert_eq!(ask("select count(*) from mig.journal where event = 'batch'"), lines);
    work.expect(0, &["resume", &run, "--url", &url]);
    while ask("select count(*) from mig.journal where event = 'batch'") == lines {
        thread::sleep(Duration::from_millis(20));
    }
    let stopped = work.expect(0, &["stop", &run, "--url", &url]).stdout;
    assert!(stopped.contains("has stopped"), "{stopped}");
    assert_eq!(child.wait().unwrap().code(), Some(5));
    work.apply(&database);
    audited(&work, &database);
    holds(&SLOW, &database);
}
