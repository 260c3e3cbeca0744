//! What the end-to-end tests share: a database of either engine, a workspace with a signer, and `mig` run on both.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mig_test_support::{
    keys::Key,
    mariadb, postgres,
    program::{Output, Program},
    sqlite,
};

/// The engines that every scenario runs on: the one list of the tests.
pub(crate) const ENGINES: &[Engine] = &[Engine::Sqlite, Engine::Postgres, Engine::MariaDb];

/// The engines whose DDL is part of a transaction.
pub(crate) const TRANSACTIONAL: &[Engine] = &[Engine::Sqlite, Engine::Postgres];

/// An engine under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Engine {
    /// A fresh database made by the engine's own client from a script.
    pub(crate) fn database(self, sql: &str) -> Database {
        match self {
            Self::Sqlite => Database::Sqlite(sqlite::database(sql)),
            Self::Postgres => Database::Postgres(postgres::server().database(sql)),
            Self::MariaDb => Database::MariaDb(mariadb::server().database(sql)),
        }
    }

    /// The major version of the server under test, where tests run on several.
    pub(crate) fn version(self) -> u32 {
        match self {
            Self::Postgres => postgres::server().version(),
            Self::Sqlite | Self::MariaDb => u32::MAX,
        }
    }

    /// Picks the text for the engine.
    pub(crate) fn pick<'a>(self, sqlite: &'a str, postgres: &'a str, mariadb: &'a str) -> &'a str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
            Self::MariaDb => mariadb,
        }
    }

    /// A text type that can be a key.
    pub(crate) fn key_text(self) -> &'static str {
        self.pick("text", "text", "varchar(200)")
    }

    /// A name as SQL quotes it.
    pub(crate) fn quote(self, name: &str) -> String {
        match self {
            Self::MariaDb => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }
}

/// A database under test, gone when dropped.
pub(crate) enum Database {
    Sqlite(sqlite::SqliteFile),
    Postgres(postgres::Database),
    MariaDb(mariadb::Database),
}

impl Database {
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(db) => db.url(),
            Self::Postgres(db) => db.url(),
            Self::MariaDb(db) => db.url(),
        }
    }

    /// Asks through the engine's own client.
    pub(crate) fn query(&self, sql: &str) -> String {
        match self {
            Self::Sqlite(db) => db.query(sql),
            Self::Postgres(db) => db.psql(sql),
            Self::MariaDb(db) => db.sql(sql),
        }
    }

    /// The schema as the engine itself tells it, without what mig keeps for itself.
    pub(crate) fn schema(&self) -> String {
        match self {
            Self::Sqlite(db) => db.query(SQLITE_SHAPE),
            Self::Postgres(db) => without_migs_own(&db.dump()),
            Self::MariaDb(db) => without_counters(&db.dump()),
        }
    }
}

/// What SQLite itself says of every table, index, foreign key, view and trigger, however its DDL is spelt.
const SQLITE_SHAPE: &str = "
    select 'column', m.name, x.name, upper(x.type), x.\"notnull\", x.dflt_value, x.pk, x.hidden
      from sqlite_schema m, pragma_table_xinfo(m.name) x where m.type in ('table', 'view') and m.name not like '\\_mig\\_%' escape '\\'
    union all select 'foreign key', m.name, f.\"from\", f.\"table\", f.\"to\", f.on_update, f.on_delete, ''
      from sqlite_schema m, pragma_foreign_key_list(m.name) f where m.name not like '\\_mig\\_%' escape '\\'
    union all select 'index', m.name, case i.origin when 'c' then i.name else i.origin end, i.\"unique\", i.partial, x.name, x.seqno, x.desc
      from sqlite_schema m, pragma_index_list(m.name) i, pragma_index_xinfo(i.name) x where x.key and m.name not like '\\_mig\\_%' escape '\\'
    union all select type, name, sql, '', '', '', '', '' from sqlite_schema where type in ('view', 'trigger')
    order by 1, 2, 3, 4, 5, 6, 7;";

/// Leaves out the next ids that tables give out.
fn without_counters(dump: &str) -> String {
    let words: Vec<&str> = dump.split(' ').filter(|word| !word.starts_with("AUTO_INCREMENT=")).collect();
    words.join(" ")
}

/// Leaves out the statements of a dump that are about the schemas `mig` and `mig_trash`.
fn without_migs_own(dump: &str) -> String {
    let own = |statement: &str| {
        statement.contains("SCHEMA mig")
            || statement.contains(" mig.")
            || statement.contains(" mig_trash.")
            || statement.contains("ON mig")
    };
    dump.split("\n\n").filter(|statement| !own(statement)).collect::<Vec<_>>().join("\n\n")
}

/// A directory with specs, a signer and the program.
pub(crate) struct Workspace {
    dir: tempfile::TempDir,
    pub(crate) key: Key,
    pub(crate) signers: PathBuf,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let key = Key::new("alice@example.com");
        let signers = key.allowed_signers(&["alice@example.com"]);
        Self { dir: tempfile::tempdir().unwrap(), key, signers }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn program(&self) -> Program {
        Program::new(env!("CARGO_BIN_EXE_mig"), self.path())
    }

    pub(crate) fn mig(&self, args: &[&str]) -> Output {
        self.program().run(args)
    }

    /// Runs `mig` and demands an exit code; shows what it said otherwise.
    pub(crate) fn expect(&self, code: i32, args: &[&str]) -> Output {
        let output = self.mig(args);
        assert_eq!(
            output.code,
            Some(code),
            "mig {args:?}\n--- stdout\n{}\n--- stderr\n{}",
            output.stdout,
            output.stderr
        );
        output
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces a text in a spec file; the text must be there.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.path().join(path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "`{from}` is not in {}:\n{text}", path.display());
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    pub(crate) fn import(&self, database: &Database) {
        self.expect(0, &["import", "--url", &database.url(), "--specs", "specs"]);
    }

    /// Compiles into `plan.json` and demands that there is something to do.
    pub(crate) fn plan(&self, database: &Database) -> Output {
        let args = ["plan", "--url", &database.url(), "--specs", "specs", "--out", "plan.json", "--detailed-exitcode"];
        self.expect(2, &args)
    }

    /// Demands that the specs give no plan, and that what is said has a text in it.
    pub(crate) fn refused(&self, database: &Database, word: &str) {
        let args = ["plan", "--url", &database.url(), "--specs", "specs", "--out", "plan.json"];
        let said = self.expect(1, &args).stderr;
        assert!(said.contains(word), "no `{word}` in\n{said}");
    }

    /// Demands that there is nothing left to do.
    pub(crate) fn nothing_to_do(&self, database: &Database) {
        let args = ["plan", "--url", &database.url(), "--specs", "specs", "--out", "again.json", "--detailed-exitcode"];
        self.expect(0, &args);
    }

    pub(crate) fn sign(&self) {
        self.expect(0, &["sign", "plan.json", "--key", &self.key.path().display().to_string()]);
    }

    /// The arguments of an apply.
    pub(crate) fn apply_args(&self, database: &Database) -> Vec<String> {
        let signers = self.signers.display().to_string();
        ["apply", "plan.json", "--url", &database.url(), "--allowed-signers", &signers, "--yes"]
            .map(str::to_owned)
            .to_vec()
    }

    pub(crate) fn apply(&self, database: &Database) -> Output {
        let args = self.apply_args(database);
        self.expect(0, &args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub(crate) fn rollback(&self, database: &Database) -> Output {
        let signers = self.signers.display().to_string();
        self.expect(
            0,
            &["rollback", "--plan", "plan.json", "--url", &database.url(), "--allowed-signers", &signers, "--yes"],
        )
    }
}

/// The cells of an answer, whatever stands between them.
pub(crate) fn cells(answer: &str) -> Vec<String> {
    answer.split(['|', '\t', '\n']).map(|cell| if cell == "NULL" { "" } else { cell }.to_owned()).collect()
}
