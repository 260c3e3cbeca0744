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
    assert!(map("set.fresh = \"tickets.titel\"").contains("did you mean `title`"));
    assert!(map("map.nothing = { a = \"b\" }").contains("has no column nothing"));
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

fn letters(engine: Engine) -> Database {
    let text = engine.key_text();
    let rows: Vec<String> = (1..=90)
        .map(|n| {
            format!(
                "({n}, 'p{}', 'Letter {n}', {})",
                n % 7,
                if n % 10 == 0 { "null".to_owned() } else { n.to_string() }
            )
        })
        .collect();
    engine.database(&format!(
        "create table letters (id integer not null primary key, sender {text} not null, body {text} not null, weight integer);
         insert into letters values {};",
        rows.join(", ")
    ))
}

/// Splits the letters into people, threads and entries; the old table goes.
fn split(work: &Workspace, engine: Engine, people: &str) {
    let text = engine.key_text();
    std::fs::write(
        work.path().join("specs/schema.toml"),
        format!(
            r#"
[table.people]
primary_key = ["name"]
[table.people.columns]
name = "{text}"
letters = "integer"

[table.threads]
primary_key = ["id"]
[table.threads.columns]
id = "{text}"
owner = "{text}"
[[table.threads.foreign_keys]]
columns = ["owner"]
references = "people"

[table.entries]
primary_key = ["thread", "part"]
[table.entries.columns]
thread = "{text}"
part = "{text}"
content = "{text}?"
[[table.entries.foreign_keys]]
columns = ["thread"]
references = "threads"

[transform.people]
from = "letters"
{people}

[transform.threads]
from = "letters"
set.id = "{id}"
set.owner = "sender"
batch_rows = 7

[[transform.entries]]
from = "letters"
set.thread = "{id}"
set.part = "'body'"
set.content = "body"

[[transform.entries]]
from = "letters"
set.thread = "{id}"
set.part = "'weight'"
set.content = "{weight}"
where = "weight is not null"
batch_rows = 10
"#,
            id = engine.pick("'letter_' || id", "'letter_' || id", "concat('letter_', id)"),
            weight = engine.pick("cast(weight as text)", "weight::text", "cast(weight as char)"),
        ),
    )
    .unwrap();
}

const SPLIT: &str =
    "select count(*), sum(letters), min(name) from people; select count(*), count(distinct owner) from threads;
    select part, count(*), max(content) from entries group by part order by part;
    select count(*) from entries e join threads t on t.id = e.thread join people p on p.name = t.owner;";

#[test]
fn a_table_becomes_several() {
    for engine in ENGINES {
        let database = letters(*engine);
        let work = Workspace::new();
        work.import(&database);
        let all = "select count(*), sum(weight), max(body) from letters;";
        let before = database.query(all);
        let grouped = "group_by = [\"sender\"]\nset.name = \"sender\"\nset.letters = \"count(*)\"";
        split(&work, *engine, grouped);
        work.plan(&database);
        work.sign();
        work.apply(&database);
        let found = database.query(SPLIT);
        let expected = ["7", "90", "p0", "90", "7", "body", "90", "Letter 90", "weight", "81", "9", "171"];
        assert_eq!(cells(found.trim_end()), expected, "{engine:?}");
        work.nothing_to_do(&database);
        work.rollback(&database);
        assert_eq!(database.query(all), before, "{engine:?}");
        let mut again = work.apply_args(&database);
        again.push("--again".to_owned());
        work.expect(0, &again.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn rows_that_make_the_same_are_refused_or_one_counts() {
    for engine in ENGINES {
        let database = letters(*engine);
        let work = Workspace::new();
        work.import(&database);
        let one = "set.name = \"sender\"\nset.letters = \"id\"\nbatch_rows = 4\n";
        split(&work, *engine, one);
        work.plan(&database);
        work.sign();
        let args = work.apply_args(&database);
        let output = work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>());
        let said = output.stdout + &output.stderr;
        assert!(
            said.contains("before anything was written") && said.contains("with the same name"),
            "{engine:?}: {said}"
        );
        for (word, expected) in [("skip", "1"), ("update", "84")] {
            split(&work, *engine, &format!("{one}on_conflict = \"{word}\""));
            work.plan(&database);
            work.sign();
            work.apply(&database);
            let found = database.query("select min(letters) from people;");
            assert_eq!(found.trim(), expected, "{engine:?}: {word}");
            work.rollback(&database);
        }
    }
}

#[test]
fn a_source_is_declared_whole() {
    let database = letters(Engine::Sqlite);
    let work = Workspace::new();
    work.import(&database);
    let says = |people: &str, word: &str| {
        split(&work, Engine::Sqlite, people);
        let args = ["plan", "--url", &database.url(), "--specs", "specs", "--out", "plan.json"];
        let said = work.expect(1, &args).stderr;
        assert!(said.contains(word), "no `{word}` in\n{said}");
    };
    says("set.name = \"sender\"", "need a value in letters");
    says("set.letters = \"1\"", "name tells the rows of people apart, and is not set");
    says("set.name = \"sender\"\nset.letters = \"1\"\nkey = [\"letters\"]", "neither its primary key nor unique");
    says("set.name = \"sender\"\nset.letters = \"1\"\non_conflict = \"last\"", "`error`, `skip` or `update`");
    says("from_ = 1", "from_");
}

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
        // What is declared no more stays.
        rows("{ code = \"fr\", name = \"France\" }");
        work.plan(&database);
        work.sign();
        work.apply(&database);
        assert_eq!(found(), ["de Germany 7", "fr France ", "xx Elsewhere 1"], "{engine:?}");
        work.nothing_to_do(&database);
        for (wrong, word) in [
            ("{ name = \"France\" }", "has no code"),
            ("{ code = \"fr\" }, { code = \"fr\" }", "have this key"),
            ("{ code = \"fr\" }, { code = \"de\", size = 1 }", "different columns"),
            ("{ cod = \"fr\" }", "has no column cod"),
        ] {
            rows(wrong);
            let said =
                work.expect(1, &["plan", "--url", &database.url(), "--specs", "specs", "--out", "p.json"]).stderr;
            assert!(said.contains(word), "no `{word}` in\n{said}");
        }
    }
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
        let said = work.expect(1, &["plan", "--url", &database.url(), "--specs", "specs", "--out", "p.json"]).stderr;
        assert!(said.contains("gives another value each time"), "{engine:?}: {said}");
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
            let args = ["plan", "--url", &database.url(), "--specs", "specs", "--out", "p.json"];
            assert!(work.expect(1, &args).stderr.contains("pgcrypto"));
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
