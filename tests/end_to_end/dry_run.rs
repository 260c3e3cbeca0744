//! A dry run shows what would become of rows, and leaves no trace: not in the database, not on disk.

use std::fs;

use crate::common::{Database, ENGINES, Engine, Workspace};

const PEOPLE: &str = "create table people (id integer primary key, name varchar(100)); \
    insert into people values (1, 'Ann'), (2, 'Bob'), (3, 'Cy');";

/// Everything that the database holds: rows and objects, mig's own included.
fn whole(engine: Engine, database: &Database) -> String {
    match database {
        Database::Sqlite(db) => {
            let schema = db.query("select type, name, sql from sqlite_schema order by 1, 2");
            schema + &db.query("select * from people order by id")
        }
        _ => {
            let all = engine.pick(
                "",
                "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace \
                 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1",
                "select table_name from information_schema.tables where table_schema = database() order by 1",
            );
            database.schema() + &database.query(all) + &database.query("select * from people order by id")
        }
    }
}

#[test]
fn it_shows_rows_before_and_after_and_leaves_no_trace() {
    for engine in ENGINES {
        let database = engine.database(PEOPLE);
        let work = Workspace::new();
        work.import(&database);
        let file = "specs/schema.toml";
        work.edit(file, "[table.people.columns]", "[table.people.columns]\nslug = \"varchar(100)?\"");
        let text = fs::read_to_string(work.path().join(file)).unwrap();
        work.write(file, &(text + "\n[transform.people]\nset.slug = \"lower(name)\"\n"));
        work.plan(&database);
        work.sign();
        let before = whole(*engine, &database);
        let mut args = work.apply_args(&database);
        args.push("--dry-run".to_owned());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let said = work.expect(0, &args).stdout;
        let mut json = args.clone();
        json.push("--json");
        let object = work.expect(0, &json).stdout;
        let object: serde_json::Value = serde_json::from_str(object.lines().last().unwrap()).unwrap();
        let trials = object["trials"].as_array().unwrap();
        assert!(!trials.is_empty(), "{engine:?}: {said}");
        if *engine == Engine::MariaDb {
            assert!(said.contains("not tried: this engine commits changes of the schema at once"), "{said}");
        } else {
            assert!(said.contains("about 3 rows; 3 rows tried and taken back"), "{engine:?}: {said}");
            let after = trials.iter().map(ToString::to_string).collect::<String>();
            assert!(
                after.contains("\"Ann\",\"ann\"") && said.contains("- 1, Ann, NULL\n  + 1, Ann, ann"),
                "{engine:?}: {said}"
            );
        }
        assert_eq!(whole(*engine, &database), before, "{engine:?}");
        assert!(!work.path().join("artifacts").exists(), "{engine:?}");
        work.apply(&database);
    }
}
