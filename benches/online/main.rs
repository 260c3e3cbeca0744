//! How clients fare while a table is changed under them: by mig, and by the plain statement, against no change at all; in the same run, in
//! interleaved pairs (mig, plain, plain, mig).
//!
//! `cargo bench --bench online` (or `-- 5000000` for another number of rows; `-- 5000000 index` for the changes whose name has that).
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark fails by panicking and speaks by printing")]

mod load;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use mig_test_support::{
    keys::Key,
    postgres::{Database, Server},
};

use crate::load::{Load, Met, RATE};

/// How long the clients are watched without any change.
const QUIET: Duration = Duration::from_secs(4);

/// A change: what the specs then say, and what people write by hand.
struct Change {
    name: &'static str,
    /// A text of the imported specs, and what it becomes.
    edit: (&'static str, &'static str),
    /// What is added at the end of the specs.
    more: &'static str,
    plain: &'static str,
}

const CHANGES: &[Change] = &[
    Change {
        name: "add column with default",
        edit: ("[table.items.columns]", "[table.items.columns]\nflag = { type = \"boolean?\", default = \"true\" }"),
        more: "",
        plain: "alter table items add column flag boolean default true",
    },
    Change {
        name: "add required column, filled",
        edit: ("[table.items.columns]", "[table.items.columns]\nlabel = \"text\""),
        more: "\n[transform.items]\nset.label = \"upper(note)\"\n",
        plain: "begin; alter table items add column label text; update items set label = upper(note); \
            alter table items alter column label set not null; commit",
    },
    Change {
        name: "add check",
        edit: ("", ""),
        more: "\n[[table.items.checks]]\nname = \"not_negative\"\nexpr = \"amount >= 0\"\n",
        plain: "alter table items add constraint not_negative check (amount >= 0)",
    },
    Change {
        name: "add foreign key",
        edit: ("", ""),
        more: "\n[[table.items.foreign_keys]]\ncolumns = [\"owner\"]\nreferences = \"owners\"\n",
        plain: "alter table items add foreign key (owner) references owners",
    },
    Change {
        name: "create index",
        edit: ("", ""),
        more: "\n[[table.items.indexes]]\nname = \"items_owner\"\ncolumns = [\"owner\"]\n",
        plain: "create index items_owner on items (owner)",
    },
    Change {
        name: "set not null",
        edit: ("note   = \"text?\"", "note   = \"text\""),
        more: "",
        plain: "alter table items alter column note set not null",
    },
    Change {
        name: "drop column",
        edit: ("spare  = \"text?\"\n", ""),
        more: "",
        plain: "alter table items drop column spare",
    },
    Change {
        name: "integer to bigint",
        edit: ("amount = \"integer\"", "amount = \"bigint\""),
        more: "",
        plain: "alter table items alter column amount type bigint",
    },
];

/// A signer and a folder with specs of the table as it is.
struct Project {
    dir: PathBuf,
    key: Key,
    signers: PathBuf,
    specs: String,
}

impl Project {
    fn new(database: &Database) -> Self {
        let dir = env::temp_dir().join(format!("mig-online-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let key = Key::new("alice@example.com");
        let signers = key.allowed_signers(&["alice@example.com"]);
        mig(&dir, &["import", "--url", &database.url(), "--specs", "specs"]);
        let specs = fs::read_to_string(dir.join("specs/schema.toml")).unwrap();
        Self { dir, key, signers, specs }
    }

    fn plan(&self, change: &Change, database: &Database) {
        let (from, to) = change.edit;
        assert!(self.specs.contains(from), "{from} is not in\n{}", self.specs);
        fs::write(self.dir.join("specs/schema.toml"), self.specs.replacen(from, to, 1) + change.more).unwrap();
        for file in fs::read_dir(&self.dir).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|ending| ending == "sig") {
                fs::remove_file(file).unwrap();
            }
        }
        mig(&self.dir, &["plan", "--url", &database.url(), "--specs", "specs", "--out", "plan.json"]);
        mig(&self.dir, &["sign", "plan.json", "--key", &self.key.path().display().to_string()]);
    }

    fn run(&self, command: &[&str], url: &str) {
        let signers = self.signers.display().to_string();
        let with = ["--url", url, "--allowed-signers", &signers, "--yes"];
        mig(&self.dir, &[command, &with].concat());
    }
}

fn mig(dir: &Path, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mig"));
    let done = command.args(args).current_dir(dir).stdin(Stdio::null()).output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Runs a change by hand or by mig while clients work; gives how they fared before and meanwhile, and how long it took.
async fn measured(url: &str, rows: u64, change: impl FnOnce() + Send + 'static) -> (Met, Met, Duration) {
    let load = Load::start(url, rows).await;
    tokio::time::sleep(QUIET).await;
    let before = load.end().await;
    let load = Load::start(url, rows).await;
    let begun = Instant::now();
    tokio::task::spawn_blocking(change).await.unwrap();
    let took = begun.elapsed();
    // Short changes need company, or their share of the operations is all there is.
    tokio::time::sleep(QUIET.saturating_sub(took)).await;
    (before, load.end().await, took)
}

fn line(what: &str, (before, during, took): &(Met, Met, Duration)) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let ratio = |share| during.per_mille(share).as_secs_f64() / before.per_mille(share).as_secs_f64();
    println!(
        "  {what:<6} {:>9.0} ms; errors {}; p50 x{:.2}, p99 x{:.2} ({:.1} ms), longest {:.0} ms (before {:.0} ms){}",
        ms(*took),
        during.errors,
        ratio(500),
        ratio(990),
        ms(during.per_mille(990)),
        ms(during.per_mille(1_000)),
        ms(before.per_mille(1_000)),
        during.first_error.as_ref().map(|says| format!("; {says}")).unwrap_or_default()
    );
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let rows: u64 = words.iter().find_map(|word| word.parse().ok()).unwrap_or(200_000);
    let wanted = words.iter().find(|word| word.parse::<u64>().is_err());
    let server: &'static Server = Box::leak(Box::new(Server::start_own()));
    let make = move || server.database(&schema(rows));
    let project: &'static Project = Box::leak(Box::new(Project::new(&make())));
    println!("{rows} rows, {RATE} operations a second, open loop; ratios to the same clients without a change");
    for change in CHANGES.iter().filter(|change| wanted.is_none_or(|word| change.name.contains(word.as_str()))) {
        println!("{}", change.name);
        for by_mig in [true, false, false, true] {
            let database = Arc::new(make());
            project.plan(change, &database);
            let (url, handle) = (database.url(), Arc::clone(&database));
            let seen = measured(&url, rows, move || match by_mig {
                true => project.run(&["apply", "plan.json"], &handle.url()),
                false => drop(handle.psql(change.plain)),
            });
            let seen = seen.await;
            line(if by_mig { "mig" } else { "plain" }, &seen);
            if by_mig {
                let begun = Instant::now();
                project.run(&["rollback", "--plan", "plan.json"], &url);
                println!("         taken back in {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    fs::remove_dir_all(&project.dir).unwrap();
}

fn schema(rows: u64) -> String {
    format!(
        "create table owners (id integer primary key); insert into owners select generate_series(0, 999);
         create table items (id bigint primary key, owner integer not null, amount integer not null, state text, note text, spare text);
         insert into items select n, n % 1000, 0, 'new', 'note ' || n, 'spare' from generate_series(1, {rows}) n;
         analyze; checkpoint;"
    )
}
