//! How rows get their values: chosen rows, value maps, values made from themselves. On every engine, there and back.

use crate::{
    common::{Database, ENGINES, Engine, Workspace, cells},
    populated::letters,
};

pub(crate) fn tickets(engine: Engine) -> Database {
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
    let map = |line: &str, word: &str| {
        let spec = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        if !spec.contains("fresh") {
            work.edit("specs/schema.toml", "[table.tickets.columns]", "[table.tickets.columns]\nfresh = \"text?\"");
        }
        work.write("specs/transform.toml", &format!("[transform.tickets]\n{line}\n"));
        work.refused(&database, word);
    };
    map("map.fresh = { a = \"b\" }", "the database has no such column yet");
    map("map.st = {}", "names no value");
    map("set.fresh = \"tickets.titel\"", "did you mean `title`");
    map("map.nothing = { a = \"b\" }", "has no column nothing");
}

#[test]
fn what_gives_another_value_each_time_is_refused_unless_declared() {
    for engine in ENGINES {
        let database = tickets(*engine);
        let work = Workspace::new();
        work.import(&database);
        let kind = engine.pick("text?", "double precision?", "double?");
        let column = format!("[table.tickets.columns]\nluck = \"{kind}\"");
        work.edit("specs/schema.toml", "[table.tickets.columns]", &column);
        let random = engine.pick("random()", "random()", "rand()");
        work.write("specs/transform.toml", &format!("[transform.tickets]\nset.luck = \"{random}\"\n"));
        work.refused(&database, "gives another value each time");
        work.write("specs/transform.toml", &format!("[transform.tickets]\nset.luck = \"{random}\"\nvaries = true\n"));
        work.plan(&database);
        work.sign();
        work.apply(&database);
        assert_eq!(database.query("select count(luck) from tickets;").trim(), "60", "{engine:?}");
    }
}

/// The ids of `letter/1` and `letter/90` in the namespace of domain names, as Python's `uuid` module makes them.
const UUID3: [&str; 2] = ["a4860e7a-7c23-3ef6-9769-674aa3986dc1", "73c3f714-3284-39b6-b8ff-0853a1c5e4e0"];
const UUID5: [&str; 2] = ["56af6611-7880-5ce3-8a22-4881278c9d9f", "e9ed6a1f-8877-50a2-ad2c-6a796e64e8c7"];

#[test]
fn ids_are_made_from_names() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let database = letters(engine);
        let work = Workspace::new();
        work.import(&database);
        let kind = engine.pick("text", "uuid", "char(36)");
        let name = engine.pick("", "'letter/' || id", "concat('letter/', id)");
        let spec = |version: &str, extension: &str| {
            format!(
                "{extension}\n[table.threads]\nprimary_key = [\"id\"]\n[table.threads.columns]\nid = \"{kind}\"\nletter = \"integer\"\n\
                 [transform.threads]\nfrom = \"letters\"\nset.letter = \"id\"\n\
                 {version}.id = {{ namespace = \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\", name = \"{name}\" }}\n"
            )
        };
        for (version, extension) in [("uuid3", ""), ("uuid5", engine.pick("", "[extension.pgcrypto]", ""))] {
            work.write("specs/threads.toml", &spec(version, extension));
            work.plan(&database);
            work.sign();
            work.apply(&database);
            let found = database.query("select id from threads where letter in (1, 90) order by letter;");
            let expected = if version == "uuid3" { UUID3 } else { UUID5 };
            assert_eq!(found.split_whitespace().collect::<Vec<_>>(), expected, "{engine:?}");
            work.nothing_to_do(&database);
            work.rollback(&database);
        }
        if engine == Engine::Postgres {
            work.write("specs/threads.toml", &spec("uuid5", ""));
            work.refused(&database, "pgcrypto");
        }
    }
}

#[test]
fn a_transform_with_a_name_is_made_once() {
    for engine in ENGINES {
        let database = tickets(*engine);
        let work = Workspace::new();
        work.import(&database);
        let sum = || database.query("select sum(points) from tickets;").trim().to_owned();
        let once = |name: &str| {
            format!("[transform.tickets]\nset.points = \"points + 1\"\nonce = \"{name}\"\nbatch_rows = 9\n")
        };
        work.write("specs/transform.toml", &once("first"));
        work.plan(&database);
        work.sign();
        work.apply(&database);
        assert_eq!(sum(), "18360", "{engine:?}");
        work.nothing_to_do(&database);
        work.rollback(&database);
        assert_eq!(sum(), "18300", "{engine:?}");
        let mut again = work.apply_args(&database);
        again.push("--again".to_owned());
        work.expect(0, &again.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(sum(), "18360", "{engine:?}");
        work.write("specs/transform.toml", &once("second"));
        work.plan(&database);
        work.sign();
        work.apply(&database);
        assert_eq!(sum(), "18420", "{engine:?}");
        work.nothing_to_do(&database);
        // In a table that the plan makes there is nothing to do, then or later.
        let fresh = engine.database("");
        let args = ["plan", "--url", &fresh.url(), "--specs", "specs", "--out", "plan.json", "--detailed-exitcode"];
        work.expect(2, &args);
        work.sign();
        work.apply(&fresh);
        work.nothing_to_do(&fresh);
    }
}

#[test]
fn rows_that_old_clients_write_meanwhile_get_their_values() {
    let database = tickets(Engine::Postgres);
    let work = Workspace::new();
    work.import(&database);
    let spec = std::fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
    // The new column is made from one that goes.
    let line = spec.lines().find(|line| line.starts_with("points")).unwrap();
    work.edit("specs/schema.toml", line, "weight = \"integer\"");
    work.write("specs/transform.toml", "[transform.tickets]\nset.weight = \"points / 10\"\n");
    work.plan(&database);
    work.sign();
    let mut args = work.apply_args(&database);
    args.extend(["--through", "switch"].map(str::to_owned));
    work.expect(0, &args.iter().map(String::as_str).collect::<Vec<_>>());
    database.query("insert into tickets (id, points, title) values (61, 70, 'old');");
    database.query("insert into tickets (id, weight, title) values (62, 5, 'new');");
    work.apply(&database);
    let found = database.query("select id, weight from tickets where id > 59 order by id;");
    assert_eq!(cells(found.trim_end()), ["60", "60", "61", "7", "62", "5"]);
    work.nothing_to_do(&database);
}
