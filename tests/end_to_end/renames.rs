//! Declared renames on PostgreSQL: what the server's own `ALTER ... RENAME` does to a schema is what a plan of renames alone does.

use crate::common::{Database, Engine, Workspace};

const BASE: &str = "
    create schema app; create schema other;
    create type app.mood as enum ('sad', 'ok');
    create domain app.mail as text;
    create type app.pair as (a integer, b text);
    create sequence app.nums;
    create table app.users (id bigint generated always as identity primary key, name text not null, m app.mood default 'ok',
        all_moods app.mood[], e app.mail, p app.pair, n integer default nextval('app.nums'),
        constraint long check (length(name) < 100 and m <> 'sad'));
    create index users_name on app.users (lower(name)) where m <> 'sad';
    create table app.posts (id integer primary key, user_id bigint constraint of_user references app.users on delete cascade, users text);
    create view app.happy as select id, name, m from app.users where m = 'ok';
    create view app.happier as select * from app.happy users where users.name like 'a%';
    create materialized view app.counts as select count(*) as n, user_id from app.posts group by user_id;
    create unique index counts_user on app.counts (user_id);
    create function app.shout(u app.users) returns text language sql stable as $$ select upper((u).name) $$;
    create function app.moods(x app.mood[] default '{}') returns setof app.mood language sql begin atomic
        select users.m from app.users where users.m = any (x); end;
    create procedure app.forget(who app.mail) language plpgsql as $$ begin delete from users where e = who; end $$;
    create function app.trims() returns trigger language plpgsql as $$ begin new.name := trim(new.name); return new; end $$;
    create trigger trims before insert or update of name on app.users for each row when (new.m <> 'sad') execute function app.trims();
    alter table app.posts enable row level security;
    create policy own on app.posts for select using (user_id in (select id from app.users where m = 'ok'));
    create rule nothing as on delete to app.happier do instead nothing;
    create statistics app.both on user_id, users from app.posts;
    create table other.log (u app.mood[], of app.users);
    comment on column app.users.m is 'how';
    grant select (id, m) on app.users to pg_monitor; grant usage on schema app to pg_monitor;
    insert into app.users (name) values ('ada'), ('grace');";

/// What the server is told, and the `was` that says the same: a line of the imported specs, and the line under it.
struct Renamed {
    sql: &'static str,
    was: &'static [(&'static str, &'static str)],
}

const RENAMES: &[Renamed] = &[
    Renamed { sql: "alter type app.mood rename to temper", was: &[("[enum.\"app.temper\"]", "app.mood")] },
    Renamed { sql: "alter type app.mood set schema other", was: &[("[enum.\"other.mood\"]", "app.mood")] },
    Renamed { sql: "alter domain app.mail rename to \"E Mail\"", was: &[("[domain.'app.\"E Mail\"']", "app.mail")] },
    Renamed { sql: "alter type app.pair rename to duo", was: &[("[type.\"app.duo\"]", "app.pair")] },
    Renamed { sql: "alter sequence app.nums rename to numbers", was: &[("[sequence.\"app.numbers\"]", "app.nums")] },
    Renamed { sql: "alter view app.happy rename to glad", was: &[("[view.\"app.glad\"]", "app.happy")] },
    Renamed {
        sql: "alter materialized view app.counts rename to sums",
        was: &[("[materialized_view.\"app.sums\"]", "app.counts")],
    },
    Renamed { sql: "alter function app.trims() rename to cuts", was: &[("[function.\"app.cuts()\"]", "app.trims")] },
    Renamed {
        sql: "alter function app.shout(app.users) set schema other",
        was: &[("[function.\"other.shout(u app.users)\"]", "app.shout(u app.users)")],
    },
    Renamed {
        sql: "alter procedure app.forget(app.mail) rename to lose",
        was: &[("[procedure.\"app.lose(IN who app.mail)\"]", "app.forget")],
    },
    Renamed {
        sql: "alter trigger trims on app.users rename to cuts",
        was: &[("[trigger.\"app.users.cuts\"]", "trims")],
    },
    Renamed { sql: "alter policy own on app.posts rename to mine", was: &[("[policy.\"app.posts.mine\"]", "own")] },
    Renamed {
        sql: "alter rule nothing on app.happier rename to never",
        was: &[("[rule.\"app.happier.never\"]", "nothing")],
    },
    Renamed { sql: "alter statistics app.both rename to two", was: &[("[statistics.\"app.two\"]", "app.both")] },
    Renamed { sql: "alter schema app rename to application", was: &[("[schema.application]", "app")] },
    Renamed {
        sql: "alter schema app rename to application; alter type application.mood rename to temper; alter table application.posts rename to notes",
        was: &[
            ("[schema.application]", "app"),
            ("[enum.\"application.temper\"]", "app.mood"),
            ("[table.\"application.notes\"]", "app.posts"),
        ],
    },
    Renamed { sql: "alter table app.users rename to people", was: &[("[table.\"app.people\"]", "app.users")] },
    Renamed { sql: "alter table app.posts set schema other", was: &[("[table.\"other.posts\"]", "app.posts")] },
];

fn shape(of: &Database) -> String {
    of.schema().trim_end().to_owned()
}

fn there_and_back(renamed: &Renamed) {
    let (ours, wanted) = (Engine::Postgres.database(BASE), Engine::Postgres.database(BASE));
    wanted.query(renamed.sql);
    let before = shape(&ours);
    let work = Workspace::new();
    work.import(&wanted);
    for (line, was) in renamed.was {
        let files: Vec<_> = std::fs::read_dir(work.path().join("specs")).unwrap().map(|f| f.unwrap().path()).collect();
        let file = files.iter().find(|f| std::fs::read_to_string(f).unwrap().contains(line));
        let file = file.unwrap_or_else(|| panic!("no file of the specs has {line}"));
        let file = file.strip_prefix(work.path()).unwrap().display().to_string();
        work.edit(&file, line, &format!("{line}\nwas = '{was}'"));
    }
    work.plan(&ours);
    let plan: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(work.path().join("plan.json")).unwrap()).unwrap();
    for step in plan["steps"].as_array().unwrap() {
        let (kind, id) = (step["kind"].as_str().unwrap(), step["id"].as_str().unwrap());
        let serves = matches!(kind, "create" | "drop") && renamed.sql.contains("table");
        assert!(kind.starts_with("rename") || serves, "{}: {id}", renamed.sql);
    }
    work.sign();
    work.apply(&ours);
    assert_eq!(shape(&ours), shape(&wanted), "{}: applied", renamed.sql);
    work.nothing_to_do(&ours);
    work.rollback(&ours);
    assert_eq!(shape(&ours), before, "{}: taken back", renamed.sql);
}

#[test]
fn a_rename_is_carried_to_all_that_says_the_name() {
    RENAMES.iter().for_each(there_and_back);
}

/// MariaDB neither writes new names into views and triggers, nor makes either over names that are not there: forward and back.
#[test]
fn what_says_an_old_name_goes_and_comes() {
    let form = |table: &str, column: &str, rows: &str| {
        format!(
            "create table {table} (id int primary key, {column} varchar(50) not null, boss int, key by_boss (boss),
                constraint under foreign key (boss) references {table} (id));
             create table other (nm int, note varchar(9)); create view untouched as select nm, note from other;
             create view names as select id, {column} from {table};
             create view long_names as select id from names where {column} > 'm';
             create trigger tidies before insert on {table} for each row set new.{column} = trim(new.{column}); {rows}"
        )
    };
    let live = Engine::MariaDb.database(&form("usr", "nm", "insert into usr values (1, ' a', null), (2, 'b', 1);"));
    let wanted = Engine::MariaDb.database(&form("person", "name", ""));
    let shape = |database: &Database| {
        let name = database.url().rsplit('/').next().unwrap().to_owned();
        let all = "select 'column', table_name, column_name, ordinal_position, column_type, is_nullable from information_schema.columns
              where table_schema = database() and table_name not like '\\_mig\\_%'
            union all select 'view', table_name, view_definition, '', '', '' from information_schema.views where table_schema = database()
            union all select 'trigger', trigger_name, event_object_table, action_statement, '', '' from information_schema.triggers where trigger_schema = database()
            union all select 'key', constraint_name, table_name, referenced_table_name, '', '' from information_schema.referential_constraints
              where constraint_schema = database() order by 1, 2, 3";
        database.query(all).replace(&name, "db")
    };
    let first = shape(&live);
    let at = Workspace::new();
    at.import(&wanted);
    at.edit("specs/schema.toml", "[table.person]", "[table.person]\nwas = \"usr\"");
    at.edit("specs/schema.toml", "name = \"varchar(50)\"", "name = { type = \"varchar(50)\", was = \"nm\" }");
    let plan = at.plan(&live).stdout;
    assert!(!plan.contains("untouched"), "a view of another table goes for nothing:\n{plan}");
    at.sign();
    at.apply(&live);
    assert_eq!(shape(&live), shape(&wanted));
    at.nothing_to_do(&live);
    live.query("insert into person values (3, '  z', 1)");
    assert_eq!(live.query("select name from person order by id").trim(), "a\nb\nz");
    at.rollback(&live);
    assert_eq!(shape(&live), first);
    assert_eq!(live.query("select nm from usr order by id").trim(), "a\nb\nz");
}
