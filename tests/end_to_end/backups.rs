//! Rows in files before anything of them goes: whole, compressed, read back, and restored exactly. On every engine.

use std::{fs, path::PathBuf};

use crate::common::{Database, ENGINES, Engine, Workspace};

/// Values that are easily lost on the way: quotes, backslashes, lines, NULL beside the word, bytes, fractions, the far ends of numbers.
fn database(engine: Engine) -> Database {
    let (bytes, double) = (engine.pick("blob", "bytea", "blob"), engine.pick("real", "double precision", "double"));
    let (hex, text) = (engine.pick("x'00ff27'", "'\\x00ff27'", "x'00ff27'"), engine.key_text());
    let slash = engine.pick("a\\b", "a\\b", "a\\\\b");
    engine.database(&format!(
        "create table notes (id integer not null primary key, body {text}, raw {bytes}, weight {double}, far bigint, note {text});
         insert into notes values (1, 'it''s \"so\"', {hex}, 0.1, 9223372036854775807, 'NULL'), (2, '{slash}\nc', null, -1e300, null, null),
             (3, '', {hex}, 3, 0, 'ünïcödé');
         create table kept (id integer not null primary key, body {text});
         insert into kept values (1, 'x');"
    ))
}

const ROWS: &str = "select id, body, note, weight, far from notes order by id;";

fn bytes(engine: Engine, table: &str) -> String {
    let hex = engine.pick("hex(raw)", "upper(encode(raw, 'hex'))", "hex(raw)");
    format!("select id, {hex} from {table} order by id;")
}

/// The backups of the only run.
fn backups(work: &Workspace) -> Vec<PathBuf> {
    let Ok(runs) = fs::read_dir(work.path().join("artifacts/runs")) else { return Vec::new() };
    let files = runs.map(|run| run.unwrap().path().join("00-backup")).filter(|folder| folder.is_dir());
    let mut files: Vec<_> = files.flat_map(|folder| fs::read_dir(folder).unwrap().map(|f| f.unwrap().path())).collect();
    files.sort();
    files
}

/// A workspace whose plan drops the table, with what is to be saved.
fn dropping(database: &Database, backup: &str) -> Workspace {
    let work = Workspace::new();
    work.import(database);
    let spec = fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
    let tables: Vec<_> = spec.split("[table.").filter(|part| !part.starts_with("notes")).collect();
    work.write("specs/schema.toml", &tables.join("[table."));
    work.write("specs/backup.toml", &format!("backup = [{backup}]\n"));
    work.plan(database);
    work.sign();
    work
}

fn apply(work: &Workspace, database: &Database, code: i32, more: &[&str]) -> String {
    let mut args = work.apply_args(database);
    args.retain(|arg| arg != "--no-artifacts");
    let args: Vec<_> = args.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let output = work.expect(code, &args);
    output.stdout + &output.stderr
}

#[test]
fn what_goes_is_saved_and_comes_back_exactly() {
    for engine in ENGINES {
        let database = database(*engine);
        let (rows, raw) = (database.query(ROWS), database.query(&bytes(*engine, "notes")));
        let work = dropping(&database, "\"removed\"");
        let said = apply(&work, &database, 0, &[]);
        assert!(said.contains("3 rows, read back"), "{engine:?}: {said}");
        let files = backups(&work);
        assert_eq!(files.len(), 1, "{engine:?}: {files:?}");
        let file = files[0].display().to_string();
        let said = work.expect(0, &["restore", &file, "--check"]);
        assert!((said.stdout + &said.stderr).contains("3 rows"), "{engine:?}");
        work.expect(0, &["restore", &file, "--url", &database.url(), "--yes"]);
        assert_eq!(database.query(ROWS), rows, "{engine:?}");
        assert_eq!(database.query(&bytes(*engine, "notes")), raw, "{engine:?}");
        // What is there is never written to.
        let output = work.mig(&["restore", &file, "--url", &database.url(), "--yes"]);
        assert_eq!(output.code, Some(1), "{engine:?}: {}", output.stderr);
        work.expect(0, &["restore", &file, "--url", &database.url(), "--yes", "--as", "notes_again"]);
        assert_eq!(database.query(&bytes(*engine, "notes_again")), raw, "{engine:?}");
    }
}

#[test]
fn a_column_is_saved_with_the_key() {
    for engine in ENGINES {
        let database = database(*engine);
        let work = Workspace::new();
        work.import(&database);
        let spec = fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
        let lines: Vec<_> = spec.lines().filter(|line| line.split_whitespace().next() != Some("far")).collect();
        work.write("specs/schema.toml", &lines.join("\n"));
        work.write("specs/backup.toml", "backup = [\"column notes.far\"]\n");
        let said = work.plan(&database).stdout;
        assert!(said.contains("notes: id, far of every row"), "{engine:?}: {said}");
        work.sign();
        apply(&work, &database, 0, &[]);
        let file = backups(&work)[0].display().to_string();
        work.expect(0, &["restore", &file, "--url", &database.url(), "--yes", "--as", "far_notes"]);
        let found = database.query("select count(*), sum(id), max(far) from far_notes;");
        assert_eq!(found.trim().replace(['|', '\t'], " "), "3 6 9223372036854775807", "{engine:?}");
    }
}

#[test]
fn the_whole_database_is_every_table() {
    for engine in ENGINES {
        let database = database(*engine);
        let work = dropping(&database, "\"database\"");
        apply(&work, &database, 0, &[]);
        assert_eq!(backups(&work).len(), 2, "{engine:?}");
    }
}

#[test]
fn without_room_for_files_the_run_does_not_begin() {
    for engine in ENGINES {
        let database = database(*engine);
        let (rows, shape) = (database.query(ROWS), database.schema());
        let work = dropping(&database, "\"table notes\"");
        let said = apply(&work, &database, 1, &["--no-artifacts"]);
        assert!(said.contains("backup") && said.contains("nothing was changed"), "{engine:?}: {said}");
        assert_eq!((database.query(ROWS), database.schema()), (rows, shape), "{engine:?}");
    }
}

#[test]
fn a_damaged_backup_restores_nothing() {
    for engine in ENGINES {
        let database = database(*engine);
        let work = dropping(&database, "\"removed\"");
        apply(&work, &database, 0, &[]);
        let file = &backups(&work)[0];
        let whole = fs::read(file).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0xff;
        for (name, content) in
            [("cut", &whole[..whole.len() - 20]), ("flipped", &flipped), ("other", b"not a backup".as_slice())]
        {
            let path = work.path().join(name);
            fs::write(&path, content).unwrap();
            let path = path.display().to_string();
            let output = work.mig(&["restore", &path, "--url", &database.url(), "--yes"]);
            let said = output.stdout + &output.stderr;
            assert_eq!(output.code, Some(1), "{engine:?} {name}: {said}");
            assert!(said.contains("backup"), "{engine:?} {name}: {said}");
        }
        let args = ["restore", &work.path().join("cut").display().to_string(), "--check"].map(str::to_owned);
        work.expect(1, &args.each_ref().map(String::as_str));
    }
}

#[test]
fn what_nothing_has_cannot_be_saved() {
    let database = database(Engine::Sqlite);
    let work = Workspace::new();
    work.import(&database);
    work.edit("specs/schema.toml", "[table.notes.columns]", "[table.notes.columns]\nextra = \"text?\"");
    for (backup, code) in [
        ("table nothing", "MIG-E011"),
        ("column notes.nothing", "MIG-E012"),
        ("view v", "MIG-E005"),
        ("all", "MIG-E006"),
    ] {
        work.write("specs/backup.toml", &format!("backup = [\"{backup}\"]\n"));
        let output = work.expect(1, &["plan", "--url", &database.url(), "--specs", "specs", "--out", "plan.json"]);
        let said = output.stdout + &output.stderr;
        assert!(said.contains(code), "{backup}: {said}");
    }
}
