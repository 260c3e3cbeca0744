//! PostgreSQL's own objects, there and back: from one schema to another, looked at by `pg_dump`, and taken back, with rows and counters.

use crate::common::{Database, Engine, Workspace};

/// Two schemas and what the first holds.
struct Case {
    name: &'static str,
    from: &'static str,
    to: &'static str,
    rows: &'static str,
    /// A query whose answer a rollback must bring back.
    ask: &'static str,
}

/// The schema as `pg_dump` tells it, without blank lines at its end.
fn shape(of: &Database) -> String {
    of.schema().trim_end().to_owned()
}

fn database(sql: &str) -> Database {
    Engine::Postgres.database(sql)
}

/// Applies the specs of `to` on `from`, compares, and takes them back.
fn there_and_back(case: &Case) {
    let (ours, wanted) = (database(&format!("{}\n{}", case.from, case.rows)), database(case.to));
    let (schema, answer) = (shape(&ours), ours.query(case.ask));
    let work = Workspace::new();
    work.import(&wanted);
    work.plan(&ours);
    work.sign();
    work.apply(&ours);
    assert_eq!(shape(&ours), shape(&wanted), "{}: applied", case.name);
    work.nothing_to_do(&ours);
    work.rollback(&ours);
    assert_eq!(shape(&ours), schema, "{}: taken back", case.name);
    assert_eq!(ours.query(case.ask), answer, "{}: what it held", case.name);
}

/// Compiles the specs of `to` on `from`, whose rows do not fit, and demands that nothing is written.
fn refused(case: &Case, says: &str) {
    let (ours, wanted) = (database(&format!("{}\n{}", case.from, case.rows)), database(case.to));
    let schema = shape(&ours);
    let work = Workspace::new();
    work.import(&wanted);
    work.plan(&ours);
    work.sign();
    let args = work.apply_args(&ours);
    let output = work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(output.stderr.contains(says), "{}: {}", case.name, output.stderr);
    assert_eq!(shape(&ours), schema, "{}: untouched", case.name);
}

#[test]
fn a_type_without_a_cast_needs_a_column_without_values() {
    let from = "create table t (id integer primary key, at integer);";
    let to = "create table t (id integer primary key, at timestamptz);";
    let rows = "insert into t values (1, null);";
    there_and_back(&Case { name: "no values", from, to, rows, ask: "select t::text from t" });
    let rows = "insert into t values (1, null), (2, 7);";
    let says = "no row of public.t has a value in at: PostgreSQL has no cast from integer to timestamp with time zone";
    refused(&Case { name: "a value", from, to, rows, ask: "" }, says);
}

#[test]
fn texts_that_are_no_values_of_the_new_type_are_found_before_the_first_write() {
    for (old, new, bad) in [
        ("text", "integer", "12x"),
        ("text", "date", "soon"),
        ("text", "integer[]", "1"),
        ("text", "mood", "glum"),
        ("text", "small", "12"),
        ("integer", "small", "12"),
    ] {
        let types = "create type mood as enum ('sad', 'ok'); create domain small as integer check (value < 10);";
        let table = |of: &str| format!("{types} create table t (id integer primary key, v {of});");
        let (from, to) = (table(old), table(new));
        let rows = format!("insert into t values (1, null), (2, '{bad}');");
        let case = Case { name: new, from: from.leak(), to: to.leak(), rows: rows.leak(), ask: "" };
        if old == "text" && new == "small" {
            // Only the server can read a text as something that a check then looks at.
            continue;
        }
        refused(&case, "fits into");
    }
}

#[test]
fn both_ends_of_a_foreign_key_change_type() {
    there_and_back(&Case {
        name: "key",
        from: "create table u (id integer primary key); create table t (id integer primary key, u integer references u on delete cascade);",
        to: "create table u (id text primary key); create table t (id integer primary key, u text references u on delete cascade);",
        rows: "insert into u values (1), (2); insert into t values (1, 2);",
        ask: "select t::text from t",
    });
}

#[test]
fn ids_go_on_when_their_source_changes() {
    let serial = "create table t (id serial primary key, a integer);";
    let identity = "create table t (id integer generated always as identity primary key, a integer);";
    let rows = "insert into t (a) select n from generate_series(1, 9) n; delete from t where id > 5;";
    let next = "begin; insert into t (a) values (0) returning id; rollback";
    for (name, from, to) in [("identity", serial, identity), ("serial", identity, serial)] {
        let ours = database(&format!("{from}\n{rows}"));
        let work = Workspace::new();
        work.import(&database(to));
        work.plan(&ours);
        work.sign();
        work.apply(&ours);
        assert!(ours.query(next).contains("10"), "{name}");
        assert_eq!(ours.query("select pg_get_serial_sequence('t', 'id')").trim(), "public.t_id_seq", "{name}");
        work.rollback(&ours);
        assert_eq!(ours.query("select pg_get_serial_sequence('t', 'id')").trim(), "public.t_id_seq", "{name}");
        assert!(ours.query("insert into t (a) values (0) returning id").contains("11"), "{name}: after the rollback");
    }
}

#[test]
fn the_numbers_of_sequences_change_around_their_counters() {
    there_and_back(&Case {
        name: "sequences",
        from: "create sequence a; create sequence b maxvalue 10; create sequence c;
            create table t (id integer generated always as identity primary key);",
        to: "create sequence a minvalue 100; create sequence b minvalue 20 maxvalue 30; create sequence c increment -1;
            create table t (id integer generated always as identity (minvalue 100) primary key);",
        rows: "select nextval('a');",
        ask: "select 1",
    });
    there_and_back(&Case {
        name: "a dropped sequence",
        from: "create sequence a;",
        to: "",
        rows: "select setval('a', 41);",
        ask: "select last_value from a",
    });
    there_and_back(&Case {
        name: "unlogged",
        from: "create table keeps (id integer primary key);",
        to: "create table keeps (id integer primary key); create unlogged table t (id serial primary key);",
        rows: "",
        ask: "select 1",
    });
}

#[test]
fn a_value_of_an_enum_is_renamed_with_all_that_says_it() {
    let ours = database(
        "create type mood as enum ('sad', 'ok');
         create table t (id integer primary key, m mood default 'sad' check (m <> 'ok'), all_of mood[] default '{sad,ok}');
         create view v as select id from t where m = 'sad';
         insert into t values (1, 'sad');",
    );
    let before = shape(&ours);
    let work = Workspace::new();
    work.import(&ours);
    work.edit("specs/schema.toml", "\"sad\"", "{ value = \"low\", was = \"sad\" }");
    // The server says the new name wherever it kept the old one, so nothing else is to do whichever of both the specs say.
    let text = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
    let kept = text.replace("'sad'", "'low'").replace("{sad,ok}", "{low,ok}");
    std::fs::write(work.path().join("specs/schema.toml"), kept).unwrap();
    let plan = work.plan(&ours);
    assert!(plan.stdout.contains("1 step"), "{}", plan.stdout);
    work.sign();
    work.apply(&ours);
    work.nothing_to_do(&ours);
    assert_eq!(ours.query("select m from t where id in (select id from v)").trim(), "low");
    work.rollback(&ours);
    assert_eq!(shape(&ours), before);
}

#[test]
fn a_value_of_an_enum_is_removed_once_no_row_has_it() {
    let from = "create type mood as enum ('a', 'b', 'c'); create domain dm as mood check (value <> 'b');
        create table t (id integer primary key, m mood default 'a', d dm, l mood[] default '{a,b}', check (m <> 'b'));
        create index i on t (m) where m = 'a';
        create view v as select id, m from t where m = 'a';
        create function f(mood) returns mood language sql as 'select $1';";
    let to: &str = from.replace("'a', 'b', 'c'", "'b', 'a'").leak();
    let rows = "insert into t values (1, 'a', 'a', '{a}');";
    there_and_back(&Case { name: "removed", from, to, rows, ask: "select t::text from t" });
    refused(
        &Case { name: "used", from, to, rows: "insert into t values (1, 'c');", ask: "" },
        "no row of public.t has a value in m that is removed",
    );
    // A transform says what becomes of the rows.
    let ours = database(&format!("{from} insert into t values (1, 'c'), (2, 'a');"));
    let work = Workspace::new();
    work.import(&database(to));
    let file = work.path().join("specs/schema.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text + "\n[transform.t]\nset.m = \"case when m = 'c' then 'a' else m end\"\n").unwrap();
    work.plan(&ours);
    work.sign();
    work.apply(&ours);
    assert_eq!(ours.query("select string_agg(m::text, ',' order by id) from t").trim(), "a,a");
    work.rollback(&ours);
    assert_eq!(ours.query("select string_agg(m::text, ',' order by id) from t").trim(), "c,a");
}

#[test]
fn a_column_that_is_made_anew_keeps_what_is_on_it() {
    there_and_back(&Case {
        name: "generated",
        from: "create table t (id integer primary key, a integer, b integer generated always as (a * 2) stored unique check (b > 0));
            create index i on t (b); create table u (b integer references t (b));
            grant select (b), update (a) on t to public;",
        to: "create table t (id integer primary key, a integer, b integer generated always as (a * 3) stored unique check (b > 0));
            create index i on t (b); create table u (b integer references t (b));
            grant select (b), update (a) on t to public;",
        rows: "insert into t values (1, 1);",
        ask: "select t::text from t",
    });
}

#[test]
fn what_stands_on_a_changed_column_is_never_gone() {
    let from = "create table t (id integer primary key, a integer); alter table t enable row level security;
        create policy p on t using (a > 0); create view v as select a from t; create view w as select a from v;
        create function f() returns trigger language plpgsql as 'begin return new; end';
        create trigger g before update of a on t for each row when (new.a > 1) execute function f();";
    let to: &str = from.replace("a integer)", "a bigint)").leak();
    there_and_back(&Case {
        name: "around",
        from,
        to,
        rows: "insert into t values (1, 1);",
        ask: "select t::text from t",
    });
    let ours = database(from);
    let work = Workspace::new();
    work.import(&database(to));
    work.plan(&ours);
    let plan = std::fs::read_to_string(work.path().join("plan.json")).unwrap();
    let marks = plan.lines().filter(|line| line.contains("\"atomic\":")).collect::<std::collections::BTreeSet<_>>();
    let steps = plan.lines().filter(|line| line.starts_with("      \"kind\":")).count();
    assert_eq!((marks.len(), plan.matches("\"atomic\":").count()), (1, steps), "one transaction: {plan}");
}

#[test]
fn a_domain_changes_what_it_rests_on() {
    let domain = |base: &str| {
        format!(
            "create domain d as {base} check (value > 0); create table t (id integer primary key, c d default 1, l d[]); create view v as select c from t;"
        )
    };
    let rows = "insert into t values (1, 1, '{2}');";
    let (from, to): (&str, &str) = (domain("integer").leak(), domain("bigint").leak());
    there_and_back(&Case { name: "base", from, to, rows, ask: "select t::text from t" });
    let to: &str = from.replace("> 0", "> 5").leak();
    refused(&Case { name: "check", from, to, rows, ask: "" }, "obeys what its domain demands");
}

#[test]
fn the_parts_of_a_composite_type_change() {
    let of = |parts: &str| {
        format!(
            "create type c as ({parts}); create table t (id integer primary key, c c); create function f(c) returns integer language sql as 'select 1';"
        )
    };
    let rows = "insert into t values (1, row(1, 'x')), (2, null);";
    let from: &str = of("a integer, b text").leak();
    for (name, parts, seen) in [
        ("at the end", "a integer, b text, d integer", "(1,x,)"),
        ("another type", "a bigint, b text", "(1,x)"),
        ("another order", "b text, a integer", "(x,1)"),
    ] {
        let to: &str = of(parts).leak();
        there_and_back(&Case { name, from, to, rows, ask: "select t::text from t order by 1" });
        let ours = database(&format!("{from}{rows}"));
        let work = Workspace::new();
        work.import(&database(to));
        work.plan(&ours);
        work.sign();
        work.apply(&ours);
        assert_eq!(ours.query("select c::text from t where id = 1").trim(), seen, "{name}");
    }
}

#[test]
fn what_is_kept_does_not_hold_back_what_goes() {
    there_and_back(&Case {
        name: "functions and extensions",
        from: "create extension citext; create function pos(integer) returns boolean language sql immutable as 'select $1 > 0';
            create table t (id integer primary key, c integer check (pos(c)), name citext);
            create domain d as integer check (pos(value));",
        to: "",
        rows: "insert into t values (1, 1, 'A');",
        ask: "select t::text from t",
    });
}

#[test]
fn default_privileges_are_declared_and_nothing_new_has_more_than_its_own() {
    there_and_back(&Case {
        name: "declared",
        from: "create schema s; alter default privileges in schema s grant select, insert on tables to pg_monitor;",
        to: "create schema s; alter default privileges in schema s grant select on tables to pg_monitor;
            alter default privileges revoke execute on functions from public;",
        rows: "",
        ask: "select 1",
    });
    let ours = database(
        "alter default privileges grant all on tables to pg_monitor; alter default privileges revoke execute on functions from public;",
    );
    let work = Workspace::new();
    work.import(&ours);
    let file = work.path().join("specs/schema.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let more = "\n[table.t]\ncolumns = { id = \"integer\" }\n[function.\"f()\"]\nsql = \"create function f() returns integer language sql as 'select 1'\"\n";
    std::fs::write(&file, text + more).unwrap();
    work.plan(&ours);
    work.sign();
    work.apply(&ours);
    work.nothing_to_do(&ours);
    assert_eq!(ours.query("select has_table_privilege('pg_monitor', 't', 'select')").trim(), "f");
    assert_eq!(ours.query("select has_function_privilege('public', 'f()', 'execute')").trim(), "t");
}

#[test]
fn objects_without_a_kind_of_their_own_come_and_go() {
    let rare = "create function eqq(integer, integer) returns boolean language sql immutable as 'select $1 = $2';
        create operator === (leftarg = integer, rightarg = integer, function = eqq, commutator = ===, restrict = eqsel, hashes);
        create view v as select 1 === 2 as x;
        create function cmpi(integer, integer) returns integer language sql immutable as 'select btint4cmp($1, $2)';
        create operator class oc for type integer using btree as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >,
          function 1 cmpi(integer, integer);
        create text search dictionary d (template = simple, stopwords = english);
        create text search configuration cfg (copy = english);
        alter text search configuration cfg alter mapping for asciiword with d, english_stem;
        create table t (id integer primary key, a text, b integer);
        create index by_word on t using gin (to_tsvector('cfg', a)); create index by_class on t (b oc);
        create type c as (x integer); create function c2i(c) returns integer language sql immutable as 'select $1.x';
        create cast (c as integer) with function c2i(c) as assignment;
        create publication p for table t (id, a) where (id > 5) with (publish = 'insert,update');
        comment on publication p is 'what leaves';
        create foreign data wrapper w options (debug 'true'); create server s type 'a' foreign data wrapper w options (host 'x');
        create foreign table ft (a integer not null, b text options (column_name 'bb')) server s options (table_name 'z');
        grant usage on foreign server s to pg_monitor; grant select on ft to pg_monitor;
        create conversion cv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
        create access method hh type table handler heap_tableam_handler;";
    // Publications of some columns and rows came with this version.
    let rare = match mig_test_support::postgres::server().version() {
        15.. => rare.to_owned(),
        _ => rare.replace(" (id, a) where (id > 5)", ""),
    };
    let plain = "create table keeps (id integer primary key);";
    let both: &str = format!("{plain}{rare}").leak();
    there_and_back(&Case { name: "come", from: plain, to: both, rows: "", ask: "select 1" });
    there_and_back(&Case { name: "go", from: both, to: plain, rows: "", ask: "select 1" });
    let changed: &str = both.replace("host 'x'", "host 'y'").replace("(id > 5)", "(id > 6)").leak();
    there_and_back(&Case { name: "change", from: both, to: changed, rows: "", ask: "select 1" });
}

#[test]
fn a_type_changes_by_a_query() {
    let ours = database(
        "create table kinds (id integer primary key, name text not null unique); insert into kinds values (1, 'a'), (2, 'b');
         create table t (id integer primary key, kind text not null); insert into t values (1, 'b'), (2, 'a');",
    );
    let before = shape(&ours);
    let work = Workspace::new();
    work.import(&ours);
    work.edit("specs/schema.toml", "kind = \"text\"", "kind = \"integer\"");
    let file = work.path().join("specs/schema.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let transform = "\n[transform.t]\nset.kind = \"(select k.id from kinds k where k.name = t.kind)\"\n";
    std::fs::write(&file, text + transform).unwrap();
    work.plan(&ours);
    work.sign();
    work.apply(&ours);
    assert_eq!(ours.query("select string_agg(kind::text, ',' order by id) from t").trim(), "2,1");
    work.rollback(&ours);
    assert_eq!(shape(&ours), before);
    assert_eq!(ours.query("select string_agg(kind, ',' order by id) from t").trim(), "b,a");
}

#[test]
fn a_view_that_follows_a_renamed_column_goes_back_with_its_grants() {
    let ours = database(
        "create table t (id integer primary key, a integer); create view v as select id, a from t;
         grant select (a) on t to pg_monitor; grant select (a) on v to pg_monitor;",
    );
    let before = shape(&ours);
    let work = Workspace::new();
    work.write(
        "specs/schema.toml",
        "[table.t]\nprimary_key = [\"id\"]\ngrants = [\"select (b) to pg_monitor\"]\n\n[table.t.columns]\nid = \"integer\"\n\
         b = { type = \"integer?\", was = \"a\" }\n\n[view.v]\ngrants = [\"select (b) to pg_monitor\"]\nquery = \"select id, b from t\"\n",
    );
    work.plan(&ours);
    work.sign();
    work.apply(&ours);
    work.nothing_to_do(&ours);
    work.rollback(&ours);
    assert_eq!(shape(&ours), before);
}

#[test]
fn what_another_role_has_granted_can_be_taken() {
    let granted = "create table t (id integer primary key);
        grant select, insert on t to pg_monitor with grant option;
        set role pg_monitor; grant select, insert on t to pg_read_all_stats; reset role;";
    let live = Engine::Postgres.database(granted);
    // One loses what it has from another; one loses what it has passed on, and the other keeps it.
    let wanted = Engine::Postgres.database(
        "create table t (id integer primary key); grant select on t to pg_monitor with grant option;
         grant insert on t to pg_read_all_stats;",
    );
    let at = Workspace::new();
    at.import(&wanted);
    at.plan(&live);
    at.sign();
    at.apply(&live);
    assert_eq!(live.schema(), wanted.schema());
    at.nothing_to_do(&live);
    at.rollback(&live);
    let query = "select grantee, privilege_type, is_grantable from information_schema.table_privileges
        where table_name = 't' and grantee <> 'postgres' order by 1, 2";
    assert_eq!(live.query(query), Engine::Postgres.database(granted).query(query));
}

#[test]
fn an_extension_does_not_move_under_what_is_made_of_it() {
    let live =
        database("create schema s; create extension citext; create table t (id integer primary key, name citext);");
    let wanted = database(
        "create schema s; create extension citext schema s; create table t (id integer primary key, name s.citext);",
    );
    let work = Workspace::new();
    work.import(&wanted);
    let output = work.expect(1, &["plan", "--url", &live.url(), "--specs", "specs"]);
    assert!(output.stderr.contains("ALTER EXTENSION citext SET SCHEMA s"), "{}", output.stderr);
    live.query("alter extension citext set schema s;");
    work.nothing_to_do(&live);
    // On its own it can.
    let (live, wanted) = (
        database("create schema s; create extension citext;"),
        database("create schema s; create extension citext schema s;"),
    );
    let work = Workspace::new();
    work.import(&wanted);
    work.plan(&live);
    work.sign();
    work.apply(&live);
    work.nothing_to_do(&live);
}

#[test]
fn a_table_that_left_its_parent_comes_back_without_what_that_got_meanwhile() {
    let live = database(
        "create table animal (id integer, name text not null); create table cat (meows integer) inherits (animal);
         insert into cat values (1, 'a', 2);",
    );
    let wanted = database(
        "create table animal (id integer, name text not null, legs integer, constraint named check (name <> ''));",
    );
    let parts = "select (select string_agg(attname, ', ' order by attnum) from pg_attribute
           where attrelid = 'cat'::regclass and attnum > 0 and not attisdropped),
         (select count(*) from pg_constraint where conrelid = 'cat'::regclass), (select cat::text from cat)";
    let before = live.query(parts);
    let work = Workspace::new();
    work.import(&wanted);
    work.plan(&live);
    work.sign();
    work.apply(&live);
    work.nothing_to_do(&live);
    work.rollback(&live);
    assert_eq!(live.query(parts), before);
}
