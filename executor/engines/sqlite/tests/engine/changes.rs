//! Every kind of change on real database files: the database follows the model, forth and back, and no row is lost.

use std::{collections::BTreeMap, sync::Arc};

use crate::kit::{Done, File, How, migrate, name, settled_schema, undo};
use mig_plan::{
    Address, Kind, Qualified,
    kind::{Rename, RenameMember, rename_in_texts},
};

/// Goes from one definition to the other and back again; gives the steps, and the rows in between.
async fn there_and_back(
    from: &str,
    rows: &str,
    to: &str,
    how: &How<'_>,
) -> (Vec<Done>, BTreeMap<String, Vec<Vec<Option<String>>>>) {
    let mut file = File::with(&format!("{from};\n{rows}")).await;
    let mut goal = File::with(to).await;
    let goal = goal.pull().await.schema.0;
    let (base, before) = (file.pull().await.schema.0, file.rows().await);
    let done = migrate(&mut file, &goal, how).await.unwrap();
    assert_eq!(settled_schema(&file.pull().await.schema.0), settled_schema(&goal));
    let between = file.rows().await;
    undo(&mut file, &done).await;
    assert_eq!(settled_schema(&file.pull().await.schema.0), settled_schema(&base));
    assert_eq!(file.rows().await, before);
    assert_eq!(file.ask("PRAGMA foreign_keys").await, [[Some("1".to_owned())]]);
    assert_eq!(file.ask("PRAGMA integrity_check").await, [[Some("ok".to_owned())]]);
    let own = file.ask("SELECT name FROM sqlite_schema WHERE name LIKE '\\_mig\\_%' ESCAPE '\\'").await;
    assert!(own.is_empty(), "left behind: {own:?}");
    (done, between)
}

async fn plain(from: &str, rows: &str, to: &str) -> BTreeMap<String, Vec<Vec<Option<String>>>> {
    there_and_back(from, rows, to, &How::default()).await.1
}

fn column<'a>(rows: &'a BTreeMap<String, Vec<Vec<Option<String>>>>, table: &str, at: usize) -> Vec<Option<&'a str>> {
    rows[table].iter().map(|row| row[at].as_deref()).collect()
}

#[tokio::test]
async fn adds_columns_in_place() {
    let (done, _) = there_and_back(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)",
        "INSERT INTO t VALUES (1, 'x'), (7, NULL)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, c TEXT NOT NULL DEFAULT 'it''s', d REAL DEFAULT -1.5,
         e TEXT COLLATE NOCASE, f TEXT GENERATED ALWAYS AS (a || '!') VIRTUAL)",
        &How::default(),
    )
    .await;
    assert!(done.iter().all(|step| step.change.slug() == "add-column"));
}

#[tokio::test]
async fn rebuilds_for_everything_else() {
    let from = "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT UNIQUE);
        CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, n TEXT, p INTEGER REFERENCES p, gone TEXT DEFAULT 'g');
        CREATE INDEX t_a ON t (a COLLATE NOCASE DESC) WHERE a IS NOT NULL;
        CREATE TRIGGER t_log AFTER UPDATE OF a ON t BEGIN INSERT INTO log VALUES (new.id, old.a); END;
        CREATE TRIGGER p_log AFTER DELETE ON p BEGIN UPDATE t SET a = 'orphan' WHERE p = old.id; END;
        CREATE TABLE log (id, was);
        CREATE VIEW v (x, y) AS SELECT t.id, t.a FROM t JOIN p ON p.id = t.p;
        CREATE TABLE child (id INTEGER PRIMARY KEY, t INTEGER NOT NULL REFERENCES t ON DELETE CASCADE)";
    let rows = "INSERT INTO p VALUES (1, 'one'), (2, 'two');
        INSERT INTO t VALUES (3, 'x', '007', 1, 'kept'), (9, 'Y', 'abc', 2, NULL), (50, NULL, NULL, NULL, 'z');
        DELETE FROM t WHERE id = 50; INSERT INTO child VALUES (1, 3), (2, 9)";
    let to = from.replace("a TEXT, n TEXT", "a TEXT NOT NULL, n INTEGER, extra TEXT DEFAULT (upper('e'))").replace(
        ", gone TEXT DEFAULT 'g'",
        ", CONSTRAINT short CHECK (length(t.a) < 10), UNIQUE (a, p) ON CONFLICT IGNORE",
    );
    let (done, between) = there_and_back(from, rows, &to, &How::default()).await;
    assert_eq!(done.len(), 1, "one step for all changes of a table");
    assert_eq!(column(&between, "child", 0), [Some("1"), Some("2")], "no cascade");
    assert_eq!(column(&between, "sqlite_sequence", 0), [Some("t")]);
    assert_eq!(column(&between, "sqlite_sequence", 2), [Some("50")], "the highest id ever is remembered");
}

#[tokio::test]
async fn without_rowid_and_strict_and_back() {
    let rowid = "CREATE TABLE t (a TEXT NOT NULL, b INTEGER NOT NULL, c, PRIMARY KEY (a, b DESC))";
    let rows = "INSERT INTO t (rowid, a, b, c) VALUES (10, 'x', 1, x'00ff'), (5, 'x', 2, 1.5), (7, 'y', 1, NULL)";
    plain(rowid, rows, &format!("{rowid} WITHOUT ROWID")).await;
    plain(&format!("{rowid} WITHOUT ROWID"), "INSERT INTO t VALUES ('x', 1, 2), ('y', 1, NULL)", rowid).await;
    let loose = "CREATE TABLE s (id INTEGER PRIMARY KEY, a TEXT, b REAL)";
    let strict = "CREATE TABLE s (id INTEGER PRIMARY KEY, a TEXT, b REAL, c ANY) STRICT";
    plain(loose, "INSERT INTO s VALUES (1, 'x', 2), (2, NULL, 1e99)", strict).await;
    plain(
        strict,
        "INSERT INTO s VALUES (1, 'x', 2, x'00')",
        "CREATE TABLE s (id INTEGER PRIMARY KEY, c ANY) STRICT, WITHOUT ROWID",
    )
    .await;
}

#[tokio::test]
async fn weird_names() {
    let from = r#"CREATE TABLE "my ""odd"" table" ("a b" INTEGER PRIMARY KEY, "select" TEXT, "😀" TEXT, [x]]y] INT);
        CREATE INDEX "i'1" ON "my ""odd"" table" ("😀", "select" || 'x');
        CREATE VIEW "the view" AS SELECT "😀" FROM "my ""odd"" table";
        CREATE TRIGGER "t r" AFTER INSERT ON "my ""odd"" table" BEGIN SELECT 1; END"#
        .replace("[x]]y]", "\"x]y\"");
    let to = from.replace("\"select\" TEXT", "\"select\" TEXT NOT NULL").replace("\"x]y\" INT", "\"x]y\" TEXT");
    plain(&from, r#"INSERT INTO "my ""odd"" table" VALUES (5, 'a', 'b', 3)"#, &to).await;
}

#[tokio::test]
async fn references_to_itself_and_in_circles() {
    let from = "CREATE TABLE a (id INTEGER PRIMARY KEY, up INTEGER REFERENCES a (id), b INTEGER REFERENCES b);
        CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED, x TEXT)";
    let rows =
        "INSERT INTO a VALUES (1, NULL, NULL), (2, 1, NULL); INSERT INTO b VALUES (1, 1, 'x'); UPDATE a SET b = 1";
    let to = "CREATE TABLE a (id INTEGER PRIMARY KEY, up INTEGER REFERENCES a (id) ON DELETE CASCADE, b INTEGER REFERENCES b);
        CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED, x TEXT NOT NULL)";
    plain(from, rows, to).await;
}

#[tokio::test]
async fn broken_keys_that_were_there_before_do_not_stop_a_rebuild() {
    let from = "CREATE TABLE p (id INTEGER PRIMARY KEY, x TEXT); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p)";
    let rows = "PRAGMA foreign_keys = OFF; INSERT INTO c VALUES (1, 99); PRAGMA foreign_keys = ON; INSERT INTO p VALUES (1, 'x')";
    plain(from, rows, "CREATE TABLE p (id INTEGER PRIMARY KEY, x TEXT NOT NULL); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p)").await;
}

#[tokio::test]
async fn rows_that_break_a_new_rule_stop_it_and_nothing_has_happened() {
    let from = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, p INTEGER)";
    let rows = "INSERT INTO t VALUES (1, NULL, 5), (2, 'x', NULL), (3, 'x', NULL)";
    for (a, p) in [
        ("a TEXT NOT NULL", "p INTEGER"),
        ("a TEXT UNIQUE", "p INTEGER"),
        ("a TEXT CHECK (a <> 'x')", "p INTEGER"),
        ("a TEXT", "p INTEGER REFERENCES p"),
        ("a TEXT", "p INTEGER, q TEXT NOT NULL"),
    ] {
        let mut file = File::with(&format!("{from};{rows}")).await;
        let to = format!("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, {a}, {p})");
        let goal = File::with(&to).await.pull().await.schema.0;
        let (base, before) = (file.pull().await, file.rows().await);
        let says = migrate(&mut file, &goal, &How::default()).await.err().unwrap();
        assert!(says.starts_with("check: "), "{says}");
        assert_eq!((file.pull().await, file.rows().await), (base, before));
    }
}

#[tokio::test]
async fn transforms_in_a_rebuild() {
    let from = "CREATE TABLE domains (id INTEGER PRIMARY KEY, d TEXT); CREATE TABLE scopes (scope_id TEXT NOT NULL PRIMARY KEY, domain_id INT, n TEXT COLLATE NOCASE)";
    let rows =
        "INSERT INTO domains VALUES (1, 'app'), (2, 'org'); INSERT INTO scopes VALUES ('1', 1, 'A'), ('2', 2, 'b')";
    let to = "CREATE TABLE domains (id INTEGER PRIMARY KEY, d TEXT); CREATE TABLE scopes (scope_id TEXT NOT NULL PRIMARY KEY, n TEXT COLLATE NOCASE, domain TEXT NOT NULL, is_a INT NOT NULL)";
    let fills = vec![
        ("scopes", "domain", "(select d.d from domains d where d.id = scopes.domain_id)"),
        ("scopes", "scope_id", "domain || '.' || scope_id"),
        ("scopes", "is_a", "n = 'a'"),
    ];
    let (_, between) = there_and_back(from, rows, to, &How { fills, ..How::default() }).await;
    let ids: Vec<_> =
        between["scopes"].iter().flat_map(|row| row.iter().flatten()).filter(|v| v.contains('.')).collect();
    assert_eq!(ids, ["app.1", "org.2"]);
    assert_eq!(column(&between, "scopes", 4), [Some("1"), Some("0")]);
}

#[tokio::test]
async fn a_transform_into_new_columns_runs_in_batches() {
    for (key, options) in [
        ("id INTEGER PRIMARY KEY", ""),
        ("id TEXT PRIMARY KEY", ""),
        ("id BLOB PRIMARY KEY, k2 REAL DEFAULT 1.25", " WITHOUT ROWID"),
    ] {
        let from = format!("CREATE TABLE t ({key}, a TEXT){options}");
        let to = format!("CREATE TABLE t ({key}, a TEXT, b TEXT, c TEXT){options}");
        let rows = "INSERT INTO t (id, a) VALUES (1, 'x'), (2, 'y'), (3, NULL), (4, 'z'), (5, 'w')";
        let fills = vec![("t", "b", "upper(a)"), ("t", "c", "b || t.a")];
        let (done, between) = there_and_back(&from, rows, &to, &How { fills, ..How::default() }).await;
        assert_eq!(done.last().unwrap().change.slug(), "backfill");
        let text = format!("{between:?}");
        assert!(text.contains("Xx") && text.contains("Ww"), "{text}");
    }
}

#[tokio::test]
async fn renames_carry_everything_along() {
    let from = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, CHECK (name <> ''));
        CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER REFERENCES users);
        CREATE INDEX users_name ON users (lower(name))";
    let mut file =
        File::with(&format!("{from};INSERT INTO users VALUES (1, 'Ann'); INSERT INTO posts VALUES (1, 1)")).await;
    let base = file.pull().await.schema.0;
    let dialect = mig_sqlite::dialect("3", None);
    let (users, people) = (Qualified::new(None, name("users")), Qualified::new(None, name("people")));
    let mut plain = base.clone();
    let bare = Rename::new(Address::table(&users), Address::table(&people));
    plain.apply(&bare.clone().into()).unwrap();
    let mut goal_file = File::with(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, full_name TEXT UNIQUE, CHECK (full_name <> ''));
        CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER REFERENCES people);
        CREATE INDEX users_name ON people (lower(full_name))",
    )
    .await;
    let goal = goal_file.pull().await.schema.0;
    // The names of unnamed constraints follow the table and the column, so the table itself is carried.
    let mut table = plain.objects[&Address::table(&people)].clone();
    if let mig_plan::Body::Table(table) = &mut Arc::make_mut(&mut table).body {
        let names: Vec<_> = table.constraints.keys().cloned().collect();
        for old in names {
            let constraint = table.constraints.remove(&old).unwrap();
            table.constraints.insert(name(&old.as_str().replace("users", "people")), constraint);
        }
    }
    let carries = [(Address::table(&people), table.clone())].into();
    let rename = Rename { carries, ..bare };
    let column = Address::column(&people, &name("name"));
    let mut second = plain.clone();
    second.objects.insert(Address::table(&people), table);
    let bare = RenameMember { from: column, to: name("full_name"), carries: BTreeMap::new() };
    second.apply(&bare.clone().into()).unwrap();
    let quote = |n: &mig_plan::Name| dialect.quote(n);
    let mut carries = BTreeMap::new();
    for (at, object) in &second.objects {
        let mut becomes = rename_in_texts(object, &name("name"), &name("full_name"), &quote);
        if let mig_plan::Body::Table(table) = &mut becomes.body {
            let names: Vec<_> = table.constraints.keys().cloned().collect();
            for old in names {
                let constraint = table.constraints.remove(&old).unwrap();
                table.constraints.insert(name(&old.as_str().replace("_name_", "_full_name_")), constraint);
            }
        }
        if becomes != **object {
            carries.insert(at.clone(), becomes.into());
        }
    }
    let member = RenameMember { carries, ..bare };
    let how = How { renames: vec![rename.into(), Kind::from(member)], ..How::default() };
    let mut replayed = base.clone();
    let mut back = Vec::new();
    for change in &how.renames {
        back.push(change.reverse(&replayed).unwrap());
        replayed.apply(change).unwrap();
    }
    for change in back.iter().rev() {
        replayed.apply(change).unwrap();
    }
    assert_eq!(replayed, base, "the renames taken back in the model");
    let done = migrate(&mut file, &goal, &how).await.unwrap();
    assert_eq!(done.len(), 2, "nothing but the renames is needed");
    assert_eq!(settled_schema(&file.pull().await.schema.0), settled_schema(&goal));
    undo(&mut file, &done).await;
    assert_eq!(settled_schema(&file.pull().await.schema.0), settled_schema(&base));
}

#[tokio::test]
async fn creates_and_drops() {
    let one = "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT GENERATED ALWAYS AS (id * 2) STORED, y BLOB);
        CREATE INDEX a_y ON a (y); CREATE VIEW av AS SELECT * FROM a; CREATE TRIGGER at BEFORE DELETE ON a BEGIN SELECT 1; END;
        CREATE TABLE c (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a ON DELETE CASCADE)";
    let rows =
        "INSERT INTO a (id, y) VALUES (4, x'00'), (9, 'text'); DELETE FROM a WHERE id = 9; INSERT INTO c VALUES (1, 4)";
    let two = "CREATE TABLE z (a TEXT, b TEXT); CREATE VIEW zv AS SELECT b FROM z; CREATE UNIQUE INDEX zi ON z (a) WHERE b > 'x';
        CREATE TABLE c (id INTEGER PRIMARY KEY, a INTEGER)";
    plain(one, rows, two).await;
    plain("CREATE TABLE k (x)", "INSERT INTO k (rowid, x) VALUES (5, 1), (2, 2)", "CREATE TABLE other (x)").await;
}

#[tokio::test]
async fn undo_keeps_what_new_clients_wrote() {
    let mut file = File::with("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, gone TEXT DEFAULT 'd'); INSERT INTO t VALUES (1, 'x', 'g1'), (2, 'y', 'g2'), (3, 'z', 'g3')").await;
    let goal = File::with("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER NOT NULL)").await.pull().await.schema.0;
    let how = How { fills: vec![("t", "a", "length(a) + 10")], ..How::default() };
    let done = migrate(&mut file, &goal, &how).await.unwrap();
    assert!(done[0].hazards.iter().any(|h| h == "overwrites values in place"));
    file.write("UPDATE t SET a = 99 WHERE id = 2").await;
    file.write("DELETE FROM t WHERE id = 3").await;
    file.write("INSERT INTO t VALUES (4, 44)").await;
    undo(&mut file, &done).await;
    let rows = file.ask("SELECT id, a, gone FROM t ORDER BY id").await;
    let rows: Vec<_> =
        rows.iter().map(|r| r.iter().map(|v| v.as_deref().unwrap_or("NULL")).collect::<Vec<_>>()).collect();
    assert_eq!(rows, [["1", "x", "g1"], ["2", "99", "g2"], ["4", "44", "d"]]);
}

#[tokio::test]
async fn gc_drops_what_was_kept() {
    let mut file =
        File::with("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT); INSERT INTO t VALUES (1, 'x')")
            .await;
    let goal = File::with("CREATE TABLE other (x)").await.pull().await.schema.0;
    let done = migrate(&mut file, &goal, &How::default()).await.unwrap();
    let kept = "SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_mig\\_%' ESCAPE '\\'";
    assert_eq!(file.ask(kept).await, [[Some("2".to_owned())]]);
    for statement in done.iter().flat_map(|step| &step.gc) {
        file.driver.execute(statement).await.unwrap();
    }
    assert_eq!(file.ask(kept).await, [[Some("0".to_owned())]]);
}

#[tokio::test]
async fn a_name_in_another_case_is_the_same_name() {
    let mut file = File::with("CREATE TABLE users (id INTEGER PRIMARY KEY)").await;
    for sql in [
        "CREATE TABLE Users (id INTEGER PRIMARY KEY)",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, ID2 TEXT, Id3 TEXT)",
    ] {
        let goal = File::with(sql).await.pull().await.schema.0;
        let done = migrate(&mut file, &goal, &How::default()).await;
        assert_eq!(done.is_err(), sql.contains("Users"), "{sql}");
    }
}

#[tokio::test]
async fn values_overwritten_in_batches_come_back() {
    let mut file = File::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'X'), (2, 'Y'), (3, 'z')",
    )
    .await;
    let goal = file.pull().await.schema.0;
    let how = |sql| How { fills: vec![("t", "a", sql)], ..How::default() };
    let done = migrate(&mut file, &goal, &how("a || a")).await.unwrap();
    let values = "SELECT group_concat(a, ',') FROM (SELECT a FROM t ORDER BY id)";
    assert_eq!(file.ask(values).await, [[Some("XX,YY,zz".to_owned())]], "each is made once");
    undo(&mut file, &done).await;
    assert_eq!(file.ask(values).await, [[Some("X,Y,z".to_owned())]]);
    let done = migrate(&mut file, &goal, &how("lower(a)")).await.unwrap();
    assert_eq!(file.ask(values).await, [[Some("x,y,z".to_owned())]]);
    file.write("UPDATE t SET a = 'new' WHERE id = 2").await;
    undo(&mut file, &done).await;
    assert_eq!(file.ask(values).await, [[Some("X,new,z".to_owned())]]);
}
