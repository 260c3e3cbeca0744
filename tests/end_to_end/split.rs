//! A column of PostgreSQL that is split into others while clients of both schemas read and write: whoever writes, both are in step.

use crate::{
    common::{Engine, Workspace},
    online::{Case, apply_through, clients_write_meanwhile, killed, planned, there_and_back},
};

/// A required name that becomes two, the second of which may be missing; one more value is made from the first of them.
const NAMES: Case = Case {
    engine: Engine::Postgres,
    base: "create table people (id integer primary key, full_name text not null, note text); create sequence ids start 1000;
        create index people_full_name on people (full_name);
        insert into people select n, 'First' || n || '  Last ' || n from generate_series(1, 900) n; insert into people values (901, 'Single');",
    edits: &[
        ("full_name = \"text\"\n", "first_name = \"text\"\nlast_name = \"text?\"\ninitial = \"text?\"\n"),
        ("[[table.people.indexes]]\nname = \"people_full_name\"\ncolumns = [\"full_name\"]\n", ""),
        (
            "[table.people]\n",
            "[transform.people]\nset.first_name = \"split_part(full_name, ' ', 1)\"\n\
             set.last_name = \"nullif(ltrim(substr(full_name, length(first_name) + 1)), '')\"\nset.initial = \"left(first_name, 1)\"\n\
             back.full_name = \"concat_ws(' ', first_name, last_name)\"\n\n[table.people]\n",
        ),
    ],
    old: &[
        "insert into people (id, full_name) select n, 'Old ' || n from nextval('ids') n",
        "update people set full_name = 'Older ' || id where id = 1 + floor(random() * 300)",
        "begin; update people set note = 'x' where id = 7; select pg_sleep(0.003); update people set full_name = 'Held ' || id where id = 9; commit",
        "do $$ begin if exists (select from people where id between 1000 and 1010 and full_name <> 'Old ' || id) then raise 'wrong'; end if; end $$",
    ],
    new: &[
        "insert into people (id, first_name, last_name) select n, 'New', n::text from nextval('ids') n",
        "update people set first_name = 'Newer', last_name = id::text where id = 301 + floor(random() * 300)",
        "update people set last_name = null, first_name = 'Alone' where id = 800",
    ],
    holds: &[
        ("select count(*) from people where first_name is null or (last_name is null and id not in (800, 901))", "0"),
        ("select count(*) from people where id < 901 and first_name not in ('First' || id, 'Older', 'Held', 'Newer', 'Alone')", "0"),
        ("select count(*) from people where id >= 1000 and last_name <> id::text", "0"),
        ("select (first_name, last_name) in (('Held', '9'), ('First9', 'Last 9')) from people where id = 9", "t"),
        ("select count(*) from pg_trigger where tgname like 'zzz%'", "0"),
        ("select count(*) from pg_proc where pronamespace = 'mig'::regnamespace", "0"),
    ],
    rows: "select count(*), min(full_name), max(full_name), sum(length(full_name)) from people",
};

#[test]
fn a_column_is_split_beside_running_clients() {
    there_and_back(&NAMES);
    clients_write_meanwhile(&NAMES);
    killed(&NAMES, 29);
}

#[test]
fn what_is_written_to_one_side_is_read_on_the_other() {
    let (work, database) = planned(&NAMES);
    let names = |id: u32| {
        database
            .query(&format!("select full_name, first_name, last_name, initial from people where id = {id}"))
            .trim()
            .to_owned()
    };
    let write = |sql: &str| drop(database.query(sql));
    apply_through(&work, &database, "switch");
    assert_eq!(names(1), "First1  Last 1|First1|Last 1|F");
    write("update people set full_name = 'Ada Lovelace' where id = 1");
    assert_eq!(names(1), "Ada Lovelace|Ada|Lovelace|A");
    write("update people set last_name = 'King' where id = 1");
    assert_eq!(names(1), "Ada King|Ada|King|A");
    write("update people set note = 'n' where id in (1, 2); update people set initial = 'f' where id = 2");
    assert_eq!((names(1), names(2)), ("Ada King|Ada|King|A".to_owned(), "First2  Last 2|First2|Last 2|f".to_owned()));
    write(
        "insert into people (id, first_name, last_name) values (5000, 'Alan', 'Turing'); insert into people (id, full_name) values (5001, 'Kurt Gödel')",
    );
    assert_eq!(
        (names(5000), names(5001)),
        ("Alan Turing|Alan|Turing|".to_owned(), "Kurt Gödel|Kurt|Gödel|K".to_owned())
    );
    work.rollback(&database);
    let old = |id: u32| database.query(&format!("select full_name from people where id = {id}")).trim().to_owned();
    assert_eq!(
        (old(1), old(2), old(5000)),
        ("Ada King".to_owned(), "First2  Last 2".to_owned(), "Alan Turing".to_owned())
    );
    let mut again = work.apply_args(&database);
    again.push("--again".to_owned());
    work.expect(0, &again.iter().map(String::as_str).collect::<Vec<_>>());
    write(
        "insert into people (id, first_name, last_name) values (6000, 'Emmy', 'Noether'); update people set last_name = 'Hopper' where id = 3",
    );
    work.rollback(&database);
    assert_eq!(
        (old(6000), old(3), old(2)),
        ("Emmy Noether".to_owned(), "First3 Hopper".to_owned(), "First2  Last 2".to_owned())
    );
}

#[test]
fn what_cannot_be_kept_in_step_is_said() {
    let database =
        Engine::Postgres.database("create table people (id integer primary key, full_name text not null, note text);");
    let work = Workspace::new();
    work.import(&database);
    work.edit("specs/schema.toml", "full_name = \"text\"\n", "first_name = { type = \"text\", default = \"'x'\" }\n");
    let transform = |set: &str, back: &str| {
        work.write("specs/t.toml", &format!("[transform.people]\nset.first_name = \"{set}\"\nback.{back}\n"))
    };
    for (set, back, says) in [
        ("full_name", "full_name = \"first_name\"", "only when the old columns are gone"),
        ("note", "full_name = \"first_name\"", "no new column is made from full_name"),
        ("full_name", "full_name = \"note\"", "says nothing of"),
        ("full_name", "note = \"first_name\"", "stays: `back` is for a column that goes"),
    ] {
        transform(set, back);
        work.refused(&database, says);
    }
    let database =
        Engine::Sqlite.database("create table people (id integer primary key, full_name text not null, note text);");
    let work = Workspace::new();
    work.import(&database);
    work.edit("specs/schema.toml", "full_name = \"text\"\n", "first_name = \"text\"\n");
    work.write("specs/t.toml", "[transform.people]\nset.first_name = \"full_name\"\nback.full_name = \"first_name\"\n");
    work.refused(&database, "does not keep full_name in step");
}
