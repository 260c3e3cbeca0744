//! Code that still uses what a plan takes away is found, and policy lets no contract begin before it is gone.

use crate::common::{ENGINES, Engine, Workspace};

const BASE: &str = "create table customers (id integer primary key, full_name varchar(100), status varchar(20)); \
    create table notes (id integer primary key, status varchar(20)); create table legacy_notes (id integer primary key); \
    insert into customers values (1, 'Ann', 'a');";

fn prepared(engine: Engine) -> (Workspace, crate::common::Database) {
    let database = engine.database(BASE);
    let work = Workspace::new();
    work.import(&database);
    let file = "specs/schema.toml";
    let text = std::fs::read_to_string(work.path().join(file)).unwrap();
    let mut kept = String::new();
    let mut skip = false;
    for line in text.lines() {
        if line.starts_with('[') {
            skip = line.contains("legacy_notes");
        }
        let gone =
            line.starts_with("status") && kept.rfind("[table").is_some_and(|at| kept[at..].contains("customers"));
        if !skip && !gone {
            kept.push_str(&line.replace("full_name = ", "name = "));
            kept.push('\n');
        }
    }
    work.write(file, &kept);
    let text = std::fs::read_to_string(work.path().join(file)).unwrap();
    let typed = text.lines().find(|line| line.starts_with("name = ")).unwrap().to_owned();
    let renamed = format!("name = {{ type = {}, was = \"full_name\" }}", typed.trim_start_matches("name = "));
    work.edit(file, &typed, &renamed);
    work.edit(file, "[table.notes.columns]", "[table.notes.columns]\nextra = \"integer?\"");
    work.plan(&database);
    work.sign();
    (work, database)
}

#[test]
fn what_code_still_uses_is_found_with_its_step() {
    for engine in ENGINES {
        let (work, _) = prepared(*engine);
        work.write("app/orders.py", "q = 'select full_name from customers'\nfullName = 1\nx = 'my_full_name'\n");
        work.write("app/notes.py", "n = 'select status from notes'\nm = 'from LEGACY_NOTES'\n");
        work.write("app/deep/both.sql", "select status\nfrom customers\n");
        let found = work.expect(3, &["scan", "app", "--plan", "plan.json"]).stdout;
        assert!(
            found.contains("app/orders.py:1:13: ") && found.contains("becomes name by step"),
            "{engine:?}: {found}"
        );
        assert!(found.contains("app/notes.py:2:11: ") && found.contains("is removed by step"), "{engine:?}: {found}");
        assert!(found.contains("app/deep/both.sql:1:8: "), "{engine:?}: {found}");
        assert!(!found.contains("notes.py:1") && !found.contains("orders.py:3"), "{engine:?}: {found}");
        let json = work.expect(3, &["scan", "app", "--plan", "plan.json", "--json"]).stdout;
        let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3, "{engine:?}: {json}");
        work.write(
            "mig.toml",
            "[scan]\npatterns = [\"{camel}\"]\nfiles = [\"*.py\"]\n\
             allow = [{ name = \"legacy_*\", path = \"app/*\", because = \"an archive\" }]\n",
        );
        let found = work.expect(3, &["scan", "app", "--plan", "plan.json"]).stdout;
        assert!(found.contains("app/orders.py:2:1: ") && found.matches("by step").count() == 1, "{engine:?}: {found}");
        work.expect(0, &["scan", "app/deep", "--plan", "plan.json"]);
    }
}

#[test]
fn policy_lets_no_contract_begin_while_code_uses_what_it_removes() {
    let (work, database) = prepared(Engine::Postgres);
    work.write("app/notes.py", "m = 'from legacy_notes'\n");
    work.write("mig.toml", "[policy]\nscan = [\"app\"]\n");
    let args = work.apply_args(&database);
    let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
    let refused = work.expect(3, &args);
    assert!(refused.stderr.contains("app/notes.py:1:"), "{}", refused.stderr);
    assert!(work.expect(0, &["history", "--url", &database.url()]).stdout.contains("nothing here"));
    args.extend(["--through", "switch"]);
    work.expect(0, &args);
    work.write("app/notes.py", "m = ''\n");
    work.apply(&database);
}
