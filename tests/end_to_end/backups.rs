//! Rows in files before anything of them goes: whole, compressed, read back, and restored exactly. On every engine.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

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

/// What a run kept is what `gc` would drop: rows that clients wrote after the first write are in it, and in no earlier backup.
#[test]
fn gc_saves_what_it_drops_where_the_policy_asks_for_it() {
    for engine in ENGINES {
        let database = database(*engine);
        let (rows, raw) = (database.query(ROWS), database.query(&bytes(*engine, "notes")));
        let work = dropping(&database, "");
        let text = engine.key_text();
        // A table and a column go, and values are overwritten.
        work.edit("specs/schema.toml", &format!("body = \"{text}?\""), "");
        work.edit("specs/schema.toml", "[table.kept.columns]", "[table.kept.columns]\nnote = \"integer?\"");
        work.plan(&database);
        work.sign();
        work.apply(&database);
        let kept = || {
            let all = engine.pick(
                "select count(*) from sqlite_schema where name like '\\_mig\\_kept%' escape '\\'",
                "select count(*) from pg_class where relkind = 'r' and relnamespace = to_regnamespace('mig_trash')",
                "select count(*) from information_schema.tables where table_schema = database()
                   and (table_name like '\\_mig\\_kept%' or table_name like '\\_mig\\_trash%')",
            );
            database.query(all).trim().to_owned()
        };
        assert_eq!(kept(), "2", "{engine:?}");
        let url = database.url();
        let gc = ["gc", "--older-than", "0s", "--url", &url, "--yes"];
        work.write("mig.toml", "[policy]\nbackup = true\n");
        let nowhere = [&gc[..], &["--no-artifacts"]].concat();
        let said = work.expect(3, &nowhere).stderr;
        assert!(said.contains("nothing was dropped") && said.contains("--artifacts"), "{engine:?}: {said}");
        // A folder that takes no files.
        work.write("full", "");
        let full = [&gc[..], &["--artifacts", "full/here"]].concat();
        assert!(work.mig(&full).code == Some(1) && kept() == "2", "{engine:?}");
        let output = work.expect(0, &gc);
        let said = output.stdout + &output.stderr;
        assert!(said.contains("backup of") && said.contains("3 rows, read back"), "{engine:?}: {said}");
        assert_eq!(kept(), "0", "{engine:?}");
        let files = backups(&work);
        assert_eq!(files.len(), 2, "{engine:?}: {files:?}");
        let notes = files.iter().find(|file| file.display().to_string().contains("notes")).unwrap();
        work.expect(0, &["restore", &notes.display().to_string(), "--url", &url, "--yes"]);
        assert_eq!(database.query(ROWS), rows, "{engine:?}");
        assert_eq!(database.query(&bytes(*engine, "notes")), raw, "{engine:?}");
        database.query("drop table notes;");
        let column = files.iter().find(|file| *file != notes).unwrap().display().to_string();
        work.expect(0, &["restore", &column, "--url", &url, "--yes", "--as", "bodies"]);
        let body = database.query("select body from bodies;");
        assert_eq!(body.trim(), "x", "{engine:?}");
        // The journal says what was saved, and the run's folder is whole.
        let journal = work.expect(0, &["audit", "export", "--url", &url]).stdout;
        assert!(journal.contains("saved") && journal.contains("sha256:"), "{engine:?}: {journal}");
        let run = files[0].ancestors().nth(2).unwrap().file_name().unwrap().to_str().unwrap();
        work.expect(0, &["audit", "verify", run, "--url", &url]);
    }
}

#[test]
fn rows_that_declared_ones_take_the_place_of_are_among_what_is_removed() {
    for engine in ENGINES {
        let database = database(*engine);
        let work = Workspace::new();
        work.import(&database);
        work.write("specs/backup.toml", "backup = [\"removed\"]\n");
        work.edit("specs/schema.toml", "[table.kept]", "[table.kept]\nrows = [{ id = 1, body = \"new\" }]");
        work.plan(&database);
        work.sign();
        apply(&work, &database, 0, &[]);
        assert_eq!(database.query("select body from kept;").trim(), "new", "{engine:?}");
        let files = backups(&work);
        assert_eq!(files.len(), 1, "{engine:?}: {files:?}");
        let file = files[0].display().to_string();
        work.expect(0, &["restore", &file, "--url", &database.url(), "--yes", "--as", "kept_before"]);
        assert_eq!(database.query("select body from kept_before;").trim(), "x", "{engine:?}");
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

/// The points at which a command writes, in the order in which it crosses them.
fn points(work: &Workspace, args: &[&str]) -> Vec<String> {
    let list = work.path().join("points");
    let output = work.program().env("MIG_CRASH_LIST", list.display().to_string()).run(args);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    fs::read_to_string(&list).unwrap().lines().map(str::to_owned).collect()
}

/// Kills a command at its n-th point.
fn killed(work: &Workspace, args: &[&str], n: usize) {
    let reached = work.path().join("reached");
    fs::write(&reached, "").unwrap();
    let program = work.program().env("MIG_STOP_AT", n.to_string()).env("MIG_STOPPED", reached.display().to_string());
    let mut child = program.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while fs::read_to_string(&reached).unwrap().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "ended before point {n}");
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_backup_has_touched_nothing_and_is_made_again() {
    for engine in ENGINES {
        let work = dropping(&database(*engine), "\"database\"");
        let scratch = database(*engine);
        let args = work.apply_args(&scratch);
        let all = points(&work, &args.iter().map(String::as_str).collect::<Vec<_>>());
        let saving: Vec<usize> = (1..).zip(&all).filter(|(_, p)| p.contains("/backup-")).map(|(n, _)| n).collect();
        assert_eq!(saving.len(), 6, "{engine:?}: {all:?}");
        for &n in &saving {
            let database = database(*engine);
            let (rows, shape) = (database.query(ROWS), database.schema());
            fs::remove_dir_all(work.path().join("artifacts")).unwrap();
            let args = work.apply_args(&database);
            killed(&work, &args.iter().map(String::as_str).collect::<Vec<_>>(), n);
            assert_eq!((database.query(ROWS), database.schema()), (rows, shape), "{engine:?}, {n}");
            for file in backups(&work) {
                // One that has its name is whole; one that has not says so.
                let whole = file.extension().is_some_and(|extension| extension == "gz");
                let output = work.mig(&["restore", &file.display().to_string(), "--check"]);
                assert!(output.code == Some(0) || !whole, "{engine:?}, {n}: {}", output.stderr);
            }
            work.apply(&database);
            let whole = backups(&work).into_iter().filter(|file| file.extension().unwrap() == "gz");
            let whole: Vec<String> = whole.map(|file| file.display().to_string()).collect();
            assert!(whole.len() >= 2, "{engine:?}, {n}: {whole:?}");
            whole.iter().for_each(|file| drop(work.expect(0, &["restore", file, "--check"])));
        }
    }
}

#[test]
fn a_killed_restore_leaves_all_rows_or_no_table() {
    for engine in ENGINES {
        let database = database(*engine);
        let (rows, raw) = (database.query(ROWS), database.query(&bytes(*engine, "notes")));
        let work = dropping(&database, "\"removed\"");
        apply(&work, &database, 0, &[]);
        let file = backups(&work)[0].display().to_string();
        let url = database.url();
        let args = ["restore", &file, "--url", &url, "--yes"];
        let all = points(&work, &args);
        assert!(all.len() > 3, "{engine:?}: {all:?}");
        let tables = engine.pick(
            "select name from sqlite_schema where type = 'table' and name in ('notes') or name like '\\_mig\\_restore%' escape '\\'",
            "select relname from pg_class where relname = 'notes' or relname like '\\_mig\\_restore%'",
            "select table_name from information_schema.tables where table_schema = database() and (table_name = 'notes' or table_name like '\\_mig\\_restore%')",
        );
        for n in 1..=all.len() {
            database.query("drop table notes;");
            killed(&work, &args, n);
            let there = database.query(tables);
            if there.lines().any(|name| name.trim() == "notes") {
                assert_eq!(database.query(ROWS), rows, "{engine:?}, {}", all[n - 1]);
                continue;
            }
            work.expect(0, &args);
            assert_eq!(database.query(&bytes(*engine, "notes")), raw, "{engine:?}, {}", all[n - 1]);
            assert_eq!(database.query(tables).trim(), "notes", "{engine:?}, {}", all[n - 1]);
        }
    }
}

/// A limit on the size of files fills the disk for this process only.
#[test]
fn a_disk_that_fills_up_under_a_backup_stops_the_run_before_the_database_is_touched() {
    for engine in ENGINES {
        let database = database(*engine);
        let many = engine.pick(
            "with recursive n(i) as (select 10 union all select i + 1 from n where i < 20000)
                insert into notes (id, body) select i, hex(randomblob(32)) from n;",
            "insert into notes (id, body) select n, md5(random()::text) || md5(random()::text) from generate_series(10, 20000) n;",
            "insert into notes (id, body) select seq, concat(md5(rand()), md5(rand())) from seq_10_to_20000;",
        );
        database.query(many);
        let work = dropping(&database, "\"removed\"");
        let (rows, shape) = (database.query("select count(*), min(body) from notes;"), database.schema());
        let (program, args) = (env!("CARGO_BIN_EXE_mig"), work.apply_args(&database).join(" "));
        let script = format!("trap '' XFSZ; ulimit -f 400; exec {program} {args}");
        let output = Command::new("bash").args(["-c", &script]).current_dir(work.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{engine:?}: {said}");
        assert!(said.contains("backup") && said.contains("nothing was changed"), "{engine:?}: {said}");
        assert_eq!(database.query("select count(*), min(body) from notes;"), rows, "{engine:?}");
        assert_eq!(database.schema(), shape, "{engine:?}");
        assert_eq!(fs::read_dir(work.path().join("artifacts/runs")).unwrap().count(), 0, "{engine:?}: nothing is left");
        work.apply(&database);
        assert_eq!(backups(&work).len(), 1, "{engine:?}");
    }
}
