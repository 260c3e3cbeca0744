//! A table with rows gets an identity while clients write: nobody waits for the rows, and no number is given twice.

use crate::{
    common::Engine,
    online::{Case, Clients, apply_through, holds, planned, shape, there_and_back},
};

/// A numbered column that becomes the key, and another with numbers of its own; a client that may only write the tables.
const CASE: Case = Case {
    engine: Engine::Postgres,
    base: "create table event (id bigserial primary key, note text);
        create table visit (at integer, note text);
        insert into event (note) select 'note ' || n from generate_series(1, 3000) n;
        insert into visit select n, 'note ' || n from generate_series(1, 3000) n;
        do $$ begin create role visitor; exception when duplicate_object then null; end $$;
        grant select, insert, update on event, visit to visitor;
        grant usage on sequence event_id_seq to visitor;",
    edits: &[
        (
            "[table.event.columns]\n",
            "[table.event.columns]\nnumber = { type = \"integer\", identity = { generated = \"always\", start = 100, increment = 2 } }\n",
        ),
        ("[table.visit.columns]\n", "[table.visit.columns]\nid = { type = \"bigint\", identity = \"by default\" }\n"),
        ("[table.visit]\n", "[table.visit]\nprimary_key = [\"id\"]\n"),
    ],
    old: &[
        "set role visitor; insert into visit (at, note) values (1, 'client')",
        "set role visitor; insert into event (note) values ('client')",
        "update visit set note = note || '.' where at between 10 and 12",
    ],
    new: &[],
    holds: &[
        ("select count(*) - count(distinct id), count(*) - count(distinct at) >= 0 from visit", "0|t"),
        ("select count(*) - count(distinct number), min(number), bool_and(number % 2 = 0) from event", "0|100|t"),
        (
            "select attidentity, attnotnull from pg_attribute where attrelid = 'event'::regclass and attname = 'number'",
            "a|t",
        ),
        (
            "select attidentity, attnotnull from pg_attribute where attrelid = 'visit'::regclass and attname = 'id'",
            "d|t",
        ),
        (
            "select pg_get_serial_sequence('event', 'number'), pg_get_serial_sequence('visit', 'id')",
            "public.event_number_seq|public.visit_id_seq",
        ),
        ("insert into visit (at) values (0) returning id = (select max(id) + 1 from visit)", "t"),
        ("insert into event (note) values ('x') returning number = (select max(number) + 2 from event)", "t"),
        ("select count(*) from pg_class where relname like '\\_mig\\_%'", "0"),
    ],
    rows: "select count(*), sum(id), max(note) from event; select count(*), sum(at), max(note) from visit",
};

#[test]
fn a_table_with_rows_gets_an_identity_and_goes_back() {
    there_and_back(&CASE);
}

#[test]
fn clients_write_while_a_table_gets_an_identity() {
    let (work, database) = planned(&CASE);
    let plan = std::fs::read_to_string(work.path().join("plan.json")).unwrap();
    assert!(!plan.contains("MIG-H005"), "no row is written under a lock");
    let before = database.query("select pg_relation_filenode('visit'), pg_relation_filenode('event')");
    let clients = Clients::start(&database, CASE.old);
    apply_through(&work, &database, "switch");
    apply_through(&work, &database, "contract");
    clients.stop();
    assert_eq!(database.query("select pg_relation_filenode('visit'), pg_relation_filenode('event')"), before);
    holds(&CASE, &database);
    work.nothing_to_do(&database);
    work.rollback(&database);
    assert!(!shape(&database).iter().any(|line| line.contains("IDENTITY") || line.contains("_mig_")));
}
