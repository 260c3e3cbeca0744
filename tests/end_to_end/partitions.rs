//! Partitions and inheritance on PostgreSQL: each change goes there, leaves nothing to do, comes back with all rows, and goes again.

use crate::common::{Database, Engine, Workspace};

/// A partitioned table with two partitions, an index and rows.
const EVENTS: &str = "
    create table events (id bigint not null, at date not null, kind text default 'x', note text, primary key (id, at)) partition by range (at);
    create table events_1 partition of events for values from ('2024-01-01') to ('2024-02-01');
    create table events_2 partition of events for values from ('2024-02-01') to ('2024-03-01');
    create index events_kind on events (kind);";

const ROWS: &str = "insert into events values (1, '2024-01-05', 'a', 'n1'), (2, '2024-02-05', 'b', 'n2'), (3, '2024-02-06', 'c', null);";

/// The second partition as a table of its own, with what it would keep.
const ALONE: &str = "
    create table events_2 (id bigint not null, at date not null, kind text default 'x', note text,
        constraint events_2_pkey primary key (id, at));
    create index events_2_kind_idx on events_2 (kind);";

const SECOND: &str = "create table events_2 partition of events for values from ('2024-02-01') to ('2024-03-01');";

const PLAIN: &str = "create table events (id bigint not null, at date not null, kind text default 'x', note text, primary key (id, at));
    create index events_kind on events (kind);";

/// The schema as the server itself tells it.
fn shape(database: &Database) -> String {
    database.schema().trim().to_owned()
}

/// All rows of all tables, by table.
fn rows(database: &Database) -> String {
    database.query(
        "select c.relname, query_to_xml(format('select * from only %s t order by t::text', c.oid::regclass), true, true, '')
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.relkind in ('r', 'p') and n.nspname = 'public' order by 1",
    )
}

/// Takes a database from one schema to another and back and there again.
fn there_and_back(current: &str, data: &str, desired: &str) {
    let (live, wanted) = (Engine::Postgres.database(current), Engine::Postgres.database(desired));
    live.query(data);
    let (schema, before) = (shape(&live), rows(&live));
    let work = Workspace::new();
    work.import(&wanted);
    work.nothing_to_do(&wanted);
    work.plan(&live);
    work.sign();
    work.apply(&live);
    assert_eq!(shape(&live), shape(&wanted), "{desired}");
    work.nothing_to_do(&live);
    work.rollback(&live);
    assert_eq!(shape(&live), schema, "{current}");
    assert_eq!(rows(&live), before, "{current}");
    let mut again = work.apply_args(&live);
    again.push("--again".to_owned());
    work.expect(0, &again.iter().map(String::as_str).collect::<Vec<_>>());
    work.nothing_to_do(&live);
}

/// A change that rows forbid is refused before anything is written.
fn refused(current: &str, data: &str, desired: &str, says: &str) {
    let (live, wanted) = (Engine::Postgres.database(current), Engine::Postgres.database(desired));
    live.query(data);
    let (schema, before) = (shape(&live), rows(&live));
    let work = Workspace::new();
    work.import(&wanted);
    work.plan(&live);
    work.sign();
    let args = work.apply_args(&live);
    let output = work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(output.stderr.contains(says), "{}", output.stderr);
    assert_eq!((shape(&live), rows(&live)), (schema, before));
}

fn replaced(from: &str, to: &str) -> String {
    assert!(EVENTS.contains(from), "{from}");
    EVENTS.replace(from, to)
}

#[test]
fn what_changes_on_a_parent_changes_on_its_partitions() {
    for desired in [
        replaced("note text,", "note text, extra integer default 3,"),
        replaced("note text", "note varchar(40)"),
        replaced("default 'x'", "default 'y'"),
        replaced("kind text", "kind text not null"),
        replaced("primary key (id, at)", "primary key (at, id)"),
        replaced("events (kind)", "events (kind, note)"),
        format!(
            "{EVENTS} create index events_note on events (note); alter table events add constraint positive check (id > 0);"
        ),
        format!(
            "{EVENTS} create table days (at date primary key); alter table events add constraint late check (at > '2000-01-01');"
        ),
    ] {
        there_and_back(EVENTS, ROWS, &desired);
    }
}

#[test]
fn a_partition_keeps_what_is_its_own() {
    let own = "alter table events_1 alter kind set default 'q';
        alter table events_2 alter kind drop default, alter kind set not null;
        create unique index own_note on events_1 (note);
        alter table events_1 add constraint own_check check (note <> 'bad');";
    let with_own = format!("{EVENTS} {own}");
    there_and_back(EVENTS, ROWS, &with_own);
    there_and_back(&with_own, ROWS, EVENTS);
    let other = replaced("default 'x'", "default 'y'");
    there_and_back(&with_own, ROWS, &format!("{other} {own}"));
}

#[test]
fn a_table_is_attached_and_detached_with_its_rows() {
    let apart = format!("{}{ALONE}", replaced(SECOND, ""));
    there_and_back(EVENTS, ROWS, &apart);
    let data = "insert into events values (1, '2024-01-05', 'a', 'n1'); insert into events_2 values (2, '2024-02-05', 'b', 'n2');";
    there_and_back(&apart, data, EVENTS);
    let misfit = "insert into events_2 values (2, '2025-02-05', 'b', 'n2');";
    refused(&apart, misfit, EVENTS, "every row of public.events_2 fits");
}

#[test]
fn names_of_shares_in_indexes_are_kept() {
    let named = format!(
        "{EVENTS} create index events_note on only events (note);
         create index mine_1 on events_1 (note); alter index events_note attach partition mine_1;
         create index mine_2 on events_2 (note); alter index events_note attach partition mine_2;"
    );
    there_and_back(EVENTS, ROWS, &named);
    there_and_back(&named, ROWS, EVENTS);
    // An index of its own beside the like that it has from its parent.
    there_and_back(EVENTS, ROWS, &format!("{EVENTS} create index twin on events_1 (kind);"));
}

#[test]
fn bounds_move_where_the_rows_allow_it() {
    there_and_back(EVENTS, ROWS, &replaced("to ('2024-03-01')", "to ('2024-06-01')"));
    refused(EVENTS, ROWS, &replaced("from ('2024-02-01')", "from ('2024-02-06')"), "every row of public.events_2 fits");
    there_and_back(EVENTS, ROWS, &format!("{EVENTS} create table events_rest partition of events default;"));
}

#[test]
fn partitions_have_partitions() {
    let nested = "create table n (a integer not null, b integer not null, c text) partition by list (a);
        create table n1 partition of n for values in (1) partition by range (b);
        create table n1a partition of n1 for values from (0) to (10);
        create table n1b partition of n1 default;
        create index n_c on n (c);";
    let data = "insert into n values (1, 1, 'x'), (1, 50, 'y');";
    let more = "create table n2 partition of n for values in (2) partition by hash (b);
        create table n2a partition of n2 for values with (modulus 2, remainder 0);
        create index n1_b on n1 (b); alter table n add primary key (a, b);";
    there_and_back(nested, data, &format!("{nested} {more}"));
}

#[test]
fn rows_are_divided_and_put_together_again() {
    let around = "create view kinds as select kind from events; grant select on events to public; comment on table events is 'all';";
    let current = format!("{PLAIN} {around}");
    let divided = EVENTS.replace("to ('2024-03-01')", "to (maxvalue)");
    let desired = format!("{divided} {around}");
    there_and_back(&current, ROWS, &desired);
    there_and_back(&desired, ROWS, &current);
    refused(PLAIN, "insert into events values (9, '2030-01-01', 'z', '')", EVENTS, "fits one of its partitions");
    let listed = "create table events (id bigint not null, at date not null, kind text default 'x', note text, primary key (id, at)) partition by list (at);
        create table events_1 partition of events for values in ('2024-01-05');
        create table events_2 partition of events default;
        create index events_kind on events (kind);";
    there_and_back(EVENTS, ROWS, listed);
}

#[test]
fn tables_inherit_and_do_not_any_more() {
    let parent = "create table parent (a integer not null, b text default 'x', constraint positive check (a > 0));";
    let child = "create table child (c integer) inherits (parent);";
    let data = "insert into child (a, c) values (1, 2);";
    let both = format!("{parent} {child}");
    there_and_back(&both, data, &both.replace("default 'x'", "default 'z'").replace("a > 0", "a > -1"));
    let alone =
        "create table child (a integer not null, b text default 'x', c integer, constraint positive check (a > 0));";
    let (live, wanted) = (Engine::Postgres.database(&both), Engine::Postgres.database(&format!("{parent} {alone}")));
    live.query(data);
    let work = Workspace::new();
    work.import(&wanted);
    work.plan(&live);
    work.sign();
    work.apply(&live);
    work.nothing_to_do(&live);
    assert_eq!(shape(&live), shape(&wanted));
    assert_eq!(live.query("select a, c from child").trim(), "1|2");
}

#[test]
fn rows_of_a_table_without_a_key_get_their_own_values() {
    // The first rows of both partitions are at the same places of their files.
    let base = "create table log (at date not null, note text) partition by range (at);
        create table log_old partition of log for values from ('2025-01-01') to ('2026-01-01');
        create table log_new partition of log for values from ('2026-01-01') to ('2027-01-01');
        create table kind (name text primary key); insert into kind values ('k');
        insert into log select date '2025-06-01', 'old ' || n from generate_series(1, 20000) n;
        insert into log select date '2026-06-01', 'new ' || n from generate_series(1, 5000) n;";
    let database = Engine::Postgres.database(base);
    let work = Workspace::new();
    work.import(&database);
    let set = "label = \"text?\"\nkind = \"text?\"";
    work.edit("specs/schema.toml", "note = \"text?\"", &format!("note = \"text?\"\n{set}"));
    work.write(
        "specs/transform.toml",
        "[transform.log]\nset.label = \"upper(note)\"\nset.kind = \"note || (select min(name) from kind)\"\n\
         reject = [{ when = \"note is null\", reason = \"nothing to go by\" }]\n",
    );
    work.plan(&database);
    work.sign();
    work.apply(&database);
    assert_eq!(
        database.query("select count(*) from log where label = upper(note) and kind = note || 'k'").trim(),
        "25000"
    );
    work.nothing_to_do(&database);
}

/// The columns of all tables, and from how many parents each comes.
fn columns(database: &Database) -> String {
    database.query(
        "select a.attrelid::regclass, a.attname, format_type(a.atttypid, null), a.attinhcount
           from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = 'public' and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped order by 1, 2",
    )
}

#[test]
fn a_column_of_a_parent_becomes_its_heirs_and_back() {
    let parents = "create table thing (id int, name text);
        create table book (pages int) inherits (thing); create table note () inherits (thing);";
    let own = "create table thing (id int);
        create table book (name text, pages int) inherits (thing); create table note () inherits (thing);";
    let all = |database: &Database| database.query("select * from book order by id; select * from note;");
    for (current, desired, notes) in [(parents, own, "(3, 'n')"), (own, parents, "(3)")] {
        let (live, wanted) = (Engine::Postgres.database(current), Engine::Postgres.database(desired));
        live.query(&format!(
            "insert into book (id, name, pages) values (1, 'a', 7), (2, 'b', 8); insert into note values {notes};"
        ));
        let (first, before) = (columns(&live), all(&live));
        let books = live.query("select id, name, pages from book order by 1");
        let work = Workspace::new();
        work.import(&wanted);
        work.nothing_to_do(&wanted);
        work.plan(&live);
        work.sign();
        work.apply(&live);
        assert_eq!(columns(&live), columns(&wanted), "{desired}");
        assert_eq!(live.query("select id, name, pages from book order by 1"), books, "{desired}");
        work.nothing_to_do(&live);
        work.rollback(&live);
        assert_eq!(columns(&live), first, "{current}");
        assert_eq!(all(&live), before, "{current}");
    }
}

#[test]
fn a_type_that_comes_from_two_parents_is_refused_with_its_plan() {
    let tables = |id: &str| {
        format!("create table a (id {id}); create table b (id {id}); create table c (n int) inherits (a, b);")
    };
    let (live, wanted) = (Engine::Postgres.database(&tables("int")), Engine::Postgres.database(&tables("bigint")));
    let work = Workspace::new();
    work.import(&wanted);
    let plan = work.expect(1, &["plan", "--url", &live.url(), "--specs", "specs", "--out", "plan.json"]);
    assert!(plan.stderr.contains("public.c has it from both"), "{}", plan.stderr);
}
