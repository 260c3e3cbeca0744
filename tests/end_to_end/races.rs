//! What is written over on PostgreSQL while clients hold transactions open on it: nothing that they wrote is lost or left out.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    common::{Database, Engine, Workspace},
    online::{Case, Clients, holds, planned},
};

/// A client that changes something and commits a while later.
fn holding(database: &Database, sql: &str, seconds: f64) -> Child {
    let script = format!("begin; {sql}; select pg_sleep({seconds}); commit");
    let mut client = Command::new("psql");
    client.args(["-qX", "-v", "ON_ERROR_STOP=1", "-c", &script, &database.url()]);
    let child = client.stdout(Stdio::null()).spawn().unwrap();
    let asleep = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    while database.query(asleep).trim() != "1" {
        thread::sleep(Duration::from_millis(5));
    }
    child
}

fn apply_beside(work: &Workspace, database: &Database, sql: &str) {
    let mut client = holding(database, sql, 0.25);
    work.apply(database);
    assert!(client.wait().unwrap().success());
}

/// Values made from themselves, and values made from others, that clients go on writing; each locks rows in one order, so that they end no
/// transaction of each other by a deadlock.
const OVERWRITTEN: Case = Case {
    engine: Engine::Postgres,
    base: "create table visits (id integer primary key, hits integer not null); create table shelf (id integer primary key, tag text, note text);
        insert into visits select n, 0 from generate_series(1, 4000) n; insert into shelf select n, 't' || n % 9, 'n' || n from generate_series(1, 4000) n;
        create sequence ids start 100000;",
    edits: &[(
        "[table.shelf]\n",
        "[transform.visits]\nset.hits = \"hits + 1000000\"\nonce = \"more\"\nbatch_rows = 200\n\n\
         [transform.shelf]\nset.tag = \"upper(note)\"\nonce = \"named\"\nbatch_rows = 200\n\n[table.shelf]\n",
    )],
    old: &[
        "begin; update visits set hits = hits + 1 where id = 1 + floor(random() * 4000); commit",
        "begin; update visits set hits = hits + 1 where id = 7; select pg_sleep(0.003); update visits set hits = hits + 1 where id = 9; commit",
        "begin; update shelf set tag = 'mine' where id = 1 + floor(random() * 4000); commit",
        "begin; update shelf set tag = 'mine' where id = 7; select pg_sleep(0.003); update shelf set tag = 'mine' where id = 9; commit",
        "insert into visits select n, 0 from nextval('ids') n",
        "insert into shelf select n, 'mine', 'late' from nextval('ids') n",
    ],
    new: &[],
    holds: &[
        ("select count(*) from visits where hits < 1000000 and id <= 4000", "0"),
        ("select count(*) from visits where hits > 2000000", "0"),
        ("select count(*) from shelf where tag not in (upper(note), 'mine')", "0"),
        ("select tag from shelf where id = 9", "mine"),
    ],
    rows: "",
};

#[test]
fn what_is_written_over_is_what_clients_wrote_last() {
    let (work, database) = planned(&OVERWRITTEN);
    let clients = Clients::start(&database, OVERWRITTEN.old);
    thread::sleep(Duration::from_millis(200));
    work.apply(&database);
    clients.stop();
    holds(&OVERWRITTEN, &database);
    work.nothing_to_do(&database);
}

#[test]
fn a_row_that_a_client_holds_is_written_over_after_it() {
    let (work, database) = planned(&OVERWRITTEN);
    apply_beside(
        &work,
        &database,
        "update visits set hits = hits + 1 where id = 7; update shelf set tag = 'held' where id = 7",
    );
    assert_eq!(database.query("select hits from visits where id = 7").trim(), "1000001");
    assert_eq!(database.query("select tag from shelf where id = 7").trim(), "N7");
    work.rollback(&database);
    assert_eq!(database.query("select hits from visits where id = 7").trim(), "1");
    assert_eq!(database.query("select tag from shelf where id = 7").trim(), "held");
    assert_eq!(database.query("select sum(hits) from visits").trim(), "1");
}

#[test]
fn a_declared_row_that_a_client_holds_is_kept_as_it_leaves_it() {
    let database = Engine::Postgres.database(
        "create table country (code text primary key, name text not null);
         insert into country values ('de', 'Deutschland'), ('fr', 'France');",
    );
    let work = Workspace::new();
    work.import(&database);
    let rows = "rows = [{ code = \"de\", name = \"Germany\" }, { code = \"it\", name = \"Italy\" }]\n\n[table.country.columns]";
    work.edit("specs/schema.toml", "[table.country.columns]", rows);
    work.plan(&database);
    work.sign();
    apply_beside(
        &work,
        &database,
        "update country set name = 'Almanya' where code = 'de'; insert into country values ('it', 'Italya')",
    );
    let all = "select string_agg(name, ' ' order by code) from country";
    assert_eq!(database.query(all).trim(), "Germany France Italy");
    work.rollback(&database);
    assert_eq!(database.query(all).trim(), "Almanya France Italya");
}

#[test]
fn a_declared_row_that_a_client_begins_to_refer_to_does_not_leave() {
    let database = Engine::Postgres.database(
        "create table country (code text primary key, name text);
         create table city (name text primary key, country text references country on delete cascade);",
    );
    let work = Workspace::new();
    work.import(&database);
    let columns = "[table.country.columns]";
    let declared = |rows: &str| format!("rows = [{rows}]\n\n{columns}");
    let both = declared("{ code = \"de\" }, { code = \"fr\" }");
    work.edit("specs/schema.toml", columns, &both);
    work.plan(&database);
    work.sign();
    work.apply(&database);
    work.edit("specs/schema.toml", &both, &declared("{ code = \"de\" }"));
    work.plan(&database);
    work.sign();
    let mut client = holding(&database, "insert into city values ('Lyon', 'fr')", 0.7);
    let args = work.apply_args(&database);
    work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(client.wait().unwrap().success());
    assert_eq!(database.query("select c.name, country from city c join country on country = code").trim(), "Lyon|fr");
}
