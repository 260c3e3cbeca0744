//! Types that change beside running clients to others from which the old values do not come back: by a cast, by a transform, and by a
//! foreign key that leads to one.

use crate::common::Engine;
use crate::online::{Case, apply_through, clients_write_meanwhile, holds, killed, planned, there_and_back};

/// Columns with transforms and with casts that may lose something; a key, an index, a check, a default.
const CASTS: Case = Case {
    engine: Engine::Postgres,
    base: "create table thing (id bigint primary key, code text not null unique, state text, size bigint not null,
            amount numeric not null default 0, tag text, constraint size_positive check (size > 0));
        create index thing_state on thing (state, id);
        comment on index thing_state is 'by state';
        create view things as select id, size, amount from thing;
        insert into thing select n, 'c' || n, case when n % 2 = 0 then 'on' else 'off' end, n, n, 't' from generate_series(1, 300) n;
        create sequence ids start 1000;",
    edits: &[
        ("code   = \"text\"", "code   = \"integer\""),
        ("state  = \"text?\"", "state  = \"boolean?\""),
        ("size   = \"bigint\"", "size   = \"integer\""),
        ("amount = { type = \"numeric\"", "amount = { type = \"integer\""),
        (
            "[[table.thing.uniques]]",
            "kind   = \"text?\"\n\n[transform.thing]\nset.kind = \"upper(tag)\"\nset.code = \"substr(code, 2)::integer + length(kind) - 1\"\n\
             set.state = \"thing.state = 'on'\"\n\n[[table.thing.uniques]]",
        ),
    ],
    old: &[
        "insert into thing (id, code, state, size, tag) select n, 'c' || n, 'on', 3, 't' from nextval('ids') n",
        "update thing set state = 'on', size = size + 1, amount = 7 where id = 7",
        "delete from thing where id = (select max(id) from thing where id between 100 and 200)",
        "select size, amount from things where id < 20",
    ],
    new: &["update thing set tag = 'T' where id = 9"],
    holds: &[
        ("select count(*) from thing where code <> id or state is null", "0"),
        ("select count(*) from pg_trigger where tgname like 'zzz%'", "0"),
        ("select count(*) from pg_proc where pronamespace = 'mig'::regnamespace", "0"),
        ("select count(*) from pg_constraint where not convalidated", "0"),
        (
            "select string_agg(attname || ' ' || atttypid::regtype, ', ' order by attname) from pg_attribute \
             where attrelid = 'thing'::regclass and attnum > 0 and not attisdropped",
            "amount integer, code integer, id bigint, kind text, size integer, state boolean, tag text",
        ),
        ("select obj_description('thing_state'::regclass)", "by state"),
        ("insert into thing (id, code, size, kind) values (9000, 9000, 1, 'x') returning amount", "0"),
    ],
    rows: "select count(*), sum(id), max(code), min(state), max(state), sum(size), sum(amount) from thing",
};

/// A key that takes another form, with all that refer to it: a table with a key, one without, the table itself, one that refers to what
/// refers.
const KEYS: Case = Case {
    engine: Engine::Postgres,
    base: "create table scopes (scope_id uuid primary key default gen_random_uuid(), domain text not null, name text,
            parent uuid references scopes on delete set null);
        create table verdicts (id bigint primary key, scope_id uuid not null unique references scopes on delete cascade, note text);
        create table loose (scope_id uuid references scopes, mark integer);
        create table deeper (id serial primary key, verdict_scope uuid references verdicts (scope_id) on delete cascade);
        create index deeper_scope on deeper (verdict_scope);
        insert into scopes (scope_id, domain, name) select md5('s' || n)::uuid, 'd' || n % 3, 'n' || n from generate_series(1, 300) n;
        update scopes set parent = md5('s1')::uuid where name <> 'n1';
        insert into verdicts select n, md5('s' || n)::uuid, 'v' from generate_series(1, 200) n;
        insert into loose select md5('s' || n % 50 + 1)::uuid, n from generate_series(1, 100) n;
        insert into deeper (verdict_scope) select md5('s' || n % 200 + 1)::uuid from generate_series(1, 400) n;
        create sequence ids start 1000;",
    edits: &[
        ("scope_id = { type = \"uuid\", default = \"gen_random_uuid()\" }", "scope_id = \"text\""),
        ("parent   = \"uuid?\"", "parent   = \"text?\""),
        ("scope_id = \"uuid?\"", "scope_id = \"text?\""),
        ("scope_id = \"uuid\"", "scope_id = \"text\""),
        ("verdict_scope = \"uuid?\"", "verdict_scope = \"text?\""),
        (
            "[[table.scopes.foreign_keys]]",
            "[transform.scopes]\nset.scope_id = \"domain || '.' || scope_id::text\"\n\n[[table.scopes.foreign_keys]]",
        ),
    ],
    old: &[
        "insert into scopes (domain, name, parent) select 'new', 'new', md5('s1')::uuid",
        "with s as (insert into scopes (domain, name) values ('x', 'y') returning scope_id) select count(*) from s",
        "insert into verdicts select n, (select scope_id from scopes where name = 'new' and scope_id not in (select scope_id from verdicts) limit 1), 'w' \
         from nextval('ids') n where exists (select from scopes where name = 'new' and scope_id not in (select scope_id from verdicts)) on conflict do nothing",
        "update scopes set domain = 'moved' where name = 'n7'",
        "delete from verdicts where id = (select max(id) from verdicts where id between 100 and 150)",
    ],
    new: &["update scopes set name = name || '-' where name like 'n25_'"],
    holds: &[
        ("select count(*) from pg_trigger where tgname like 'zzz%'", "0"),
        ("select count(*) from pg_constraint where not convalidated", "0"),
        ("select count(*) from pg_constraint where contype = 'f'", "4"),
        ("select count(*) from scopes where scope_id not like domain || '.%'", "0"),
        ("select count(*) from loose join scopes using (scope_id)", "100"),
        ("select count(*) from verdicts join scopes using (scope_id) where note = 'v' and id <= 90 and name = 'n' || id", "90"),
        ("select count(*) from deeper join verdicts on verdicts.scope_id = verdict_scope where deeper.id <= 50", "50"),
    ],
    rows: "select scope_id, parent from scopes order by name; select id, scope_id from verdicts order by id; \
        select scope_id from loose order by mark; select id, verdict_scope from deeper order by id",
};

#[test]
fn values_are_cast_and_transformed_beside_running_clients() {
    there_and_back(&CASTS);
    clients_write_meanwhile(&CASTS);
    killed(&CASTS, 13);
}

#[test]
fn a_key_takes_another_form_with_all_that_refer_to_it() {
    there_and_back(&KEYS);
    clients_write_meanwhile(&KEYS);
    killed(&KEYS, 29);
}

/// A value that the new type cannot hold stops the contract and never a client; what new clients wrote becomes an old value where it can.
#[test]
fn unfit_values_stop_the_contract_and_none_is_lost_on_the_way_back() {
    let (work, database) = planned(&CASTS);
    apply_through(&work, &database, "switch");
    database.query("insert into thing (id, code, state, size, tag) values (500, 'c500', 'on', 5000000000, 't')");
    let args = work.apply_args(&database);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let stopped = work.expect(5, &args);
    assert!(stopped.stderr.contains("thing"), "{stopped:?}");
    database.query("update thing set size = 5 where id = 500");
    work.apply(&database);
    holds(&CASTS, &database);
    database.query("update thing set size = 77, state = false where id = 2");
    work.rollback(&database);
    assert_eq!(
        database.query("select code, state, size, amount from thing where id in (2, 9000) order by id").trim(),
        "c2|false|77|2\n9000||1|0"
    );
}

/// Keys that rows of other tables, or of the same one, refer to: SQLite has no way in which those could follow.
const REFERRED: Case = Case {
    engine: Engine::Sqlite,
    base: "create table scopes (scope_id integer primary key, domain text not null, parent integer references scopes);
        create table loose (scope_id integer references scopes, mark integer);
        insert into scopes values (1, 'a', null), (2, 'b', 1);
        insert into loose values (1, 1);",
    edits: &[
        ("[table.scopes]", "[transform.scopes]\nset.scope_id = \"domain || '.' || scope_id\"\n\n[table.scopes]"),
        ("scope_id = \"integer\"", "scope_id = \"text\""),
        ("parent   = \"integer?\"", "parent   = \"text?\""),
        ("scope_id = \"integer?\"", "scope_id = \"text?\""),
    ],
    old: &[],
    new: &[],
    holds: &[("select group_concat(scope_id) from scopes", "a.1,b.2")],
    rows: "select (select group_concat(scope_id) from scopes), (select group_concat(scope_id) from loose)",
};

#[test]
fn sqlite_changes_no_key_that_rows_refer_to_and_says_so_before_it_writes() {
    let (work, database) = planned(&REFERRED);
    let before = (database.schema(), database.query(REFERRED.rows));
    let args = work.apply_args(&database);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let said = work.expect(5, &args).stderr;
    assert!(said.contains("no row of loose refers by"), "{said}");
    assert!(said.contains("no row of scopes refers by"), "{said}");
    assert_eq!((database.schema(), database.query(REFERRED.rows)), before, "something was written");
    database.query("delete from loose; update scopes set parent = null");
    work.apply(&database);
    holds(&REFERRED, &database);
}
