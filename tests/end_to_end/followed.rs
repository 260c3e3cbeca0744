//! What clients do to a table while another is filled from it: every row that they add, change or remove counts, up to the switch.

use std::{
    fs,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crate::{
    common::{Database, ENGINES, Engine, Workspace, cells},
    populated::{letters, split},
};

/// What is in the new tables and not among what the old one gives, and the other way round: nothing, once all is followed.
fn differences(engine: Engine) -> String {
    let id = engine.pick("'letter_' || id", "'letter_' || id", "concat('letter_', id)");
    let weight = engine.pick("cast(weight as text)", "weight::text", "cast(weight as char)");
    let given = format!(
        "select {id} as thread, 'body' as part, body as content from letters \
         union all select {id}, 'weight', {weight} from letters where weight is not null"
    );
    let pairs = [
        (
            "select name, letters from people".to_owned(),
            "select sender, count(*) from letters group by sender".to_owned(),
        ),
        ("select id, owner from threads".to_owned(), format!("select {id}, sender from letters")),
        ("select thread, part, content from entries".to_owned(), given),
    ];
    let both = pairs.iter().flat_map(|(made, given)| [(made, given), (given, made)]);
    let counts =
        both.map(|(a, b)| format!("(select count(*) from (select * from ({a}) a except select * from ({b}) b) x)"));
    format!("select {};", counts.collect::<Vec<_>>().join(" + "))
}

/// People that vanish with their only letter, others that come with one; texts that change in letters only.
const CHANGES: &str = "update letters set body = 'letter 3' where id = 3;
    update letters set sender = 'p9', weight = null where id = 4;
    update letters set weight = 77 where id = 10;
    delete from letters where sender = 'p5';
    delete from letters where id = 8;
    update letters set id = 500 where id = 9;
    insert into letters values (601, 'p8', 'new', 5), (602, 'p0', 'new', null);";

const GROUPED: &str = "group_by = [\"sender\"]\nset.name = \"sender\"\nset.letters = \"count(*)\"";

fn through(work: &Workspace, database: &Database, phase: &str) {
    let mut args = work.apply_args(database);
    args.extend(["--through", phase].map(str::to_owned));
    work.expect(0, &args.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Plans the split of the letters, which stay.
fn planned(engine: Engine) -> (Workspace, Database) {
    let database = letters(engine);
    let work = Workspace::new();
    work.import(&database);
    let stays = fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
    split(&work, engine, GROUPED);
    work.write("specs/letters.toml", &stays);
    work.plan(&database);
    work.sign();
    (work, database)
}

#[test]
fn what_clients_do_to_a_source_is_followed() {
    for engine in ENGINES {
        let (work, database) = planned(*engine);
        through(&work, &database, "backfill");
        database.query(CHANGES);
        assert_ne!(database.query(&differences(*engine)).trim(), "0", "{engine:?}: nothing to follow");
        through(&work, &database, "switch");
        assert_eq!(database.query(&differences(*engine)).trim(), "0", "{engine:?}");
        let found = database.query("select content from entries where thread = 'letter_3' and part = 'body';");
        assert_eq!(found.trim(), "letter 3", "{engine:?}");
        // From then on the rows are the clients'.
        database.query(
            "update entries set content = 'theirs' where thread = 'letter_1'; insert into people values ('theirs', 0);",
        );
        work.apply(&database);
        let theirs = "select (select count(*) from entries where content = 'theirs'), (select letters from people where name = 'theirs');";
        assert_eq!(cells(database.query(theirs).trim()), ["2", "0"], "{engine:?}");
        work.nothing_to_do(&database);
        work.rollback(&database);
        let mut again = work.apply_args(&database);
        again.push("--again".to_owned());
        work.expect(0, &again.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(database.query(&differences(*engine)).trim(), "0", "{engine:?}: applied again");
    }
}

#[test]
fn a_run_begun_anew_leaves_the_rows_that_clients_wrote_after_the_switch() {
    for engine in ENGINES {
        let (work, database) = planned(*engine);
        through(&work, &database, "switch");
        database.query(
            "update entries set content = 'theirs' where thread = 'letter_1'; insert into people values ('theirs', 0);",
        );
        database.query(engine.pick(
            "delete from _mig_journal; delete from _mig_document; delete from _mig_remembered;",
            "drop schema mig cascade;",
            "delete from _mig_journal; delete from _mig_document; delete from _mig_remembered;",
        ));
        work.apply(&database);
        let theirs = "select (select count(*) from entries where content = 'theirs'), (select letters from people where name = 'theirs');";
        assert_eq!(cells(database.query(theirs).trim()), ["2", "0"], "{engine:?}");
    }
}

#[test]
fn declared_rows_and_the_source_that_counts_stay_as_they_are() {
    for engine in ENGINES {
        let text = engine.key_text();
        let database = engine.database(&format!(
            "create table old_names (id integer not null primary key, name {text} not null);
             create table new_names (id integer not null primary key, name {text} not null);
             insert into old_names values (1, 'a'), (2, 'b'), (3, 'c'), (9, 'z');
             insert into new_names values (2, 'B'), (4, 'D');"
        ));
        let work = Workspace::new();
        work.import(&database);
        let spec = |second: &str| {
            format!(
                "[table.names]\nprimary_key = [\"id\"]\nrows = [{{ id = 9, name = \"declared\" }}]\n[table.names.columns]\nid = \"integer\"\n\
                 name = \"{text}\"\n\n[[transform.names]]\nfrom = \"old_names\"\nset.id = \"id\"\nset.name = \"name\"\n\n\
                 [[transform.names]]\nfrom = \"new_names\"\nset.id = \"id\"\nset.name = \"name\"\non_conflict = \"{second}\"\n"
            )
        };
        // The second source's row of a key that both have, first or last.
        for (word, both) in [("skip", "b2"), ("update", "B2")] {
            work.write("specs/names.toml", &spec(word));
            work.plan(&database);
            work.sign();
            through(&work, &database, "backfill");
            database.query(
                "update old_names set name = 'b2' where id = 2; update new_names set name = 'B2' where id = 2;
                 update new_names set name = 'D2' where id = 4; delete from old_names where id = 3;
                 insert into new_names values (1, 'A'); delete from old_names where id = 1;",
            );
            work.apply(&database);
            let found = cells(database.query("select id, name from names order by id;").trim_end());
            assert_eq!(found, ["1", "A", "2", both, "4", "D2", "9", "declared"], "{engine:?}: {word}");
            work.rollback(&database);
            database.query(
                "delete from new_names where id = 1; insert into old_names values (1, 'a'), (3, 'c');
                 update old_names set name = 'b' where id = 2; update new_names set name = 'B' where id = 2;",
            );
        }
    }
}

/// Lets the clients rest when it goes, also where a test fails.
struct Rest<'a>(&'a AtomicBool);

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn clients_beside_a_run_that_is_killed_lose_nothing() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let (work, database) = planned(engine);
        let done = AtomicBool::new(false);
        let rest = Rest(&done);
        thread::scope(|scope| {
            let rest = rest;
            scope.spawn(|| {
                let mut n = 1000;
                while !done.load(Ordering::SeqCst) {
                    n += 1;
                    database.query(&format!(
                        "insert into letters values ({n}, 'q{}', 'beside', {n}); update letters set weight = {n}, body = 'b{n}' where id = {};
                         update letters set sender = 'q{}' where id = {}; delete from letters where id = {};",
                        n % 11,
                        n % 90,
                        n % 5,
                        n % 70,
                        n - 9
                    ));
                    thread::sleep(Duration::from_millis(3));
                }
            });
            for nth in 1..30 {
                let args = work.apply_args(&database);
                let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
                args.extend(["--through", "backfill"]);
                let mut command = work.program().command(&args);
                let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                thread::sleep(Duration::from_millis(60 * nth));
                if let Some(status) = child.try_wait().unwrap() {
                    assert!(status.success(), "{engine:?}: {status}");
                    break;
                }
                child.kill().unwrap();
                child.wait().unwrap();
            }
            drop(rest);
        });
        // One that has written and not yet committed when the switch begins.
        let wait = engine.pick("", "select pg_sleep(1.5)", "select sleep(1.5)");
        thread::scope(|scope| {
            scope.spawn(|| {
                database.query(&format!(
                    "begin; update letters set body = 'late' where id = 11; delete from letters where id = 22;
                     insert into letters values (9999, 'late', 'late', 1); {wait}; commit;"
                ))
            });
            thread::sleep(Duration::from_millis(500));
            through(&work, &database, "switch");
        });
        assert_eq!(database.query(&differences(engine)).trim(), "0", "{engine:?}");
        assert_eq!(
            database.query("select count(*) from entries where thread = 'letter_9999';").trim(),
            "2",
            "{engine:?}"
        );
    }
}
