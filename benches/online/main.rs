//! How clients fare while a table is changed under them: by mig, and by the plain statement, against no change at all; in the same run, in
//! interleaved pairs (mig, plain, plain, mig).
//!
//! `cargo bench --bench online` (or `-- 5000000` for another number of rows; `-- 5000000 index` for the changes whose name has that;
//! `backfill`, `rollback` and `detection` for what no client is needed for).
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
    load::{Load, Met, RATE},
    project::Project,
};

/// How long the clients are watched without any change.
const QUIET: Duration = Duration::from_secs(4);

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

fn line(what: &str, (before, during, took): &(Met, Met, Duration)) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let ratio = |share| during.per_mille(share).as_secs_f64() / before.per_mille(share).as_secs_f64();
    println!(
        "  {what:<8} {:>7.0} ms; errors {}; p50 x{:.2}, p99 x{:.2} ({:.1} ms), longest {:.0} ms (before {:.0} ms){}",
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
    let project: &'static Project = Box::leak(Box::new(Project::new(&make(), "items")));
    println!("{rows} rows, {RATE} operations a second, open loop; ratios to the same clients without a change");
    match wanted.map(String::as_str) {
        Some("backfill") => alone::backfill(server, rows),
        Some("detection") => detection::measure(server),
        Some("rollback") => alone::rollback(server, project, rows),
        _ => {
            let all = CHANGES.iter().filter(|change| wanted.is_none_or(|word| change.name.contains(word.as_str())));
            for change in all {
                println!("{}", change.name);
                for by_mig in [true, false, false, true] {
                    let database = Arc::new(make());
                    let url = database.url();
                    let handle = Arc::clone(&database);
                    if !by_mig {
                        let plain = move || drop(handle.psql(change.plain));
                        line("plain", &measured(&url, rows, None, plain).await);
                        continue;
                    }
                    project.plan(change, &database);
                    let to_switch = move || project.apply("switch", &handle.url());
                    line("switch", &measured(&url, rows, None, to_switch).await);
                    // From here on clients of both schemas write.
                    let handle = Arc::clone(&database);
                    let to_end = move || project.apply("contract", &handle.url());
                    line("contract", &measured(&url, rows, Some(change.new), to_end).await);
                    let begun = Instant::now();
                    project.rollback(&url);
                    println!("           taken back in {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
                }
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
