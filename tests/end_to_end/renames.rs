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
