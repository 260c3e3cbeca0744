//! The journal in the target: whoever edits, removes, moves or cuts off its lines by SQL is found, and the line is named.

use crate::common::{Database, ENGINES, Engine, Workspace};

const NOTES: &str = "create table notes (id integer primary key, body text); insert into notes values (1, 'x');";

fn applied(engine: Engine) -> (Workspace, Database) {
    let database = engine.database(NOTES);
    let work = Workspace::new();
    work.import(&database);
    work.edit("specs/schema.toml", "[table.notes.columns]", "[table.notes.columns]\nauthor = \"text?\"");
    work.plan(&database);
    work.sign();
    work.apply(&database);
    (work, database)
}

#[test]
fn tampering_is_found_and_named() {
    for engine in ENGINES {
        let (work, database) = applied(*engine);
        let url = database.url();
        let verify = ["audit", "verify", "--url", &url];
        let whole = work.expect(0, &verify).stdout;
        assert!(whole.contains("the journal is as it was written"), "{engine:?}: {whole}");
        let journal = engine.pick("_mig_journal", "mig.journal", "_mig_journal");
        let copy = engine.pick("_mig_copy", "mig.copy", "_mig_copy");
        database.query(&format!("create table {copy} as select * from {journal}"));
        let last: u64 = database.query(&format!("select max(seq) from {journal}")).trim().parse().unwrap();
        let swap = format!(
            "update {journal} set seq = -1 where seq = 2; update {journal} set seq = 2 where seq = 3; \
             update {journal} set seq = 3 where seq = -1"
        );
        for (how, tamper, says) in [
            (
                "edit",
                format!("update {journal} set entry = replace(entry, 'plan.json', 'else.json') where seq = 1"),
                "line 1: it was changed after it was written".to_owned(),
            ),
            ("remove", format!("delete from {journal} where seq = 2"), "line 2 was removed".to_owned()),
            ("reorder", swap, "line 2: it was moved or copied here: it was written as line 3".to_owned()),
            (
                "cut off",
                format!("delete from {journal} where seq = {last}"),
                format!("the lines after {} were removed", last - 1),
            ),
        ] {
            database.query(&tamper);
            let found = work.expect(6, &verify);
            assert!(found.stderr.contains(&says), "{engine:?}, {how}: {}", found.stderr);
            let json = work.expect(6, &["audit", "verify", "--url", &url, "--json"]).stdout;
            let object: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(object["whole"], false, "{engine:?}, {how}: {json}");
            database.query(&format!("delete from {journal}; insert into {journal} select * from {copy}"));
            work.expect(0, &verify);
        }
        if *engine != Engine::Sqlite {
            database.query(&format!("update {journal} set event = 'rolled-back' where seq = {last}"));
            let found = work.expect(6, &verify);
            assert!(found.stderr.contains("the columns beside it were changed"), "{engine:?}: {}", found.stderr);
        }
    }
}

#[test]
fn the_journal_is_exported_as_json_and_csv() {
    for engine in ENGINES {
        let (work, database) = applied(*engine);
        let url = database.url();
        let json = work.expect(0, &["audit", "export", "--url", &url]).stdout;
        let lines: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        assert!(lines[0]["event"]["run-begun"].is_object(), "{engine:?}: {json}");
        let run = lines[0]["run"].as_str().unwrap();
        work.expect(0, &["audit", "export", run, "--url", &url, "--format", "csv", "--out", "journal.csv"]);
        let csv = std::fs::read_to_string(work.path().join("journal.csv")).unwrap();
        assert_eq!(csv.lines().count(), lines.len() + 1, "{engine:?}: {csv}");
        assert!(csv.starts_with("seq,at,run,event,step,details,previous,hash\r\n1,"), "{engine:?}: {csv}");
        work.expect(1, &["audit", "export", "no-such-run", "--url", &url]);
        work.expect(1, &["audit", "verify", "no-such-run", "--url", &url]);
    }
}
