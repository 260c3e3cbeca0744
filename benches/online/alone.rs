//! What no client is needed for: how fast rows are filled, against one plain UPDATE of them, and how long it takes to go back.

use std::time::{Duration, Instant};

use mig_test_support::postgres::{Database, Server};

use crate::{
    change::{CHANGES, Change},
    project::Project,
    schema,
};

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn named(name: &str) -> &'static Change {
    CHANGES.iter().find(|change| change.name == name).unwrap()
}

/// A backfill of all rows against one UPDATE of them, in interleaved pairs. Mig's time has its start and its checks in it.
pub(crate) fn backfill(server: &Server, rows: u64) {
    let mean = |times: &[f64]| times.iter().sum::<f64>() / f64::from(u32::try_from(times.len()).unwrap());
    let keyless = schema(rows).replace("id bigint primary key", "id bigint not null");
    for (keyed, table) in [("by key", schema(rows)), ("without a key", keyless)] {
        let project = &Project::new(&server.database(&table), &keyed.replace(' ', "-"));
        let mut took = [Vec::new(), Vec::new()];
        for by_mig in [false, true, true, false] {
            let database = server.database(&table);
            let time = if by_mig { filled(project, &database) } else { updated(&database) };
            took[usize::from(by_mig)].push(time.as_secs_f64());
        }
        let [plain, mig] = &took;
        println!(
            "backfill of {rows} rows {keyed}: one UPDATE {plain:.1?} s, mig {mig:.1?} s: {:.2} of the plain rate",
            mean(plain) / mean(mig)
        );
        if keyed == "by key" {
            // A lag beyond half of its limit: the run takes long breaks for as long as it lasts.
            project.configure("[monitor]\nlag = \"select 40\"\n");
            let slow = filled(project, &server.database(&table)).as_secs_f64();
            project.configure("");
            println!("  slowed down by a lag: {slow:.1} s: {:.2} of the plain rate", mean(plain) / slow);
        }
    }
}

/// What one UPDATE takes.
fn updated(database: &Database) -> Duration {
    database.psql("alter table items add column label text");
    timed(|| drop(database.psql("update items set label = upper(note)")))
}

/// What the phase `backfill` takes.
fn filled(project: &Project, database: &Database) -> Duration {
    project.plan(named("add required column, filled"), database);
    project.apply("expand", &database.url());
    timed(|| project.apply("backfill", &database.url()))
}

/// How long a rollback takes after `switch` and after `contract`, with few rows and with many.
pub(crate) fn rollback(server: &Server, project: &Project, rows: u64) {
    for name in ["add required column, filled", "integer to bigint", "rename column", "text to integer by a transform"]
    {
        for rows in [1_000, rows] {
            let back = |through: &str| {
                let database: Database = server.database(&schema(rows));
                project.plan(named(name), &database);
                project.apply(through, &database.url());
                timed(|| project.rollback(&database.url())).as_secs_f64()
            };
            let (switch, contract) = (back("switch"), back("contract"));
            println!(
                "rollback of \"{name}\" with {rows} rows: {switch:.2} s after switch, {contract:.2} s after contract"
            );
        }
    }
}
