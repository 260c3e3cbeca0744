//! How clients fare while a table is changed under them: by mig, and by the plain statement, against no change at all; in the same run, in
//! interleaved pairs (mig, plain, plain, mig).
//!
//! `cargo bench --bench online` (or `-- 5000000` for another number of rows; `-- 5000000 index check` for the changes whose name has one of
//! these words; `backfill`, `rollback` and `detection` for what no client is needed for).
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark fails by panicking and speaks by printing")]

mod alone;
mod change;
mod detection;
mod load;
mod project;

use std::{
    env, fs,
    sync::Arc,
    time::{Duration, Instant},
};

use mig_test_support::postgres::Server;

use crate::{
    change::CHANGES,
    load::{Load, Met, RATE, STALL},
    project::Project,
};

/// How long the clients are watched without any change.
const QUIET: Duration = Duration::from_secs(4);

/// How clients fared during one run of a change, in the worst of its phases, against the same clients before it.
#[derive(Clone, Copy, Default)]
struct Fared {
    p50: f64,
    p99: f64,
    longest: f64,
    stalls: usize,
    errors: u64,
}

impl Fared {
    fn of((before, during, _): &(Met, Met, Duration)) -> Self {
        let ratio = |share| during.per_mille(share).as_secs_f64() / before.per_mille(share).as_secs_f64();
        let (stalls, errors) = (during.stalls(), during.errors);
        Self { p50: ratio(500), p99: ratio(990), longest: ratio(1_000), stalls, errors }
    }

    /// Of two, the worse in each respect; what is counted is counted together.
    fn with(self, other: Self) -> Self {
        Self {
            p50: self.p50.max(other.p50),
            p99: self.p99.max(other.p99),
            longest: self.longest.max(other.longest),
            stalls: self.stalls + other.stalls,
            errors: self.errors + other.errors,
        }
    }
}

/// Of all runs of a change: the geometric mean of the ratios, and all that was counted.
fn summary(what: &str, runs: &[Fared]) {
    let mean = |of: fn(&Fared) -> f64| {
        let logs: f64 = runs.iter().map(|run| of(run).max(f64::MIN_POSITIVE).ln()).sum();
        (logs / runs.len() as f64).exp()
    };
    println!(
        "  all {what:<5} p50 x{:.2}, p99 x{:.2}, longest x{:.1}; over {} ms: {}; errors {}",
        mean(|run| run.p50),
        mean(|run| run.p99),
        mean(|run| run.longest),
        STALL.as_millis(),
        runs.iter().map(|run| run.stalls).sum::<usize>(),
        runs.iter().map(|run| run.errors).sum::<u64>()
    );
}

/// Runs a change by hand or by mig while clients work; gives how they fared before and meanwhile, and how long it took.
async fn measured(
    url: &str,
    rows: u64,
    new: Option<&'static str>,
    change: impl FnOnce() + Send + 'static,
) -> (Met, Met, Duration) {
    let load = Load::start(url, rows, None).await;
    tokio::time::sleep(QUIET).await;
    let before = load.end().await;
    let load = Load::start(url, rows, new).await;
    let begun = Instant::now();
    tokio::task::spawn_blocking(change).await.unwrap();
    let took = begun.elapsed();
    // Short changes need company, or their share of the operations is all there is.
    tokio::time::sleep(QUIET.saturating_sub(took)).await;
    (before, load.end().await, took)
}

fn line(what: &str, met: &(Met, Met, Duration)) -> Fared {
    let ((before, during, took), fared) = (met, Fared::of(met));
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "  {what:<8} {:>7.0} ms; errors {}; p50 x{:.2}, p99 x{:.2} ({:.1} ms), longest x{:.1} ({:.0} ms, before {:.0} ms), over {} ms: {}{}",
        ms(*took),
        fared.errors,
        fared.p50,
        fared.p99,
        ms(during.per_mille(990)),
        fared.longest,
        ms(during.per_mille(1_000)),
        ms(before.per_mille(1_000)),
        STALL.as_millis(),
        fared.stalls,
        during.first_error.as_ref().map(|says| format!("; {says}")).unwrap_or_default()
    );
    fared
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let rows: u64 = words.iter().find_map(|word| word.parse().ok()).unwrap_or(200_000);
    let wanted: Vec<&str> = words.iter().map(String::as_str).filter(|word| word.parse::<u64>().is_err()).collect();
    let server: &'static Server = Box::leak(Box::new(Server::start_own()));
    let make = move || server.database(&schema(rows));
    let project: &'static Project = Box::leak(Box::new(Project::new(&make(), "items")));
    println!("{rows} rows, {RATE} operations a second, open loop; ratios to the same clients without a change");
    match *wanted.as_slice() {
        ["backfill"] => alone::backfill(server, rows),
        ["detection"] => detection::measure(server),
        ["rollback"] => alone::rollback(server, project, rows),
        _ => {
            let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word));
            for change in CHANGES.iter().filter(|change| is_wanted(change.name)) {
                let (mut by_mig_all, mut plain_all) = (Vec::new(), Vec::new());
                println!("{}", change.name);
                for by_mig in [true, false, false, true] {
                    let database = Arc::new(make());
                    let url = database.url();
                    let handle = Arc::clone(&database);
                    if !by_mig {
                        let plain = move || drop(handle.psql(change.plain));
                        plain_all.push(line("plain", &measured(&url, rows, None, plain).await));
                        continue;
                    }
                    project.plan(change, &database);
                    let to_switch = move || project.apply("switch", &handle.url());
                    let first = line("switch", &measured(&url, rows, None, to_switch).await);
                    // From here on clients of both schemas write.
                    let handle = Arc::clone(&database);
                    let to_end = move || project.apply("contract", &handle.url());
                    let then = line("contract", &measured(&url, rows, Some(change.new), to_end).await);
                    by_mig_all.push(first.with(then));
                    let begun = Instant::now();
                    project.rollback(&url);
                    println!("           taken back in {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
                }
                summary("mig", &by_mig_all);
                summary("plain", &plain_all);
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
