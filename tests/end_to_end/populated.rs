//! New tables that get their rows from others, on every engine.

use crate::common::{Database, ENGINES, Engine, Workspace, cells};

pub(crate) fn letters(engine: Engine) -> Database {
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
pub(crate) fn split(work: &Workspace, engine: Engine, people: &str) {
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
        work.refused(&database, word);
    };
    says("set.name = \"sender\"", "need a value in letters");
    says("set.letters = \"1\"", "name tells the rows of people apart, and is not set");
    says("set.name = \"sender\"\nset.letters = \"1\"\nkey = [\"letters\"]", "neither its primary key nor unique");
    says("set.name = \"sender\"\nset.letters = \"1\"\non_conflict = \"last\"", "`error`, `skip` or `update`");
    says("from_ = 1", "from_");
}
