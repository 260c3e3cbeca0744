//! The connection: what it opens and refuses, who may write, what it reads.

use std::time::Duration;

use crate::kit::{File, name};
use mig_executor::{Cursor, Failure, Lease};
use mig_plan::{
    Address, Body, Fingerprint, Limits, ObjectKind, Qualified, Remembered, Statement,
    step::{Batch, Batches},
};

const LIMITS: Limits = Limits { lock_ms: 50, statement_ms: 0, attempts: 1 };

async fn refusal(url: &str) -> String {
    match mig_sqlite::connect(url).await.err().unwrap() {
        Failure::Unreachable { says } => says,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn opens_databases_only() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("none.db");
    assert!(refusal(&format!("sqlite://{}", missing.display())).await.contains("never makes one"));
    assert!(!missing.exists());
    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "this is no database, it is a text that is long enough to be looked at as one".repeat(20))
        .unwrap();
    assert!(refusal(&format!("sqlite://{}", text.display())).await.contains("no SQLite database"));
    assert!(refusal(&format!("sqlite://{}", dir.path().display())).await.contains("not a file"));
}

#[tokio::test]
async fn reading_only_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a b.db");
    std::fs::write(&path, []).unwrap();
    let url = format!("sqlite://{}", path.display().to_string().replace(' ', "%20"));
    let mut driver = mig_sqlite::connect(&format!("{url}?mode=ro")).await.unwrap();
    assert!(driver.writable().await.unwrap().unwrap_err().contains("mode=ro"));
    assert!(driver.execute(&Statement::new("CREATE TABLE t (x)")).await.is_err());
    let mut driver = mig_sqlite::connect(&url).await.unwrap();
    driver.writable().await.unwrap().unwrap();
    assert!(driver.entries().await.unwrap().is_empty());
    driver.close().await.unwrap();
}

#[tokio::test]
async fn one_writer_and_one_executor() {
    let mut file = File::with("CREATE TABLE t (x)").await;
    let mut other = mig_sqlite::connect(&file.url()).await.unwrap();
    assert_eq!(file.driver.lease(Duration::ZERO).await.unwrap(), Lease::Taken);
    let Lease::Held { by } = other.lease(Duration::from_millis(60)).await.unwrap() else { panic!("two executors") };
    assert_eq!(by, format!("process {}", std::process::id()));
    file.driver.release().await.unwrap();
    assert_eq!(other.lease(Duration::ZERO).await.unwrap(), Lease::Taken);
    let session = other.session().await.unwrap();
    assert!(other.settled(&session, Duration::ZERO).await.unwrap());
    file.driver.begin(&LIMITS).await.unwrap();
    assert!(matches!(other.begin(&LIMITS).await, Err(Failure::Transient { .. })));
    other.writable().await.unwrap().unwrap();
    file.driver.execute(&Statement::new("INSERT INTO t VALUES (1)")).await.unwrap();
    file.driver.rollback().await.unwrap();
    file.driver.rollback().await.unwrap();
    assert!(file.ask("SELECT * FROM t").await.is_empty());
    other.begin(&LIMITS).await.unwrap();
    other.commit().await.unwrap();
}

#[tokio::test]
async fn a_reader_in_the_way_of_a_commit_leaves_nothing() {
    let mut file = File::with("CREATE TABLE t (x); INSERT INTO t VALUES (1)").await;
    let mut reader = mig_sqlite::connect(&file.url()).await.unwrap();
    reader.execute(&Statement::new("BEGIN")).await.unwrap();
    reader.ask(&Statement::new("SELECT * FROM t"), 9).await.unwrap();
    file.driver.begin(&LIMITS).await.unwrap();
    file.driver.execute(&Statement::new("INSERT INTO t VALUES (2)")).await.unwrap();
    assert!(matches!(file.driver.commit().await, Err(Failure::Transient { .. })));
    reader.execute(&Statement::new("ROLLBACK")).await.unwrap();
    assert_eq!(file.ask("SELECT * FROM t").await.len(), 1);
}

#[tokio::test]
async fn answers_as_text() {
    let mut file = File::with("CREATE TABLE t (x)").await;
    let rows = file.ask("SELECT 1, 1.5, 'a', x'0aff', NULL, 9223372036854775807, 1e300, ''").await;
    let row: Vec<_> = rows[0].iter().map(|v| v.as_deref()).collect();
    let want = [
        Some("1"),
        Some("1.5"),
        Some("a"),
        Some("x'0aff'"),
        None,
        Some("9223372036854775807"),
        Some("1e300"),
        Some(""),
    ];
    assert_eq!(row, want);
    let error = file.driver.ask(&Statement::new("SELECT nope"), 1).await.unwrap_err();
    assert!(
        matches!(&error, Failure::Refused { says, code: Some(code) } if says.contains("nope") && code == "1"),
        "{error:?}"
    );
}

#[tokio::test]
async fn mig_and_modules_keep_their_tables_to_themselves() {
    let mut file = File::with(
        "CREATE VIRTUAL TABLE docs USING fts5(title, body); CREATE TABLE _mig_kept_1 (x); CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);
         CREATE TABLE docs_extra (x); CREATE TRIGGER zzz_mig_x AFTER INSERT ON t BEGIN SELECT 1; END; ANALYZE",
    )
    .await;
    file.driver.install().await.unwrap();
    file.driver.install().await.unwrap();
    let found: Vec<_> = file.pull().await.schema.0.objects.keys().map(ToString::to_string).collect();
    assert_eq!(found, ["table docs_extra", "table t", "virtual-table docs"]);
}

#[tokio::test]
async fn remembers_and_keeps() {
    let mut file = File::with("CREATE TABLE t (x)").await;
    assert!(file.driver.remembered().await.unwrap().is_empty());
    assert_eq!(file.driver.kept("d", "n").await.unwrap(), None);
    file.driver.install().await.unwrap();
    let at = Address::table(&Qualified::new(None, name("t")));
    let record = |catalog: &[u8]| Remembered {
        at: at.clone(),
        said: Fingerprint::of_bytes(b"said"),
        catalog: Fingerprint::of_bytes(catalog),
        keys: None,
    };
    file.driver.remember(&[record(b"1")]).await.unwrap();
    file.driver.remember(&[record(b"2")]).await.unwrap();
    assert_eq!(file.pull().await.remembered, [record(b"2")]);
    file.driver.keep("d", "n", b"\0bytes").await.unwrap();
    assert_eq!(file.driver.kept("d", "n").await.unwrap().as_deref(), Some(&b"\0bytes"[..]));
}

#[tokio::test]
async fn cursors_of_every_class() {
    let mut file = File::with(
        "CREATE TABLE t (k PRIMARY KEY NOT NULL, v) WITHOUT ROWID;
         INSERT INTO t VALUES (-5, 0), (2.5, 0), (3, 0), ('a''b', 0), ('é', 0), (x'00ff', 0), (x'01', 0)",
    )
    .await;
    let batch = |bound: &str, sql: &str| Batch { bound: Statement::new(bound), sql: vec![Statement::new(sql)] };
    let last = "ORDER BY k DESC LIMIT 1";
    let batches = Batches {
        key: vec!["k".to_owned()],
        rows: 1,
        min_rows: 1,
        max_rows: 1,
        target_ms: 1,
        prepare: Vec::new(),
        first: batch(
            &format!("SELECT k FROM (SELECT k FROM t ORDER BY k LIMIT ?1) {last}"),
            "UPDATE t SET v = v + 1 WHERE k <= ?1",
        ),
        next: batch(
            &format!("SELECT k FROM (SELECT k FROM t WHERE k > ?1 ORDER BY k LIMIT ?2) {last}"),
            "UPDATE t SET v = v + 1 WHERE k > ?1 AND k <= ?2",
        ),
        end: None,
        leaves_late: false,
        before: vec![],
        rejects: None,
        sample: None,
        limits: LIMITS,
    };
    let mut cursor: Option<Cursor> = None;
    let mut seen = Vec::new();
    while let Some(done) = file.driver.batch(&batches, cursor.as_ref(), None, 1).await.unwrap() {
        assert_eq!(done.rows, 1);
        seen.push(done.cursor.0.to_string());
        cursor = Some(done.cursor);
    }
    assert_eq!(seen.len(), 7);
    assert_eq!(seen[0], r#"[{"int":-5}]"#);
    assert_eq!(seen[1], r#"[{"real":"2.5"}]"#);
    assert_eq!(seen[5], r#"[{"blob":"00ff"}]"#);
    assert_eq!(file.ask("SELECT count(*) FROM t WHERE v = 1").await, [[Some("7".to_owned())]]);
}

#[tokio::test]
async fn what_things_need() {
    let mut file = File::with(
        "CREATE TABLE Users (Id INTEGER PRIMARY KEY, Name TEXT, age INT);
         CREATE TABLE posts (id INTEGER PRIMARY KEY, author REFERENCES users);
         CREATE VIEW v AS SELECT u.NAME FROM users u JOIN posts p ON p.author = u.id;
         CREATE VIEW w AS SELECT * FROM v;
         CREATE TRIGGER tr AFTER UPDATE OF age ON users BEGIN DELETE FROM posts WHERE author = new.id; END",
    )
    .await;
    let pulled = file.pull().await;
    let needs = |at: &str| -> Vec<String> {
        pulled
            .depends
            .iter()
            .filter(|(k, _)| k.to_string() == at)
            .flat_map(|(_, n)| n.iter().map(ToString::to_string))
            .collect()
    };
    assert_eq!(needs("table posts"), ["table \"Users\""]);
    assert_eq!(needs("view w"), ["view v"]);
    let view = needs("view v");
    assert!(view.contains(&"column \"Users\".\"Name\"".to_owned()) && view.contains(&"column posts.author".to_owned()));
    assert!(!view.iter().any(|n| n.contains("age")), "{view:?}");
    let trigger = needs("trigger \"Users\".tr");
    assert!(
        trigger.contains(&"column \"Users\".age".to_owned()) && trigger.contains(&"table posts".to_owned()),
        "{trigger:?}"
    );
    let posts = &pulled.schema.0.objects[&Address::new(ObjectKind::Table, &Qualified::new(None, name("posts")))];
    let Body::Table(posts) = &posts.body else { panic!("a table") };
    let key = posts.constraints[&name("posts_author_fkey")].foreign_key().unwrap();
    assert_eq!(key.references.name.as_str(), "Users");
    assert!(key.referenced.is_empty(), "the definition names no columns, so it means the primary key");
}
