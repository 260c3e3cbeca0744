//! Tables whose rows nobody may change: a plan gives them values all the same, and the guards stand for everybody else.

use crate::common::{Engine, Workspace};

const TABLE: &str = "
    create table events (id integer primary key, what text not null);
    insert into events select n, 'kind:' || n from generate_series(1, 500) as n;
    create function refuse() returns trigger language plpgsql as $$
    begin
        raise exception 'rows of % stay as they are', tg_table_name;
    end $$;
    create trigger append_only before update or delete on events for each row execute function refuse();";

#[test]
fn a_backfill_passes_a_guard_and_nobody_else_does() {
    let database = Engine::Postgres.database(TABLE);
    let work = Workspace::new();
    work.import(&database);
    work.edit("specs/schema.toml", "[table.events.columns]", "[table.events.columns]\nkind = \"text\"");
    work.write("specs/data.toml", "[transform.events]\nset.kind = \"split_part(what, ':', 1)\"\nbatch_rows = 100\n");
    let said = work.plan(&database).stdout;
    assert!(said.contains("MIG-H039") && said.contains("append_only"), "{said}");
    work.sign();
    work.apply(&database);
    assert_eq!(database.query("select count(*) from events where kind = 'kind';").trim(), "500");
    assert_eq!(database.query("select tgenabled from pg_trigger where tgname = 'append_only';").trim(), "O");
    let refused = database.query(
        "do $$ begin update events set what = ''; raise notice 'changed'; exception when raise_exception then perform 1; end $$; \
         select count(*) from events where what = '';",
    );
    assert!(refused.contains('0'), "{refused}");
    work.rollback(&database);
}

#[test]
fn a_column_that_leaves_a_guarded_table_comes_back_with_its_values() {
    let database = Engine::Postgres.database(TABLE);
    let work = Workspace::new();
    work.import(&database);
    let before = database.query("select * from events order by id;");
    work.edit("specs/schema.toml", "what = \"text\"\n", "");
    work.plan(&database);
    work.sign();
    work.apply(&database);
    work.rollback(&database);
    assert_eq!(database.query("select * from events order by id;"), before);
}

#[test]
fn a_guard_that_always_fires_is_not_passed() {
    let database = Engine::Postgres.database(&format!("{TABLE} alter table events enable always trigger append_only;"));
    let work = Workspace::new();
    work.import(&database);
    work.edit("specs/schema.toml", "[table.events.columns]", "[table.events.columns]\nkind = \"text\"");
    work.write("specs/data.toml", "[transform.events]\nset.kind = \"split_part(what, ':', 1)\"\n");
    let output = work.expect(1, &["plan", "--url", &database.url(), "--specs", "specs", "--out", "plan.json"]);
    let said = output.stdout + &output.stderr;
    assert!(said.contains("always fires"), "{said}");
}

#[test]
fn a_rebuild_passes_a_guard_of_sqlite() {
    let database = Engine::Sqlite.database(
        "create table events (id integer primary key, what text not null, old text);
         insert into events values (1, 'a:1', 'x'), (2, 'b:2', null);
         create trigger append_only before update on events begin select raise(abort, 'rows stay as they are'); end;
         create trigger stays before delete on events begin select raise(abort, 'rows stay as they are'); end;",
    );
    let work = Workspace::new();
    work.import(&database);
    let before = (database.schema(), database.query("select * from events order by id;"));
    work.edit("specs/schema.toml", "old  = \"text?\"", "kind = \"text?\"");
    work.write("specs/data.toml", "[transform.events]\nset.kind = \"substr(what, 1, 1)\"\n");
    let said = work.plan(&database).stdout;
    assert!(said.contains("MIG-H039") && said.contains("append_only"), "{said}");
    work.sign();
    work.apply(&database);
    assert_eq!(database.query("select id, kind from events order by id;").trim(), "1|a\n2|b");
    let kept = "select count(*) from sqlite_schema where type = 'trigger' and tbl_name = 'events';";
    assert_eq!(database.query(kept).trim(), "2");
    work.nothing_to_do(&database);
    work.rollback(&database);
    assert_eq!((database.schema(), database.query("select * from events order by id;")), before);
}

#[test]
fn a_guard_of_mariadb_is_met_before_anything_is_written() {
    let database = Engine::MariaDb.database(
        "create table events (id integer primary key, what varchar(20) not null);
         insert into events values (1, 'a:1');
         create trigger append_only before update on events for each row signal sqlstate '45000' set message_text = 'no';",
    );
    let work = Workspace::new();
    work.import(&database);
    let column = "[table.events.columns]\nkind = \"varchar(9)?\"";
    work.edit("specs/schema.toml", "[table.events.columns]", column);
    work.plan(&database);
    work.write("specs/data.toml", "[transform.events]\nset.kind = \"left(what, 1)\"\n");
    let output = work.expect(1, &["plan", "--url", &database.url(), "--specs", "specs", "--out", "plan.json"]);
    let said = output.stdout + &output.stderr;
    assert!(said.contains("append_only") && said.contains("take it away in a plan before"), "{said}");
}
