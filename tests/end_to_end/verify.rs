//! Checks and probes of the specs: asked before the first write and after the last step, on every engine.

use crate::common::{Database, ENGINES, Engine, Workspace};

fn coupons(engine: Engine) -> Database {
    engine.database(&format!(
        "create table coupons (code {} primary key, percent integer not null);
         insert into coupons values ('A', 10), ('B', 25);",
        engine.key_text()
    ))
}

/// A new column and a new check on the table, and what must hold around it.
fn work(database: &Database, verify: &str) -> Workspace {
    let work = Workspace::new();
    work.import(database);
    let path = work.path().join("specs/schema.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text = text.replace("[table.coupons.columns]\n", "[table.coupons.columns]\nnote = \"integer?\"\n");
    text += &format!("\n[[table.coupons.checks]]\nname = \"small\"\nexpr = \"percent < 100\"\n\n{verify}");
    std::fs::write(path, text).unwrap();
    work.plan(database);
    work.sign();
    work
}

fn check(name: &str, when: &str, sql: &str, expect: &str) -> String {
    let when = if when.is_empty() { String::new() } else { format!("when = \"{when}\"\n") };
    format!("[[check]]\nname = \"{name}\"\n{when}sql = \"{sql}\"\nexpect = {expect}\n\n")
}

fn args(work: &Workspace, database: &Database, more: &[&str]) -> Vec<String> {
    let more = more.iter().map(|s| (*s).to_owned());
    work.apply_args(database).into_iter().chain(more).collect()
}

fn apply(work: &Workspace, database: &Database, code: i32, more: &[&str]) -> String {
    let args = args(work, database, more);
    let output = work.expect(code, &args.iter().map(String::as_str).collect::<Vec<_>>());
    output.stdout + &output.stderr
}

fn has_note(database: &Database) -> bool {
    database.schema().contains("note")
}

#[test]
fn what_holds_lets_the_run_end() {
    for engine in ENGINES {
        let database = coupons(*engine);
        let all = [
            check("two", "both", "select count(*) from coupons", "2"),
            check("codes", "before", "select code, percent from coupons", "[[\"B\", 25], [\"A\", 10]]"),
            check("none", "after", "select code from coupons where percent > 100", "[]"),
            check("sum", "", "select sum(percent) from coupons", "\"unchanged\""),
            check("range", "after", "select avg(percent) from coupons", "{ at_least = 17, at_most = 18.5 }"),
            "[[probe]]\nname = \"too much\"\nsql = \"insert into coupons (code, percent) values ('X', 101)\"\nexpect_error = \"SMALL\"\n\n".to_owned(),
            "[[probe]]\nname = \"enough\"\nsql = [\"insert into coupons (code, percent) values ('X', 1)\", \"update coupons set percent = 2 where code = 'X'\"]\n".to_owned(),
        ];
        let work = work(&database, &all.concat());
        let shown = work.expect(0, &["show", "plan.json"]).stdout;
        for part in ["declared checks", "codes: it must be", "too much: must fail with `SMALL`", "enough: must succeed"]
        {
            assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
        }
        let markdown = work.expect(0, &["show", "plan.json", "--format", "markdown"]).stdout;
        assert!(markdown.contains("Must hold after the last step"), "{markdown}");
        apply(&work, &database, 0, &["--dry-run"]);
        assert!(!has_note(&database));
        let said = apply(&work, &database, 0, &[]);
        assert!(said.contains("checks 4, probes 2"), "{said}");
        assert_eq!(database.query("select count(*) from coupons").trim(), "2");
        work.nothing_to_do(&database);
        work.rollback(&database);
    }
}

#[test]
fn what_does_not_hold_before_stops_before_the_first_write() {
    for engine in ENGINES {
        let database = coupons(*engine);
        let all = [
            check("three", "before", "select count(*) from coupons", "3"),
            check("no row", "before", "select code from coupons where percent > 100", "\"A\""),
            check("many rows", "both", "select code from coupons", "\"A\""),
            check("broken", "before", "select nothing from coupons", "0"),
            check("set", "before", "select code from coupons", "[\"A\", \"C\"]"),
        ];
        let work = work(&database, &all.concat());
        for more in [&["--dry-run"][..], &[]] {
            let said = apply(&work, &database, 5, more);
            for part in [
                "5 checks failed before anything was written",
                "expected 3, found 2",
                "found no row",
                "found 2 rows",
                "its query failed",
                "not expected: (B); missing: ('C')",
                "nothing was changed",
            ] {
                assert!(said.contains(part), "`{part}` is not in:\n{said}");
            }
            assert!(!has_note(&database));
        }
    }
}

#[test]
fn what_does_not_hold_after_leaves_the_run_open_and_can_be_corrected() {
    for engine in ENGINES {
        let database = coupons(*engine);
        let all = [
            check("even", "after", "select count(*) from coupons where percent % 2 = 1", "0"),
            "[[probe]]\nname = \"fifty\"\nsql = \"insert into coupons (code, percent) values ('C', 50)\"\nexpect_error = \"small\"\n\n".to_owned(),
            "[[probe]]\nname = \"again\"\nsql = \"insert into coupons (code, percent) values ('A', 50)\"\n".to_owned(),
        ];
        let work = work(&database, &all.concat());
        let said = apply(&work, &database, 5, &[]);
        for part in [
            "a check and 2 probes failed",
            "expected 0, found 1",
            "must fail with `small`, and succeeded",
            "must succeed, and was refused",
            "the run stays open",
        ] {
            assert!(said.contains(part), "`{part}` is not in:\n{said}");
        }
        assert!(has_note(&database));
        assert_eq!(database.query("select count(*) from coupons").trim(), "2");
        assert!(work.expect(0, &["status", "--url", &database.url()]).stdout.contains("open"));
        // Another try asks again; the run can still be taken back.
        assert!(apply(&work, &database, 5, &[]).contains("a check and 2 probes failed"));
        work.rollback(&database);
        assert!(!has_note(&database));
    }
}

#[test]
fn what_was_before_is_known_to_a_run_that_goes_on() {
    for engine in ENGINES {
        let database = coupons(*engine);
        let work = work(&database, &check("sum", "", "select sum(percent) from coupons", "\"unchanged\""));
        apply(&work, &database, 0, &["--through", "expand"]);
        database.query("update coupons set percent = percent + 1 where code = 'A'");
        let said = apply(&work, &database, 5, &[]);
        assert!(said.contains("it was (35), now it is (36)"), "{said}");
        database.query("update coupons set percent = percent - 1 where code = 'A'");
        apply(&work, &database, 0, &[]);
    }
}

#[test]
fn what_could_change_the_database_is_refused_in_the_specs() {
    let work = Workspace::new();
    let bad = [
        check("a", "after", "delete from notes", "0"),
        check("b", "after", "select 1; delete from notes", "0"),
        check("c", "sometimes", "select 1", "1"),
        check("c", "after", "select 1", "{ at_least = 3, at_most = 2 }"),
        "[[probe]]\nname = \"p\"\nsql = \"commit\"\n".to_owned(),
    ];
    let table = "[table.notes]\nprimary_key = [\"id\"]\n\n[table.notes.columns]\nid = \"integer\"\n\n";
    work.write("specs/a.toml", &format!("{table}{}", bad.concat()));
    let output = work.expect(1, &["validate", "--specs", "specs", "--engine", "sqlite"]);
    let said = output.stdout + &output.stderr;
    assert_eq!(said.matches("MIG-E028").count(), 3, "{said}");
    for part in ["MIG-E005", "MIG-E007", "MIG-E009", "sometimes"] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
}
