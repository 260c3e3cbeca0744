//! Rows that cannot have the values they should: rejected by rules, or found before the first write. On every engine.

use crate::{
    common::{Database, ENGINES, Engine, Workspace, cells},
    transforms::tickets,
};

fn scopes(engine: Engine) -> Database {
    let text = engine.key_text();
    engine.database(&format!(
        "create table domains (id integer not null primary key, name {text} not null);
         create table scopes (id integer not null primary key, domain_id integer, label {text} not null);
         insert into domains values (1, 'eu'), (2, 'us');
         insert into scopes values (1, 1, 'a'), (2, 2, 'b'), (3, 9, 'c'), (4, null, 'it''s d'), (5, 1, 'e');"
    ))
}

const BY_DOMAIN: &str = "(select d.name from domains d where d.id = scopes.domain_id)";

/// A workspace whose specs give each scope the name of its domain.
fn with_domain(database: &Database, engine: Engine, mark: &str, more: &str) -> Workspace {
    let work = Workspace::new();
    work.import(database);
    let column = format!("[table.scopes.columns]\ndomain = \"{}{mark}\"", engine.key_text());
    work.edit("specs/schema.toml", "[table.scopes.columns]", &column);
    let reject = "reject = [{ when = \"domain is null\", reason = \"a scope without a domain\" }]";
    work.write(
        "specs/transform.toml",
        &format!("[transform.scopes]\nset.domain = \"{BY_DOMAIN}\"\n{reject}\n{more}\n"),
    );
    work
}

fn run_of(work: &Workspace, database: &Database) -> String {
    let output = work.expect(0, &["history", "--url", &database.url(), "--json"]);
    let line = output.stdout.lines().last().unwrap();
    let run: serde_json::Value = serde_json::from_str(line).unwrap();
    run["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_row_too_many_stops_before_the_first_write() {
    for engine in ENGINES {
        let database = scopes(*engine);
        let before = database.schema();
        for more in ["", "max_rejects = 1"] {
            let work = with_domain(&database, *engine, "?", more);
            work.plan(&database);
            work.sign();
            let args = work.apply_args(&database);
            let output = work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>());
            let said = output.stdout + &output.stderr;
            for word in ["before anything was written", "2 rows are wrong", "3, a scope without a domain"] {
                assert!(said.contains(word), "{engine:?}: no `{word}` in\n{said}");
            }
            assert_eq!(database.schema(), before, "{engine:?}");
        }
    }
}

#[test]
fn rejected_rows_are_left_as_they_are_and_kept() {
    for engine in ENGINES {
        let database = scopes(*engine);
        let work = with_domain(&database, *engine, "?", "set.label = \"upper(label)\"\nmax_rejects = 2");
        work.edit("specs/transform.toml", "set.label", "batch_rows = 2\nset.title");
        work.edit("specs/schema.toml", "label", "title = { type = \"text\", was = \"label\" } #");
        if *engine == Engine::MariaDb {
            work.edit("specs/schema.toml", "type = \"text\"", "type = \"varchar(200)\"");
        }
        work.plan(&database);
        work.sign();
        let mut dry = work.apply_args(&database);
        dry.push("--dry-run".to_owned());
        let said = work.expect(0, &dry.iter().map(String::as_str).collect::<Vec<_>>()).stdout;
        assert!(said.contains("rejects ") && said.contains(": 2 rows, as the transform of "), "{engine:?}: {said}");
        assert!(said.contains("3, a scope without a domain"), "{engine:?}: {said}");
        work.apply(&database);
        let rows = database.query("select id, title, domain from scopes order by id;");
        let rows: Vec<_> = cells(rows.trim_end()).chunks(3).map(|row| row.join(" ")).collect();
        assert_eq!(rows, ["1 A eu", "2 B us", "3 c ", "4 it's d ", "5 E eu"], "{engine:?}");
        work.nothing_to_do(&database);
        let run = run_of(&work, &database);
        let list =
            |format: &str| work.expect(0, &["rejects", &run, "--url", &database.url(), "--format", format]).stdout;
        let json: Vec<serde_json::Value> = list("json").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let mut keys: Vec<_> = json.iter().map(|row| row["key"]["id"].to_string()).collect();
        keys.sort();
        // Two steps of the table leave each of them, and it is kept once.
        assert_eq!(keys, ["3", "4"], "{engine:?}: {json:?}");
        let filed = work.path().join("artifacts/runs").join(&run).join("02-transform/rejects.jsonl");
        let filed = std::fs::read_to_string(filed).unwrap();
        assert_eq!(filed.lines().filter(|line| line.contains("a scope without a domain")).count(), 2, "{filed}");
        assert!(json.iter().all(|row| row["reason"] == "a scope without a domain" && row["run"] == run.as_str()));
        assert!(json.iter().any(|row| row["row"].to_string().contains("it's d")), "{engine:?}: {json:?}");
        assert!(list("csv").starts_with("run,step,key,reason,row\r\n"));
        assert!(list("text").contains("a scope without a domain"));
        database.query("insert into domains values (9, 'asia');");
        let retry = ["rejects", &run, "--retry", "--url", &database.url(), "--format", "json"];
        if *engine == Engine::Postgres {
            // The rows got their values while `label` still had that name: the statement of then does not fit the table of now.
            let refused = work.expect(5, &retry).stderr;
            assert!(refused.contains("another form") && refused.contains("nothing was changed"), "{refused}");
        } else {
            let left = work.expect(0, &retry).stdout;
            assert!(left.contains("it's d") && !left.contains("asia") && left.lines().count() < json.len(), "{left}");
            let rows = database.query("select title, domain from scopes where id in (3, 4) order by id;");
            assert_eq!(cells(rows.trim_end()), ["C", "asia", "it's d", ""], "{engine:?}");
        }
        work.rollback(&database);
        let rows = database.query("select id, label from scopes order by id;");
        assert_eq!(cells(rows.trim_end()), ["1", "a", "2", "b", "3", "c", "4", "it's d", "5", "e"], "{engine:?}");
        work.expect(1, &["rejects", "nothing", "--url", &database.url()]);
    }
}

#[test]
fn a_rejected_row_cannot_have_the_value_that_it_needs() {
    for engine in ENGINES {
        let database = scopes(*engine);
        let work = with_domain(&database, *engine, "", "max_rejects = 5");
        work.plan(&database);
        work.sign();
        let args = work.apply_args(&database);
        let output = work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>());
        let said = output.stdout + &output.stderr;
        assert!(said.contains("gives domain a value in every row"), "{engine:?}: {said}");
        database.query("delete from scopes where id in (3, 4);");
        work.apply(&database);
        work.nothing_to_do(&database);
    }
}

#[test]
fn values_that_would_be_alike_are_found_before_the_first_write() {
    for engine in ENGINES {
        let database = scopes(*engine);
        let work = with_domain(&database, *engine, "?", "max_rejects = 5");
        let file = work.path().join("specs/schema.toml");
        let specs = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, specs + "\n[[table.scopes.indexes]]\nunique = true\ncolumns = [\"domain\"]\n").unwrap();
        work.plan(&database);
        work.sign();
        let args = work.apply_args(&database);
        let output = work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>());
        let said = output.stdout + &output.stderr;
        assert!(said.contains("no two rows of") && said.contains("eu, 2"), "{engine:?}: {said}");
    }
}

#[test]
fn one_default_for_rows_that_may_not_be_alike_is_found_before_the_first_write() {
    for (key, said_of) in [("\"tag\"", "has one row at most"), ("\"domain_id\", \"tag\"", "1, 2")] {
        for engine in ENGINES {
            let database = scopes(*engine);
            let before = database.schema();
            let work = Workspace::new();
            work.import(&database);
            // A statement has one present.
            let moment = match engine {
                Engine::Postgres => "now()::text",
                Engine::MariaDb => "(now())",
                Engine::Sqlite => "CURRENT_TIMESTAMP",
            };
            let value = if key.contains("domain_id") { "'x'" } else { moment };
            let column =
                format!("[table.scopes.columns]\ntag = {{ type = \"{}\", default = \"{value}\" }}", engine.key_text());
            work.edit("specs/schema.toml", "[table.scopes.columns]", &column);
            let file = work.path().join("specs/schema.toml");
            let specs = std::fs::read_to_string(&file).unwrap();
            let index = format!("{specs}\n[[table.scopes.indexes]]\nunique = true\ncolumns = [{key}]\n");
            std::fs::write(&file, index).unwrap();
            work.plan(&database);
            work.sign();
            let args = work.apply_args(&database);
            let output = work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>());
            let said = output.stdout + &output.stderr;
            assert!(said.contains("before anything was written") && said.contains(said_of), "{engine:?}: {said}");
            assert_eq!(database.schema(), before, "{engine:?}");
            database.query("delete from scopes where id <> 2;");
            work.apply(&database);
            work.nothing_to_do(&database);
        }
    }
}

#[test]
fn rows_that_are_alike_in_another_type_are_found_before_the_first_write() {
    let of_each = [
        (Engine::Sqlite, "code text", "code integer", "(1, '1'), (2, '01'), (3, 'x')"),
        (Engine::Sqlite, "code text", "code text collate nocase", "(1, 'a'), (2, 'A'), (3, 'x')"),
        (Engine::MariaDb, "code int", "code bigint", "(1, 1), (2, 1), (3, 2)"),
    ];
    for (engine, was, is, rows) in of_each {
        let live =
            engine.database(&format!("create table t (id int primary key, {was}); insert into t values {rows};"));
        let wanted = engine
            .database(&format!("create table t (id int primary key, {is}); create unique index one on t (code);"));
        let before = live.schema();
        let work = Workspace::new();
        work.import(&wanted);
        work.plan(&live);
        work.sign();
        let args = work.apply_args(&live);
        let output = work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>());
        let said = output.stdout + &output.stderr;
        for word in ["before anything was written", "no two rows", "1 row is wrong"] {
            assert!(said.contains(word), "{engine:?} {is}: no `{word}` in\n{said}");
        }
        assert_eq!(live.schema(), before, "{engine:?} {is}");
        live.query("delete from t where id = 2;");
        work.apply(&live);
        work.nothing_to_do(&live);
    }
}

#[test]
fn duplicates_under_a_new_unique_index_are_asked_for() {
    for engine in ENGINES {
        let database = engine.database("create table t (id integer not null primary key, k integer);");
        let work = Workspace::new();
        work.import(&database);
        let index = "\n[[table.t.indexes]]\nunique = true\ncolumns = [\"k\"]\n";
        let specs = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        work.write("specs/schema.toml", &format!("{specs}{index}"));
        work.plan(&database);
        let plan: serde_json::Value =
            serde_json::from_slice(&std::fs::read(work.path().join("plan.json")).unwrap()).unwrap();
        let asks = |check: &serde_json::Value| check["says"].as_str().unwrap().contains("no two rows");
        assert!(plan["checks"].as_array().unwrap().iter().any(asks), "{engine:?}");
    }
}

#[test]
fn rows_that_a_renamed_column_may_not_have_are_found_before_the_first_write() {
    for engine in ENGINES {
        let database = scopes(*engine);
        let before = database.schema();
        let work = Workspace::new();
        work.import(&database);
        let specs = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        let line = specs.lines().find(|line| line.split_whitespace().next() == Some("domain_id")).unwrap().to_owned();
        let kind = line.split('"').nth(1).unwrap().trim_end_matches('?').to_owned();
        work.edit("specs/schema.toml", &line, &format!("domain = {{ type = \"{kind}\", was = \"domain_id\" }}"));
        let index = "\n[[table.scopes.indexes]]\nunique = true\ncolumns = [\"label\"]\n";
        let specs = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        work.write("specs/schema.toml", &format!("{specs}{index}"));
        database.query("update scopes set label = 'b' where id = 5;");
        work.plan(&database);
        work.sign();
        let args = work.apply_args(&database);
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let said = {
            let output = work.expect(5, &args);
            output.stdout + &output.stderr
        };
        // On PostgreSQL the constraint decides, in a step that locks nobody out; the question is asked all the same.
        let decides = *engine == Engine::Postgres;
        let first = if decides { "has NULL in domain: 1 row is wrong" } else { "before anything was written" };
        for word in [first, "domain", "label"] {
            assert!(said.contains(word), "{engine:?}: no `{word}` in\n{said}");
        }
        assert!(decides || database.schema() == before, "{engine:?}");
        let column = if decides { "domain" } else { "domain_id" };
        database.query(&format!("update scopes set {column} = 1 where id = 4;"));
        database.query("update scopes set label = 'e' where id = 5;");
        work.apply(&database);
        work.nothing_to_do(&database);
    }
}

#[test]
fn values_that_a_map_does_not_name_can_be_rejected() {
    for engine in ENGINES {
        let database = tickets(*engine);
        let work = Workspace::new();
        work.import(&database);
        let spec = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        let line = spec.lines().find(|line| line.split_whitespace().next() == Some("st")).unwrap().to_owned();
        let state = format!("state = {{ type = \"{}?\", was = \"st\" }}", engine.key_text());
        work.edit("specs/schema.toml", &line, &state);
        let map = "[transform.tickets]\nmap.state = { o = \"open\", c = \"closed\" }\nunmapped = \"reject\"\n";
        work.write("specs/transform.toml", map);
        work.plan(&database);
        work.sign();
        let args = work.apply_args(&database);
        let output = work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>());
        let said = output.stdout + &output.stderr;
        assert!(said.contains("state has a value that its map does not name"), "{engine:?}: {said}");
        work.write("specs/transform.toml", &format!("{map}max_rejects = 15\n"));
        work.plan(&database);
        work.sign();
        work.apply(&database);
        let query = "select state, count(*) from tickets group by state order by state;";
        let mut rows: Vec<_> = cells(database.query(query).trim_end()).chunks(2).map(|row| row.join(" ")).collect();
        rows.sort();
        assert_eq!(rows, [" 15", "closed 15", "open 15", "x 15"], "{engine:?}");
    }
}
