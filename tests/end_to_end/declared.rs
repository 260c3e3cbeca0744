//! Rows that the specs declare: they come, change and leave with the declaration, and others stay. On every engine, there and back.

use crate::common::{Database, ENGINES, Engine, TRANSACTIONAL, Workspace, cells};

#[test]
fn declared_rows_are_kept_in_step() {
    for engine in ENGINES {
        let text = engine.key_text();
        let database = engine.database(&format!(
            "create table countries (code {text} not null primary key, name {text} not null, size integer);
             insert into countries values ('de', 'Deutschland', 7), ('xx', 'Elsewhere', 1);"
        ));
        let work = Workspace::new();
        work.import(&database);
        let all = "select code, name, size from countries order by code;";
        let before = database.query(all);
        let rows = |rows: &str| {
            let column = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
            let end = column.find("rows = [").unwrap_or_else(|| column.find("[table.countries.columns]").unwrap());
            let rest = column[column.find("[table.countries.columns]").unwrap()..].to_owned();
            let head = column[..end].to_owned();
            work.write("specs/schema.toml", &format!("{head}rows = [{rows}]\n\n{rest}"));
        };
        let found = || cells(database.query(all).trim_end()).chunks(3).map(|row| row.join(" ")).collect::<Vec<_>>();
        rows("{ code = \"de\", name = \"Germany\" }, { code = \"fr\", name = \"L'France\" }");
        work.plan(&database);
        work.sign();
        work.apply(&database);
        assert_eq!(found(), ["de Germany 7", "fr L'France ", "xx Elsewhere 1"], "{engine:?}");
        work.nothing_to_do(&database);
        work.rollback(&database);
        assert_eq!(database.query(all), before, "{engine:?}");
        let mut again = work.apply_args(&database);
        again.push("--again".to_owned());
        work.expect(0, &again.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(found(), ["de Germany 7", "fr L'France ", "xx Elsewhere 1"], "{engine:?}");
        rows("{ code = \"fr\", name = \"France\" }");
        work.plan(&database);
        work.sign();
        work.apply(&database);
        assert_eq!(found(), ["fr France ", "xx Elsewhere 1"], "{engine:?}");
        work.nothing_to_do(&database);
        for (wrong, word) in [
            ("{ name = \"France\" }", "has no code"),
            ("{ code = \"fr\" }, { code = \"fr\" }", "have this key"),
            ("{ code = \"fr\" }, { code = \"de\", size = 1 }", "different columns"),
            ("{ cod = \"fr\" }", "has no column cod"),
        ] {
            rows(wrong);
            work.refused(&database, word);
        }
    }
}

/// Declared rows of two tables, one of which refers to the other and to itself, beside rows of users.
struct Places {
    work: Workspace,
    database: Database,
}

impl Places {
    fn new(engine: Engine) -> Self {
        let text = engine.key_text();
        let database = engine.database(&format!(
            "create table countries (code {text} not null primary key, name {text} not null, size integer,
               part_of {text}, foreign key (part_of) references countries (code));
             create table cities (id integer not null primary key, country {text},
               foreign key (country) references countries (code) on delete cascade);
             insert into countries (code, name) values ('xx', 'Elsewhere');"
        ));
        let work = Workspace::new();
        work.import(&database);
        Self { work, database }
    }

    /// Declares rows: codes of countries, each with the one that it is a part of, and cities with their countries.
    fn declare(&self, countries: &[(&str, &str)], cities: &[(u32, &str)]) {
        let quoted = |(code, whole): &(&str, &str)| {
            format!("{{ code = \"{code}\", name = \"The {code}\", part_of = \"{whole}\" }}")
        };
        let city = |(id, country): &(u32, &str)| format!("{{ id = {id}, country = \"{country}\" }}");
        let rows = [
            ("countries", countries.iter().map(quoted).collect::<Vec<_>>()),
            ("cities", cities.iter().map(city).collect()),
        ];
        let spec = std::fs::read_to_string(self.work.path().join("specs/schema.toml")).unwrap();
        let mut out: Vec<String> =
            spec.lines().filter(|line| !line.starts_with("rows = ")).map(str::to_owned).collect();
        for (table, rows) in rows.iter().filter(|(_, rows)| !rows.is_empty()) {
            let at = out.iter().position(|line| *line == format!("[table.{table}]")).unwrap();
            out.insert(at + 1, format!("rows = [{}]", rows.join(", ")));
        }
        self.work.write("specs/schema.toml", &out.join("\n"));
    }

    fn planned(&self) -> String {
        let said = self.work.plan(&self.database).stdout;
        self.work.sign();
        said
    }

    fn apply(&self) -> String {
        let said = self.planned();
        self.work.apply(&self.database);
        self.work.nothing_to_do(&self.database);
        said
    }

    fn found(&self) -> String {
        let countries = self.database.query("select code, size from countries order by code;");
        let cities = self.database.query("select id from cities order by id;");
        cells(&format!("{}\n{}", countries.trim_end(), cities.trim_end())).join(" ")
    }
}

#[test]
fn rows_that_are_declared_no_more_leave() {
    for engine in ENGINES {
        let places = Places::new(*engine);
        let (work, database) = (&places.work, &places.database);
        let at_first: (&[_], &[_]) =
            (&[("eu", "eu"), ("de", "eu"), ("fr", "eu"), ("by", "de")], &[(1, "de"), (2, "fr")]);
        places.declare(at_first.0, at_first.1);
        places.apply();
        database.query("update countries set size = 7 where code = 'fr'; insert into cities values (9, 'by');");
        let before = places.found();
        assert_eq!(before, "by  de  eu  fr 7 xx  1 2 9", "{engine:?}");

        // A row of a user refers to one that shall leave, and would leave with it.
        places.declare(&[("eu", "eu"), ("de", "eu")], &[(1, "de")]);
        let said = places.planned();
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("MIG-H040 ") && words.contains("are declared no more go: 'fr', 'by'"),
            "{engine:?}: {said}"
        );
        let refused = work.expect(5, &work.apply_args(database).iter().map(String::as_str).collect::<Vec<_>>());
        let told = refused.stderr + &refused.stdout;
        assert!(told.contains("that leaves: 1 row is wrong") && told.contains("removed = "), "{engine:?}: {told}");
        assert_eq!(places.found(), before, "{engine:?}");

        assert!(!words.contains("backup"), "{engine:?}: {said}");
        work.write("specs/saved.toml", "backup = [\"removed\"]\n");
        assert!(places.planned().contains("backup"), "{engine:?}");
        work.write("specs/saved.toml", "");
        places.planned();

        database.query("delete from cities where id = 9;");
        work.apply(database);
        assert_eq!(places.found(), "de  eu  xx  1", "{engine:?}");
        work.nothing_to_do(database);
        work.rollback(database);
        assert_eq!(places.found(), "by  de  eu  fr 7 xx  1 2", "{engine:?}: taken back");
        places.declare(at_first.0, at_first.1);
        work.nothing_to_do(database);

        // What is managed no longer stays, and a declaration that goes as a whole takes its rows along.
        places.declare(&[], &[]);
        work.write("specs/left.toml", "removed = [\"rows countries\", \"rows cities\"]\n");
        work.nothing_to_do(database);
        std::fs::remove_file(work.path().join("specs/left.toml")).unwrap();
        places.apply();
        assert_eq!(places.found().trim(), "xx", "{engine:?}");
        work.rollback(database);
        assert_eq!(places.found(), "by  de  eu  fr 7 xx  1 2", "{engine:?}: all taken back");
    }
}

/// What a trigger refuses, or silently leaves undone, is known before anything of the run is there. MariaDB could not take it back.
#[test]
fn a_trigger_that_keeps_rows_is_met_before_the_first_write() {
    for engine in TRANSACTIONAL {
        for (refusal, told) in [
            (engine.pick("RAISE(ABORT, 'France stays')", "raise exception 'France stays'", ""), "France stays"),
            (engine.pick("RAISE(IGNORE)", "return null", ""), "still there afterwards: fr"),
        ] {
            let trigger = engine.pick(
                "create trigger stay before delete on countries when old.code = 'fr' begin select REFUSAL; end;",
                "create function stay() returns trigger language plpgsql as $$ begin REFUSAL; end $$;
                 create trigger stay before delete on countries for each row when (old.code = 'fr') execute function stay();",
                "",
            );
            let trigger = trigger.replace("REFUSAL", refusal);
            let text = engine.key_text();
            let database = engine.database(&format!(
                "create table countries (code {text} not null primary key, name {text});
                 create table cities (id integer not null primary key, name {text});
                 {trigger}"
            ));
            let work = Workspace::new();
            work.import(&database);
            let spec = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
            let declare = |rows: &str, cities: &str| {
                let spec = spec.replace("[table.countries]", &format!("[table.countries]\nrows = [{rows}]"));
                let spec = spec.replace("[table.cities.columns]", &format!("[table.cities.columns]{cities}"));
                work.write("specs/schema.toml", &spec);
                work.plan(&database);
                work.sign();
            };
            declare("{ code = \"de\", name = \"D\" }, { code = \"fr\", name = \"F\" }", "");
            work.apply(&database);
            let before = (database.schema(), database.query("select code, name from countries order by code;"));
            declare("{ code = \"de\", name = \"G\" }", &format!("\nsize = \"{text}?\""));
            for dry in [vec![], vec!["--dry-run"]] {
                let args = work.apply_args(&database);
                let args: Vec<_> = args.iter().map(String::as_str).chain(dry).collect();
                let said = work.expect(5, &args).stderr;
                assert!(
                    said.contains("before anything was written") && said.contains("removes rows"),
                    "{engine:?}: {said}"
                );
                assert!(said.contains("taken back") && said.contains(told), "{engine:?}: {said}");
                let after = (database.schema(), database.query("select code, name from countries order by code;"));
                assert_eq!(after, before, "{engine:?}");
            }
            // What is only added meets no trigger.
            declare(
                "{ code = \"de\", name = \"D\" }, { code = \"fr\", name = \"F\" }, { code = \"it\", name = \"I\" }",
                "",
            );
            work.apply(&database);
            assert_eq!(database.query("select count(*) from countries;").trim(), "3", "{engine:?}");
        }
    }
}

#[test]
fn a_row_under_another_key_takes_over_what_only_one_may_have() {
    for engine in ENGINES {
        let text = engine.key_text();
        let database = engine.database(&format!(
            "create table coins (code {text} not null primary key, name {text} not null unique, id {});
             insert into coins (code, name) values ('uk', 'Pound');",
            engine.pick("integer", "integer generated always as identity", "integer generated always as (1) stored")
        ));
        let work = Workspace::new();
        work.import(&database);
        let all = || cells(database.query("select code, name from coins order by code;").trim_end()).join(" ");
        let declare = |rows: &str| {
            let spec = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
            let spec: Vec<_> = spec.lines().filter(|line| !line.starts_with("rows = ")).collect();
            let table = format!("[table.coins]\nrows = [{rows}]");
            work.write("specs/schema.toml", &spec.join("\n").replace("[table.coins]", &table));
            work.plan(&database);
            work.sign();
        };
        // What is declared as it stands is there after a rollback.
        declare("{ code = \"uk\", name = \"Pound\" }");
        work.apply(&database);
        work.rollback(&database);
        assert_eq!(all(), "uk Pound", "{engine:?}");
        let mut again = work.apply_args(&database);
        again.push("--again".to_owned());
        work.expect(0, &again.iter().map(String::as_str).collect::<Vec<_>>());

        declare("{ code = \"gb\", name = \"Pound\" }, { code = \"fr\", name = \"Franc\" }");
        work.apply(&database);
        assert_eq!(all(), "fr Franc gb Pound", "{engine:?}");
        work.nothing_to_do(&database);
        work.rollback(&database);
        assert_eq!(all(), "uk Pound", "{engine:?}");
        // To a server that takes both for the same key, the row is the one that is declared.
        declare("{ code = \"UK\", name = \"Pound\" }");
        work.apply(&database);
        assert_eq!(all(), engine.pick("UK Pound", "UK Pound", "uk Pound"), "{engine:?}");
        work.nothing_to_do(&database);
        // A table that takes the place of another knows nothing of its rows.
        let spec = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        let spec =
            spec.replace("table.coins", "table.money").replace("[table.money]", "[table.money]\nwas = \"coins\"");
        work.write("specs/schema.toml", &spec);
        work.plan(&database);
        work.sign();
        work.apply(&database);
        work.edit("specs/schema.toml", "was = \"coins\"\n", "");
        let columns = format!("[table.coins]\nprimary_key = [\"code\"]\n[table.coins.columns]\ncode = \"{text}\"\n");
        work.write("specs/coins.toml", &columns);
        work.plan(&database);
        work.sign();
        work.apply(&database);
        database.query("insert into coins values ('UK');");
        work.nothing_to_do(&database);
    }
}

#[test]
fn a_row_comes_back_with_columns_of_every_kind() {
    let database = Engine::Postgres.database(
        "create type mood as enum ('sad', 'ok');
         create table days (id uuid not null, mood mood not null, free boolean not null, day date not null, rate numeric(8, 2) not null,
           name text, at timestamptz default now(), n int generated always as identity, loud text generated always as (upper(name)) stored,
           moods mood[], primary key (id, mood, free, day, rate));",
    );
    let work = Workspace::new();
    work.import(&database);
    let spec = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
    let id = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    let row = |free: bool, rate: &str| {
        format!(
            "{{ id = \"{id}\", mood = \"sad\", free = {free}, day = \"2024-01-31\", rate = {rate}, name = \"it's\" }}"
        )
    };
    let declare = |rows: &[String]| {
        let table = format!("[table.days]\nrows = [{}]", rows.join(", "));
        work.write("specs/schema.toml", &spec.replace("[table.days]", &table));
        work.plan(&database);
        work.sign();
        work.apply(&database);
    };
    declare(&[row(true, "1.5"), row(false, "2")]);
    database.query("update days set moods = '{ok,sad}' where free;");
    let before = database.query("select * from days order by free;");
    declare(&[row(false, "2")]);
    assert_eq!(database.query("select count(*) from days;").trim(), "1");
    work.rollback(&database);
    assert_eq!(database.query("select * from days order by free;"), before);
}
