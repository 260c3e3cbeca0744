//! Plans to be shown: one of three steps, and one of two thousand.

use std::{fmt::Write as _, fs, path::PathBuf};

use mig_test_support::{
    program::{Output, Program},
    sqlite,
};
use serde_json::Value;
use tempfile::TempDir;

/// A plan file with the specs and the snapshot that it was made from.
pub(crate) struct Made {
    folder: TempDir,
}

impl Made {
    /// Three steps: a column and its index, and a table that goes.
    pub(crate) fn small() -> Self {
        let was = "create table customers (id integer primary key, mail text); create table coupons (id integer primary key);";
        let specs = "[table.customers]\nprimary_key = [\"id\"]\n\n[table.customers.columns]\nid = \"integer?\"\nmail = \"text?\"\n\
                     nick = \"text?\"\n\n[[table.customers.indexes]]\ncolumns = [\"nick\"]\n";
        Self::of(was, specs)
    }

    /// Two thousand steps of every class.
    pub(crate) fn large() -> Self {
        let (mut was, mut specs) = (String::new(), String::new());
        for n in 0..250 {
            writeln!(
                was,
                "create table item_{n} (id integer primary key, title text, price text, old_{n} text);\n\
                 create table gone_{n} (id integer primary key);"
            )
            .unwrap();
            writeln!(
                specs,
                "[table.item_{n}]\nprimary_key = [\"id\"]\n[table.item_{n}.columns]\nid = \"integer?\"\ntitle = \"text?\"\n\
                 price = \"text?\"\nextra_a = \"text?\"\nextra_b = \"integer?\"\n\
                 [[table.item_{n}.indexes]]\nname = \"item_{n}_title\"\ncolumns = [\"title\"]\n\
                 [[table.item_{n}.indexes]]\nname = \"item_{n}_price\"\ncolumns = [\"price\"]\n\
                 [view.v_{n}]\nquery = \"select id from item_{n}\"\n\
                 [table.new_{n}]\nprimary_key = [\"id\"]\n[table.new_{n}.columns]\nid = \"integer?\"\n"
            )
            .unwrap();
        }
        Self::of(&was, &specs)
    }

    fn of(was: &str, specs: &str) -> Self {
        let database = sqlite::database(was);
        let made = Self { folder: tempfile::tempdir().unwrap() };
        made.write("specs/all.toml", specs);
        made.write("mig.toml", "engine = \"sqlite\"\nspecs = \"specs\"\n");
        let pulled = made.run(&["pull", "--url", &database.url(), "--out", "snapshot.json"]);
        assert_eq!(pulled.code, Some(0), "{}", pulled.stderr);
        let output = made.run(&["plan", "--url", &database.url(), "--out", "plan.json", "--format", "json"]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        made
    }

    /// Writes a file beside the plan.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The path of a file beside the plan.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the command beside the plan.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        Program::new(env!("CARGO_BIN_EXE_mig"), self.folder.path()).run(args)
    }

    /// The plan as printed in a form.
    pub(crate) fn shown(&self, format: &str) -> String {
        let output = self.run(&["show", "plan.json", "--specs", "specs", "--format", format]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output.stdout
    }

    /// The plan file.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("plan.json")).unwrap()).unwrap()
    }
}
