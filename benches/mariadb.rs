//! What clients notice while MariaDB changes a table under them: `mig apply` beside the plain ALTER of a person, in one run.
//!
//! `cargo bench --bench mariadb` (or `-- 1000000` for another number of rows). Clients read, update and insert at a fixed pace; a latency counts
//! from the moment at which the operation was due, so a client that had to wait is not forgotten.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark fails by panicking and speaks by printing")]

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use mig_test_support::{
    keys::Key,
    mariadb::{self, Database},
};
use sqlx::{AssertSqlSafe, Connection as _, mysql::MySqlConnection};

const CLIENTS: u64 = 4;
const PACE: Duration = Duration::from_millis(5);
/// Clients go on for so long before and after the change.
const MARGIN: Duration = Duration::from_millis(1500);

/// A change: its name, the line of the spec and what it becomes, and the statement that a person would write.
struct Change {
    name: &'static str,
    spec: (&'static str, &'static str),
    plain: &'static str,
}

const CHANGES: &[Change] = &[
    Change {
        name: "a column with a default",
        spec: ("note = ", "added = { type = \"int\", default = \"7\" }\nnote = "),
        plain: "alter table t add column added int not null default 7",
    },
    Change {
        name: "an index",
        spec: ("[table.t.columns]", "indexes = [{ name = \"note\", columns = [\"note\"] }]\n\n[table.t.columns]"),
        plain: "alter table t add index note (note)",
    },
    Change {
        name: "a longer varchar",
        spec: ("varchar(20)", "varchar(60)"),
        plain: "alter table t modify note varchar(60)",
    },
    Change {
        name: "NOT NULL",
        spec: ("state = \"int(11)?\"", "state = \"int(11)\""),
        plain: "alter table t modify state int not null",
    },
    Change {
        name: "a wider integer",
        spec: ("\nn = \"int(11)\"", "\nn = \"bigint\""),
        plain: "alter table t modify n bigint not null",
    },
];

/// What the clients saw.
struct Seen {
    took: Duration,
    latencies: Vec<Duration>,
    errors: u64,
}

fn main() {
    let rows: u64 = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("{rows} rows, {CLIENTS} clients, one operation each every {PACE:?}");
    println!(
        "change                   arm          seconds     ops  errors     p50 ms     p99 ms     max ms  p99 / idle"
    );
    for change in CHANGES {
        let mut idle = 0.0;
        for arm in ["idle", "plain ALTER", "mig"] {
            let database = mariadb::server().database(&schema(rows));
            let seen = runtime.block_on(watched(&database, rows, || match arm {
                "idle" => std::thread::sleep(Duration::from_secs(2)),
                "mig" => apply(&database, change),
                _ => drop(database.sql(change.plain)),
            }));
            let p99 = at(&seen.latencies, 0.99);
            if arm == "idle" {
                idle = p99;
            }
            println!(
                "{:<24} {arm:<11} {:>8.2} {:>7} {:>7} {:>10.1} {p99:>10.1} {:>10.1} {:>11.1}",
                change.name,
                seen.took.as_secs_f64(),
                seen.latencies.len(),
                seen.errors,
                at(&seen.latencies, 0.5),
                at(&seen.latencies, 1.0),
                p99 / idle
            );
            assert!(arm != "mig" || seen.errors == 0, "clients failed while mig was at work");
        }
    }
}

fn schema(rows: u64) -> String {
    format!(
        "create table t (id int not null auto_increment primary key, n int not null, state int, note varchar(20));
         insert into t select seq, seq % 1000, seq % 5, concat('note ', seq % 977) from seq_1_to_{rows};"
    )
}

/// Milliseconds below which a part of the latencies lies.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
fn at(sorted: &[Duration], part: f64) -> f64 {
    let place = ((sorted.len().saturating_sub(1)) as f64 * part).round() as usize;
    sorted.get(place).map_or(0.0, |d| d.as_secs_f64() * 1000.0)
}

/// Runs a change while clients are at work.
async fn watched(database: &Database, rows: u64, change: impl FnOnce()) -> Seen {
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> =
        (0..CLIENTS).map(|n| tokio::spawn(client(database.url(), n, rows, Arc::clone(&over)))).collect();
    tokio::time::sleep(MARGIN).await;
    let begun = Instant::now();
    tokio::task::block_in_place(change);
    let took = begun.elapsed();
    tokio::time::sleep(MARGIN).await;
    over.store(true, Ordering::Relaxed);
    let mut seen = Seen { took, latencies: Vec::new(), errors: 0 };
    for client in clients {
        let (latencies, errors) = client.await.unwrap();
        seen.latencies.extend(latencies);
        seen.errors += errors;
    }
    seen.latencies.sort();
    seen
}

/// One client: half of it reads, the rest updates and inserts.
async fn client(url: String, number: u64, rows: u64, over: Arc<AtomicBool>) -> (Vec<Duration>, u64) {
    let mut connection = MySqlConnection::connect(&url).await.unwrap();
    let (mut latencies, mut errors) = (Vec::new(), 0);
    let mut due = Instant::now();
    let mut seed = number + 1;
    while !over.load(Ordering::Relaxed) {
        due += PACE;
        tokio::time::sleep_until(due.into()).await;
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let id = (seed >> 33) % rows + 1;
        let sql = match seed >> 40 & 3 {
            0 => format!("update t set n = n + 1 where id = {id}"),
            1 => format!("insert into t (n, state, note) values ({}, 1, 'new')", id % 1000),
            _ => format!("select note from t where id = {id}"),
        };
        if sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.is_err() {
            errors += 1;
        }
        latencies.push(due.elapsed());
    }
    (latencies, errors)
}

/// Import, edit, plan, sign, apply.
fn apply(database: &Database, change: &Change) {
    let dir = std::env::temp_dir().join(format!("mig-bench-mariadb-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let key = Key::new("bench@example.com");
    let signers = key.allowed_signers(&["bench@example.com"]).display().to_string();
    let (url, key) = (database.url(), key.path().display().to_string());
    mig(&dir, &["import", "--url", &url, "--specs", "specs"]);
    let file = dir.join("specs/schema.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let tidy = text.lines().map(|l| l.split_once(" = ").map_or(l.to_owned(), |(a, b)| format!("{} = {b}", a.trim())));
    let tidy = tidy.collect::<Vec<_>>().join("\n");
    assert!(tidy.contains(change.spec.0), "`{}` is not in:\n{tidy}", change.spec.0);
    std::fs::write(&file, tidy.replacen(change.spec.0, change.spec.1, 1)).unwrap();
    mig(&dir, &["plan", "--url", &url, "--specs", "specs", "--out", "plan.json"]);
    mig(&dir, &["sign", "plan.json", "--key", &key]);
    mig(&dir, &["apply", "plan.json", "--url", &url, "--allowed-signers", &signers, "--yes"]);
    std::fs::remove_dir_all(&dir).unwrap();
}

fn mig(dir: &Path, args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_mig")).args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "mig {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
