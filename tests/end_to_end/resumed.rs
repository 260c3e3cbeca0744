//! What clients of the new schema wrote stays, whatever becomes of the run: it is killed and goes on, the end of its journal is gone, or all
//! of it is.

use std::{
    fs,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use crate::{
    common::{Database, Engine, Workspace},
    online::{Case, apply_through, holds, planned},
};

/// Columns that are added and filled in the same pass as the twin of one that gets another type.
const CASE: Case = Case {
    engine: Engine::Postgres,
    base: "create table item (id integer primary key, note text, amount integer not null);
        insert into item select n, 'note ' || n, n from generate_series(1, 500) n;",
    edits: &[
        ("note   = \"text?\"", "note   = \"text?\"\nlabel = \"text\"\nmark = \"text?\""),
        ("amount = \"integer\"", "amount = \"bigint\""),
        ("[table.item]", "[transform.item]\nset.label = \"upper(note)\"\nset.mark = \"note\"\n\n[table.item]"),
    ],
    old: &[],
    new: &[
        "update item set label = 'theirs', mark = 'theirs' where id = 1",
        "update item set amount = 70000 where id = 3",
        "insert into item (id, note, label, amount) values (1000, 'a', 'theirs', 4)",
    ],
    holds: &[
        ("select label, mark from item where id = 1", "theirs|theirs"),
        ("select amount from item where id = 3", "70000"),
        ("select label, mark from item where id = 1000", "theirs|"),
        ("select count(*) from item where label = upper(note) and mark = note", "499"),
    ],
    rows: "",
};

/// A run after `switch`, with what new clients have written since.
fn switched(case: &Case) -> (Workspace, Database) {
    let (work, database) = planned(case);
    apply_through(&work, &database, "switch");
    for sql in case.new {
        database.query(sql);
    }
    (work, database)
}

/// An apply that stops at its n-th write point, or ends before it.
pub(crate) fn stopped(work: &Workspace, database: &Database, n: usize) -> Option<Child> {
    let reached = work.path().join("reached");
    fs::write(&reached, "").unwrap();
    let args = work.apply_args(database);
    let program = work.program().env("MIG_STOP_AT", n.to_string()).env("MIG_STOPPED", reached.display().to_string());
    let mut command = program.command(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while fs::read_to_string(&reached).unwrap().is_empty() {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
    Some(child)
}

#[test]
fn a_run_that_is_killed_after_its_switch_leaves_what_clients_wrote() {
    let (work, database) = switched(&CASE);
    let mut n = 1;
    while let Some(mut child) = stopped(&work, &database, n) {
        child.kill().unwrap();
        child.wait().unwrap();
        n += 2;
    }
    work.apply(&database);
    holds(&CASE, &database);
    work.nothing_to_do(&database);
}

#[test]
fn a_journal_whose_end_is_gone_stops_the_run_before_it_does_anything_again() {
    let (work, database) = switched(&CASE);
    database.query("delete from mig.journal where seq > (select min(seq) from mig.journal where event = 'step-done')");
    let before = database.query("table item order by id");
    let args = work.apply_args(&database);
    let output = work.expect(6, &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(output.stderr.contains("were removed"), "{}", output.stderr);
    assert_eq!(database.query("table item order by id"), before);
}

#[test]
fn a_run_begun_anew_leaves_what_clients_wrote_into_new_columns() {
    const ADDED: Case = Case {
        edits: &[
            ("note   = \"text?\"", "note   = \"text?\"\nlabel = \"text\"\nmark = \"text?\""),
            ("[table.item]", "[transform.item]\nset.label = \"upper(note)\"\nset.mark = \"note\"\n\n[table.item]"),
        ],
        holds: &[
            ("select label, mark from item where id = 1", "theirs|theirs"),
            ("select label from item where id = 1000", "theirs"),
            ("select count(*) from item where label = upper(note) and mark = note", "499"),
        ],
        new: &[
            "update item set label = 'theirs', mark = 'theirs' where id = 1",
            "insert into item (id, note, label, amount) values (1000, 'a', 'theirs', 4)",
        ],
        ..CASE
    };
    let (work, database) = switched(&ADDED);
    database.query("drop schema mig cascade");
    work.apply(&database);
    holds(&ADDED, &database);
    work.nothing_to_do(&database);
}

/// A column whose values are overwritten by others that are not made of them, in the same plan as a wider type.
const OVERWRITTEN: Case = Case {
    edits: &[
        ("amount = \"integer\"", "amount = \"bigint\""),
        ("[table.item]", "[transform.item]\nonce = \"named\"\nset.note = \"'by mig ' || id\"\n\n[table.item]"),
    ],
    new: &[
        "update item set note = 'theirs' where id in (1, 499)",
        "insert into item (id, note, amount) values (1000, 'theirs', 4)",
    ],
    holds: &[
        ("select note from item where id in (1, 499, 1000)", "theirs\ntheirs\ntheirs"),
        ("select count(*) from item where note = 'by mig ' || id", "498"),
    ],
    ..CASE
};

#[test]
fn values_that_clients_wrote_over_those_of_the_run_stay() {
    for phase in ["backfill", "switch"] {
        let (work, database) = planned(&OVERWRITTEN);
        apply_through(&work, &database, phase);
        for sql in OVERWRITTEN.new {
            database.query(sql);
        }
        for n in [1, 4, 9, 16] {
            let Some(mut child) = stopped(&work, &database, n) else { break };
            child.kill().unwrap();
            child.wait().unwrap();
        }
        work.apply(&database);
        holds(&OVERWRITTEN, &database);
        work.nothing_to_do(&database);
    }
}
