//! How rows get their values: chosen rows, value maps, values made from themselves. On every engine, there and back.

use crate::common::{Database, ENGINES, Engine, Workspace};

fn tickets(engine: Engine) -> Database {
    let text = engine.key_text();
    let rows: Vec<String> = (1..=60)
        .map(|n| {
            let state = ["'o'", "'c'", "'x'", "null"][n % 4];
            format!("({n}, {state}, {}, 'Title {n}')", n * 10)
        })
        .collect();
    engine.database(&format!(
        "create table tickets (id integer not null primary key, st {text}, points integer not null, title {text} not null);
         insert into tickets values {};",
        rows.join(", ")
    ))
}

const BEFORE: &str = "select st, count(*), sum(points), min(title), max(title) from tickets group by st order by st;";

/// Imports, edits, applies; gives the rows of a query after it, and checks that a rollback brings back what was and that the plan can
/// then be applied again.
fn there_and_back(engine: Engine, edits: &[(&str, &str)], more: &str, query: &str) -> String {
    let database = tickets(engine);
    let work = Workspace::new();
    work.import(&database);
    let before = database.query(BEFORE);
    for (from, to) in edits {
        let spec = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        let line = spec.lines().find(|line| line.split_whitespace().next() == Some(from)).unwrap().to_owned();
        work.edit("specs/schema.toml", &line, to);
    }
    work.write("specs/transform.toml", more);
    work.plan(&database);
    work.sign();
    work.apply(&database);
    let after = database.query(query);
    work.nothing_to_do(&database);
    work.rollback(&database);
    assert_eq!(database.query(BEFORE), before, "{engine:?}: after the rollback");
    let mut again = work.apply_args(&database);
    again.push("--again".to_owned());
    work.expect(0, &again.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(database.query(query), after, "{engine:?}: applied again");
    after
}

/// The cells of an answer, whatever stands between them.
fn cells(answer: &str) -> Vec<String> {
    answer.split(['|', '\t', '\n']).map(|cell| if cell == "NULL" { "" } else { cell }.to_owned()).collect()
}

#[test]
fn where_chooses_the_rows_that_get_a_value() {
    for engine in ENGINES {
        let edits = [("points", "points = \"integer\"\nweight = \"integer?\"")];
        let more = "[transform.tickets]\nset.weight = \"points / 10\"\nwhere = \"st = 'o' and weight > 20\"\n";
        let query = "select count(*), count(weight), min(weight), sum(weight - points / 10) from tickets;";
        let found = there_and_back(*engine, &edits, more, query);
        // The open ones have the numbers 4, 8, ... 60; those above 20 get their weight.
        let found: Vec<_> = cells(&found).iter().map(|cell| cell.trim_end_matches(".0000").to_owned()).collect();
        assert_eq!(&found[..4], ["60", "10", "24", "0"], "{engine:?}");
    }
}

#[test]
fn a_map_exchanges_the_values_that_it_names() {
    for engine in ENGINES {
        let text = engine.key_text();
        let edits = [("st", format!("state = {{ type = \"{text}?\", was = \"st\" }}"))];
        let edits: Vec<_> = edits.iter().map(|(a, b)| (*a, b.as_str())).collect();
        // Two that exchange their names: made again, the map would turn them back.
        let more = "[transform.tickets]\nmap.state = { o = \"c\", c = \"o\", \"it's\" = \"\\\\never\" }\n";
        let query = "select state, count(*), min(id) from tickets group by state order by state;";
        let found = there_and_back(*engine, &edits, more, query);
        let mut rows: Vec<_> = cells(&found).chunks(3).map(|row| row.join(" ")).collect();
        rows.retain(|row| !row.trim().is_empty());
        rows.sort();
        assert_eq!(rows, [" 15 3", "c 15 4", "o 15 1", "x 15 2"], "{engine:?}");
    }
}

#[test]
fn a_map_gives_what_is_set_its_words() {
    for engine in ENGINES {
        let text = engine.key_text();
        let edits = [("title", format!("title = \"{text}\"\nsize = \"{text}?\""))];
        let edits: Vec<_> = edits.iter().map(|(a, b)| (*a, b.as_str())).collect();
        let more = "[transform.tickets]\nset.size = \"case when points > 300 then 1 else 0 end\"\n\
                    map.size = { 0 = \"small\", 1 = \"large\" }\n";
        let query = "select size, count(*) from tickets group by size order by size;";
        let found = there_and_back(*engine, &edits, more, query);
        assert_eq!(cells(found.trim_end()), ["large", "30", "small", "30"], "{engine:?}");
    }
}

#[test]
fn a_value_made_from_itself_is_made_once() {
    for engine in ENGINES {
        let edits = [("points", "score = { type = \"integer\", was = \"points\" }")];
        let more = "[transform.tickets]\nset.score = \"points + 1\"\nwhere = \"st is not null\"\nbatch_rows = 7\n";
        let query = "select count(*), sum(score - id * 10), count(case when st is null and score > id * 10 then 1 end) from tickets;";
        let found = there_and_back(*engine, &edits, more, query);
        assert_eq!(cells(found.trim_end()), ["60", "45", "0"], "{engine:?}");
    }
}

#[test]
fn a_type_changes_with_a_map() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let edits = [("st", "st = \"integer?\"")];
        let more = "[transform.tickets]\nmap.st = { o = 1, c = 2, x = 3 }\n";
        let query = "select st, count(*) from tickets group by st order by st;";
        let found = there_and_back(engine, &edits, more, query);
        let mut rows: Vec<_> = cells(found.trim_end()).chunks(2).map(|row| row.join(" ")).collect();
        rows.sort();
        assert_eq!(rows, [" 15", "1 15", "2 15", "3 15"], "{engine:?}");
    }
}

#[test]
fn a_map_needs_something_to_map() {
    let database = tickets(Engine::Sqlite);
    let work = Workspace::new();
    work.import(&database);
    let map = |line: &str| {
        let spec = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        if !spec.contains("fresh") {
            work.edit("specs/schema.toml", "[table.tickets.columns]", "[table.tickets.columns]\nfresh = \"text?\"");
        }
        work.write("specs/transform.toml", &format!("[transform.tickets]\n{line}\n"));
        let args = ["plan", "--url", &database.url(), "--specs", "specs", "--out", "plan.json"];
        work.expect(1, &args).stderr
    };
    assert!(map("map.fresh = { a = \"b\" }").contains("the database has no such column yet"));
    assert!(map("map.st = {}").contains("names no value"));
    assert!(map("map.stat = { a = \"b\" }").contains("did you mean"));
}

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
        work.apply(&database);
        let rows = database.query("select id, title, domain from scopes order by id;");
        let rows: Vec<_> = cells(rows.trim_end()).chunks(3).map(|row| row.join(" ")).collect();
        assert_eq!(rows, ["1 A eu", "2 B us", "3 c ", "4 it's d ", "5 E eu"], "{engine:?}");
        work.nothing_to_do(&database);
        let run = run_of(&work, &database);
        let list = |format: &str| {
            work.expect(0, &["rejects", &run, "--url", &database.url(), "--format", format]).stdout
        };
        let json: Vec<serde_json::Value> = list("json").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let mut keys: Vec<_> = json.iter().map(|row| row["key"]["id"].to_string()).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys, ["3", "4"], "{engine:?}: {json:?}");
        assert!(json.iter().all(|row| row["reason"] == "a scope without a domain" && row["run"] == run.as_str()));
        assert!(json.iter().any(|row| row["row"].to_string().contains("it's d")), "{engine:?}: {json:?}");
        assert!(list("csv").starts_with("run,step,key,reason,row\r\n"));
        assert!(list("text").contains("a scope without a domain"));
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
