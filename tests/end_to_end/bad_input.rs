//! Bad input gets a clear error and loses nothing.

use std::fs;

use crate::common::{Database, ENGINES, Engine, Workspace};
use mig_test_support::{keys, keys::Key};

const TABLE: &str =
    "[table.notes]\nprimary_key = [\"id\"]\n\n[table.notes.columns]\nid = \"integer\"\nbody = \"text\"\n";

/// Writes one spec file, validates it, and gives what `mig` said of it.
fn invalid(spec: &str) -> String {
    let work = Workspace::new();
    work.write("specs/a.toml", spec);
    let output = work.expect(1, &["validate", "--specs", "specs", "--engine", "sqlite"]);
    output.stdout + &output.stderr
}

fn says(text: &str, all: &[&str]) {
    for part in all {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn malformed_toml() {
    says(&invalid("[table.a\nx = 1\n"), &["MIG-E001", "a.toml"]);
}

#[test]
fn an_unknown_key_gets_a_suggestion() {
    says(&invalid(&TABLE.replace("primary_key", "primery_key")), &["MIG-E002", "primery_key", "primary_key"]);
}

#[test]
fn an_unknown_type() {
    let work = Workspace::new();
    work.write("specs/a.toml", &TABLE.replace("\"text\"", "\"txet\""));
    let output = work.expect(1, &["validate", "--specs", "specs", "--engine", "postgres"]);
    says(&(output.stdout + &output.stderr), &["MIG-E010", "txet", "text"]);
}

#[test]
fn all_errors_at_once() {
    let text = invalid("[table.a]\nnope = 1\n[table.b]\nalso_nope = 2\n");
    says(&text, &["nope", "also_nope"]);
}

#[test]
fn two_tables_of_one_name_show_both_places() {
    let work = Workspace::new();
    work.write("specs/a.toml", TABLE);
    work.write("specs/b.toml", TABLE);
    let output = work.expect(1, &["validate", "--specs", "specs", "--engine", "sqlite"]);
    says(&(output.stdout + &output.stderr), &["MIG-E007", "a.toml", "b.toml"]);
}

#[test]
fn a_foreign_key_to_nowhere() {
    let spec = format!("{TABLE}\n[[table.notes.foreign_keys]]\ncolumns = [\"id\"]\nreferences = \"nowhere\"\n");
    says(&invalid(&spec), &["MIG-E011", "nowhere"]);
}

#[test]
fn a_cycle_of_foreign_keys_works() {
    for engine in ENGINES {
        let database = engine.database("");
        let work = Workspace::new();
        work.write(
            "specs/a.toml",
            "[table.a]\nprimary_key = [\"id\"]\n[table.a.columns]\nid = \"integer\"\nb_id = \"integer?\"\n\
             [[table.a.foreign_keys]]\ncolumns = [\"b_id\"]\nreferences = \"b\"\n\
             [table.b]\nprimary_key = [\"id\"]\n[table.b.columns]\nid = \"integer\"\na_id = \"integer?\"\n\
             [[table.b.foreign_keys]]\ncolumns = [\"a_id\"]\nreferences = \"a\"\n",
        );
        work.plan(&database);
        work.sign();
        work.apply(&database);
        work.nothing_to_do(&database);
    }
}

#[test]
fn a_rename_that_is_done_is_harmless_and_one_that_never_was_is_an_error() {
    for engine in ENGINES {
        let database = engine
            .database("create table notes (id integer primary key, body text); insert into notes values (1, 'x');");
        let work = Workspace::new();
        work.import(&database);
        let file = "specs/schema.toml";
        work.edit(file, "[table.notes]", "[table.notes]\nwas = \"memos\"");
        work.nothing_to_do(&database);
        work.edit(file, "[table.notes]\nwas = \"memos\"", "[table.jottings]\nwas = \"memos\"");
        work.edit(file, "[table.notes.columns]", "[table.jottings.columns]");
        let output = work.expect(1, &["plan", "--url", &database.url(), "--specs", "specs"]);
        says(&(output.stdout + &output.stderr), &["memos", "neither"]);
    }
}

#[test]
fn a_value_made_from_itself_is_made_once() {
    for engine in ENGINES {
        let database = engine.database(
            "create table items (id integer primary key, price integer not null); insert into items values (1, 5), (2, 7);",
        );
        let work = Workspace::new();
        work.import(&database);
        let file = work.path().join("specs/schema.toml");
        let mut specs = String::new();
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            specs += if line.starts_with("price") { "price = \"numeric(12,2)\"" } else { line };
            specs.push('\n');
        }
        std::fs::write(&file, specs + "\n[transform.items]\nset.price = \"price * 100\"\n").unwrap();
        work.plan(&database);
        work.sign();
        work.apply(&database);
        assert_eq!(database.query("select sum(price) from items").trim().parse(), Ok(1200.0), "{engine:?}");
        work.nothing_to_do(&database);
    }
}

#[test]
fn a_required_column_without_a_value_is_refused_where_there_are_rows() {
    for engine in ENGINES {
        let database = engine
            .database("create table notes (id integer primary key, body text); insert into notes values (1, 'x');");
        let empty = engine.database("create table notes (id integer primary key, body text);");
        let work = Workspace::new();
        work.import(&database);
        work.edit("specs/schema.toml", "[table.notes.columns]", "[table.notes.columns]\nauthor = \"text\"");
        let said = work.plan(&database).stdout;
        says(&said, &["MIG-H007"]);
        work.sign();
        let before = database.schema();
        let args = work.apply_args(&database);
        let output = work.mig(&args.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(output.code, Some(5), "{engine:?}: {}{}", output.stdout, output.stderr);
        says(&(output.stdout + &output.stderr), &["default", "transform", "author"]);
        assert_eq!(database.schema(), before, "{engine:?}: nothing was written");
        work.apply(&empty);
    }
}

#[test]
fn weird_names_survive() {
    let long = "n".repeat(63);
    for engine in ENGINES {
        for odd in
            ["Upper Case", "quo\"te", "select", "emoji 🦀", "dot.ted", "semi;colon", long.as_str(), "dollar$", "it's"]
        {
            if *engine == Engine::MariaDb && odd.contains('🦀') {
                continue; // It has no room for such characters in names.
            }
            let (quoted, text) = (engine.quote(odd), engine.key_text());
            let database = engine.database(&format!(
                "create table {quoted} (id integer primary key, {quoted} {text} not null, other text);
                 create index on_it on {quoted} ({quoted}); insert into {quoted} values (1, 'kept', null);"
            ));
            let work = Workspace::new();
            work.import(&database);
            work.nothing_to_do(&database);
            work.edit("specs/schema.toml", "other", "another");
            work.plan(&database);
            work.sign();
            work.apply(&database);
            work.nothing_to_do(&database);
            assert!(
                database.query(&format!("select {quoted}, another from {quoted}")).contains("kept"),
                "{engine:?} {odd}"
            );
        }
    }
}

/// A signed plan for a database that has one table with a row.
fn signed(engine: Engine) -> (Workspace, Database) {
    let database =
        engine.database("create table notes (id integer primary key, body text); insert into notes values (1, 'x');");
    let work = Workspace::new();
    work.import(&database);
    work.edit("specs/schema.toml", "[table.notes.columns]", "[table.notes.columns]\nauthor = \"text?\"");
    work.plan(&database);
    work.sign();
    (work, database)
}

/// Applies and demands a refusal that writes nothing.
fn refused(work: &Workspace, database: &Database, code: i32, says_all: &[&str]) {
    let before = database.schema();
    let args = work.apply_args(database);
    let output = work.expect(code, &args.iter().map(String::as_str).collect::<Vec<_>>());
    says(&(output.stdout + &output.stderr), says_all);
    assert_eq!(database.schema(), before);
}

fn only_signature(work: &Workspace) -> std::path::PathBuf {
    let mut all = fs::read_dir(work.path()).unwrap().map(|e| e.unwrap().path());
    all.find(|p| p.extension().is_some_and(|e| e == "sig")).unwrap()
}

#[test]
fn a_plan_that_is_not_whole_or_of_the_future_is_refused() {
    let (work, database) = signed(Engine::Sqlite);
    let plan = work.path().join("plan.json");
    let bytes = fs::read(&plan).unwrap();
    fs::write(&plan, &bytes[..bytes.len() / 2]).unwrap();
    refused(&work, &database, 1, &["not a mig plan"]);
    let future = String::from_utf8(bytes).unwrap().replace("mig-plan/1", "mig-plan/9");
    fs::write(&plan, future).unwrap();
    refused(&work, &database, 1, &["mig-plan/9", "install"]);
}

#[test]
fn one_flipped_byte_anywhere_is_refused() {
    let (work, database) = signed(Engine::Sqlite);
    let plan = work.path().join("plan.json");
    let bytes = fs::read(&plan).unwrap();
    let before = database.schema();
    let step = (bytes.len() / 60).max(1);
    for at in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        fs::write(&plan, &bad).unwrap();
        let args = work.apply_args(&database);
        let output = work.mig(&args.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(matches!(output.code, Some(1 | 3)), "byte {at}: {:?} {}{}", output.code, output.stdout, output.stderr);
    }
    assert_eq!(database.schema(), before);
}

#[test]
fn unsigned_unknown_and_revoked_signers_do_not_count() {
    let (work, database) = signed(Engine::Sqlite);
    let signature = only_signature(&work);
    let kept = fs::read(&signature).unwrap();
    fs::remove_file(&signature).unwrap();
    refused(&work, &database, 3, &["sign"]);
    let stranger = Key::new("mallory@example.com");
    work.expect(0, &["sign", "plan.json", "--key", &stranger.path().display().to_string()]);
    refused(&work, &database, 3, &["signer"]);
    fs::remove_file(only_signature(&work)).unwrap();
    fs::write(&signature, kept).unwrap();
    let revoked = work.path().join("revoked");
    fs::write(&revoked, work.key.public()).unwrap();
    let mut args = work.apply_args(&database);
    args.extend(["--revoked".to_owned(), revoked.display().to_string()]);
    let output = work.expect(3, &args.iter().map(String::as_str).collect::<Vec<_>>());
    says(&(output.stdout + &output.stderr), &["revoked"]);
}

#[test]
fn the_same_signer_twice_is_one_and_two_are_two() {
    let (work, database) = signed(Engine::Sqlite);
    work.write("mig.toml", "[policy]\nsigners = 2\n");
    let second = Key::new("alice@laptop");
    let third = Key::new("bob@example.com");
    let list = work.path().join("two");
    keys::allowed_signers(
        &list,
        &[("alice@example.com", &work.key), ("alice@example.com", &second), ("bob@example.com", &third)],
    );
    work.expect(0, &["sign", "plan.json", "--key", &second.path().display().to_string()]);
    let list = list.display().to_string();
    let url = database.url();
    let args = ["apply", "plan.json", "--url", &url, "--allowed-signers", &list, "--yes"];
    says(&work.expect(3, &args).stderr, &["2"]);
    work.expect(0, &["sign", "plan.json", "--key", &third.path().display().to_string()]);
    work.expect(0, &args);
}

#[test]
fn a_plan_for_another_database_is_drift() {
    for engine in ENGINES {
        let (work, _) = signed(*engine);
        let other = engine.database("create table notes (id integer primary key, title text);");
        refused(&work, &other, 4, &["notes", "title"]);
    }
}

#[test]
fn a_plan_for_another_engine_is_refused() {
    let (work, _) = signed(Engine::Sqlite);
    let other = Engine::Postgres.database("create table notes (id integer primary key, body text);");
    let args = work.apply_args(&other);
    let output = work.mig(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(matches!(output.code, Some(1 | 4)), "{:?} {}", output.code, output.stderr);
    says(&output.stderr, &["sqlite"]);
}

#[test]
fn a_database_that_is_not_there() {
    let (work, _) = signed(Engine::Sqlite);
    let missing = format!("sqlite://{}/missing.db", work.path().display());
    for command in [["pull", "--url", &missing, "--out", "x.json"], ["import", "--url", &missing, "--specs", "other"]] {
        says(&work.expect(1, &command).stderr, &["missing.db"]);
    }
    assert!(!work.path().join("missing.db").exists());
    let output = work.expect(1, &["pull", "--url", "postgres://nobody@127.0.0.1:1/none", "--out", "x.json"]);
    says(&output.stderr, &["127.0.0.1"]);
}

#[test]
fn a_read_only_database_is_refused_before_the_first_write() {
    let (work, database) = signed(Engine::Postgres);
    database.query("do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$");
    refused(&work, &database, 1, &["read-only"]);
}

#[test]
fn a_full_disk_loses_nothing() {
    let rows = "insert into notes select value, hex(randomblob(400)) from generate_series(1, 2000);";
    let Database::Sqlite(file) =
        Engine::Sqlite.database(&format!("create table notes (id integer primary key, body text); {rows}"))
    else {
        unreachable!("it is SQLite")
    };
    let database = Database::Sqlite(file);
    let work = Workspace::new();
    work.import(&database);
    let spec = fs::read_to_string(work.path().join("specs/schema.toml")).unwrap();
    let body = spec.lines().find(|l| l.starts_with("body")).unwrap();
    work.edit("specs/schema.toml", body, "body = { type = \"text\", default = \"'none'\" }");
    work.plan(&database);
    work.sign();
    let (schema, sum) = (database.schema(), database.query("select count(*), sum(length(body)) from notes"));
    let mut args = work.apply_args(&database);
    let url = args.iter_mut().find(|a| a.starts_with("sqlite:")).unwrap();
    let pages: u32 = database.query("pragma page_count").trim().parse().unwrap();
    url.push_str(&format!("?max_page_count={}", pages + 40));
    let output = work.mig(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(output.code, Some(5), "{}{}", output.stdout, output.stderr);
    says(&output.stderr, &["full"]);
    assert_eq!(database.schema(), schema);
    assert_eq!(database.query("select count(*), sum(length(body)) from notes"), sum);
    work.apply(&database);
    work.nothing_to_do(&database);
}

#[test]
fn a_read_only_file_is_refused_before_the_first_write() {
    let (work, database) = signed(Engine::Sqlite);
    let before = database.schema();
    let mut args = work.apply_args(&database);
    let url = args.iter_mut().find(|a| a.starts_with("sqlite:")).unwrap();
    url.push_str("?mode=ro");
    let output = work.expect(1, &args.iter().map(String::as_str).collect::<Vec<_>>());
    says(&output.stderr, &["cannot be written", "next:"]);
    assert_eq!(database.schema(), before);
}

/// Tickets whose new column is set by a transform.
fn set(engine: Engine, column: &str, transform: &str) -> (Workspace, Database) {
    let database = engine.database(
        "create table tickets (id integer not null primary key, points integer not null);
         insert into tickets values (1, 10), (2, 20), (3, 30);",
    );
    let work = Workspace::new();
    work.import(&database);
    work.edit("specs/schema.toml", "[table.tickets.columns]", &format!("[table.tickets.columns]\n{column}"));
    work.write("specs/transform.toml", &format!("[transform.tickets]\n{transform}\n"));
    (work, database)
}

#[test]
fn a_value_that_its_type_cannot_hold_is_found_before_the_first_write() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        for (column, transform) in [
            ("small = \"smallint\"", "set.small = \"points * 1500\""),
            ("short = \"varchar(3)\"", "set.short = \"concat('no ', points)\""),
        ] {
            let (work, database) = set(engine, column, transform);
            let shape = database.schema();
            work.plan(&database);
            work.sign();
            let args = work.apply_args(&database);
            let output = work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>());
            let said = output.stdout + &output.stderr;
            assert!(said.contains("fits into") && said.contains("wider type"), "{engine:?}: {said}");
            assert_eq!(database.schema(), shape, "{engine:?}");
        }
    }
}

#[test]
fn a_column_is_set_once() {
    let namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    let twice = [
        "set.code = \"'a'\"\nset.code = \"'b'\"".to_owned(),
        format!("set.code = \"'a'\"\nuuid3.code = {{ namespace = \"{namespace}\", name = \"'b'\" }}"),
    ];
    for transform in twice {
        let (work, database) = set(Engine::Postgres, "code = \"text\"", &transform);
        let output = work.expect(1, &["plan", "--url", &database.url(), "--specs", "specs", "--out", "plan.json"]);
        let said = output.stdout + &output.stderr;
        assert!(said.contains("MIG-E") && said.contains("code"), "{said}");
    }
}

#[test]
fn a_spec_that_is_no_text_is_named() {
    let work = Workspace::new();
    work.write("specs/a.toml", TABLE);
    fs::write(work.path().join("specs/b.toml"), b"[table.\xff\xfe]\n").unwrap();
    let output = work.expect(1, &["validate", "--specs", "specs", "--engine", "sqlite"]);
    says(&(output.stdout + &output.stderr), &["b.toml", "UTF-8"]);
}

/// SQLite keeps whatever bytes it is given as text.
#[test]
fn a_text_that_is_no_utf_8_is_saved_byte_by_byte() {
    let database = Engine::Sqlite.database(
        "create table notes (id integer primary key, body text not null, line text);
         insert into notes values (1, cast(x'61ff62' as text), cast(x'610062' as text)), (2, 'ünï', 'it''s'), (3, '', null);",
    );
    let rows = |table: &str| {
        database.query(&format!("select id, typeof(body), hex(body), hex(line) from {table} order by id;"))
    };
    let before = rows("notes");
    let work = Workspace::new();
    work.import(&database);
    work.edit("specs/schema.toml", "[table.notes.columns]", "[table.notes.columns]\nloud = \"text?\"");
    work.write("specs/t.toml", "backup = [\"table notes\"]\n\n[transform.notes]\nset.loud = \"upper(body)\"\n");
    work.plan(&database);
    work.sign();
    let mut args = work.apply_args(&database);
    args.retain(|arg| arg != "--no-artifacts");
    work.expect(0, &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(database.query("select hex(loud) from notes where id = 1;").trim(), "41FF42");
    let run = fs::read_dir(work.path().join("artifacts/runs")).unwrap().next().unwrap().unwrap().path();
    let file = fs::read_dir(run.join("00-backup")).unwrap().next().unwrap().unwrap().path();
    work.expect(0, &["restore", &file.display().to_string(), "--url", &database.url(), "--yes", "--as", "again"]);
    assert_eq!(rows("again"), before);
}

/// The database says what is wrong before anything is written, also of a column that may be NULL.
#[test]
fn a_transform_that_the_database_does_not_understand_is_found_before_the_first_write() {
    for engine in ENGINES {
        let column = format!("extra = \"{}?\"", engine.key_text());
        for (transform, word) in [
            ("set.extra = \"concat('no ', point)\"", "point"),
            ("set.extra = \"(select x.nowhere from tickets x where x.id = tickets.id)\"", "nowhere"),
            ("set.extra = \"(select max(id) from elsewhere)\"", "elsewhere"),
            ("set.extra = \"loudly(points)\"", "loudly"),
            ("set.extra = \"abs(points\"", "extra"),
            ("set.extra = \"abs(points)\"\nwhere = \"point = 3\"", "point"),
        ] {
            let (work, database) = set(*engine, &column, transform);
            let shape = database.schema();
            work.plan(&database);
            work.sign();
            let args = work.apply_args(&database);
            let said = work.expect(5, &args.iter().map(String::as_str).collect::<Vec<_>>()).stderr;
            says(&said, &["before anything was written", "could not be asked", "nothing was changed"]);
            assert!(word == "extra" || said.contains(word), "{engine:?}: {said}");
            assert_eq!(database.schema(), shape, "{engine:?}: {transform}");
        }
    }
}

#[test]
fn a_table_without_a_key_gets_its_values_once() {
    for engine in ENGINES {
        let text = engine.key_text();
        let database = engine.database(&format!(
            "create table log (line {text}, n integer); insert into log values ('a', 1), ('a', 1), (null, 2), ('b', null);"
        ));
        let work = Workspace::new();
        work.import(&database);
        work.edit("specs/schema.toml", "[table.log.columns]", "[table.log.columns]\ntwice = \"integer?\"");
        work.write("specs/transform.toml", "[transform.log]\nset.twice = \"n * 2\"\n");
        if *engine == Engine::MariaDb {
            let args = ["plan", "--url", &database.url(), "--specs", "specs", "--out", "plan.json"];
            says(&work.expect(1, &args).stderr, &["MIG-E017", "cannot be told apart", "primary key"]);
            continue;
        }
        work.plan(&database);
        work.sign();
        work.apply(&database);
        let found = database.query("select count(*), count(twice), sum(twice) from log;");
        assert_eq!(found.trim().replace(['|', '\t'], " "), "4 3 8", "{engine:?}");
    }
}

#[test]
fn a_large_value_goes_through() {
    for engine in ENGINES {
        let (text, many) = (engine.pick("text", "text", "longtext"), 8_000_000);
        let repeat =
            engine.pick("replace(hex(zeroblob(4000000)), '0', 'x')", "repeat('x', 8000000)", "repeat('x', 8000000)");
        let database = engine.database(&format!(
            "create table notes (id integer not null primary key, body {text}); insert into notes values (1, {repeat}), (2, 'short');"
        ));
        let work = Workspace::new();
        work.import(&database);
        work.edit("specs/schema.toml", "[table.notes.columns]", &format!("[table.notes.columns]\nloud = \"{text}?\""));
        work.write(
            "specs/transform.toml",
            "backup = [\"table notes\"]\n\n[transform.notes]\nset.loud = \"upper(body)\"\n",
        );
        work.plan(&database);
        work.sign();
        work.apply(&database);
        let found = database.query("select max(length(loud)), min(length(loud)) from notes;");
        assert_eq!(found.trim().replace(['|', '\t'], " "), format!("{many} 5"), "{engine:?}");
    }
}
