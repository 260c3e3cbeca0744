//! Another program that writes a file of SQLite while a plan is applied to it.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::common::{Engine, Workspace};

#[test]
fn a_rebuild_waits_for_another_writer() {
    let live = Engine::Sqlite.database(
        "pragma journal_mode = wal; create table t (id integer primary key, a int); insert into t values (1, 2);",
    );
    let work = Workspace::new();
    work.import(&live);
    work.edit("specs/schema.toml", "\"int?\"", "\"text?\"");
    work.plan(&live);
    work.sign();
    let url = live.url();
    let mut writer =
        Command::new("sqlite3").arg(url.strip_prefix("sqlite://").unwrap()).stdin(Stdio::piped()).spawn().unwrap();
    let mut script = writer.stdin.take().unwrap();
    script.write_all(b"begin immediate; insert into t values (2, 3);\n").unwrap();
    thread::sleep(Duration::from_millis(500));
    let held = "the other program is not at work: this shows nothing";
    let begun = Command::new("sqlite3").arg(url.strip_prefix("sqlite://").unwrap()).arg("begin immediate").output();
    assert!(!begun.unwrap().status.success(), "{held}");
    let ends = thread::spawn(move || {
        thread::sleep(Duration::from_secs(3));
        script.write_all(b"commit;\n").unwrap();
    });
    work.apply(&live);
    ends.join().unwrap();
    assert!(writer.wait().unwrap().success());
    let rows = "select id, a, typeof(a) from t order by id";
    assert_eq!(live.query(rows), "1|2|text\n2|3|text");
    work.nothing_to_do(&live);
    work.rollback(&live);
    assert_eq!(live.query(rows), "1|2|integer\n2|3|integer");
    assert_eq!(live.query("pragma journal_mode"), "wal");
}
