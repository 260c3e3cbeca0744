//! Killed at random moments while clients write: the process, the server, the connection. What ends, ends as an undisturbed run does.
//!
//! `MIG_CHAOS_ROUNDS` says how many rounds (6; five over the recipes), `MIG_CHAOS_SEED` which ones (1); a failure names both.

use std::{
    env, fs,
    io::Write as _,
    process::Stdio,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use mig_test_support::postgres::Server;

use crate::{
    common::{Database, Engine, Workspace},
    online::{Case, Clients, RECIPES, apply_through, holds, planned_for, shape},
    shop::{AFTER, BEFORE, edit, shop, similar_schema},
};

/// What clients of the old schema write all the time; the plan leaves all of it alone.
const CLIENT: &str = "insert into orders (customer_id, total, note) values (1, 0, 'client')";
/// Rows that are none of the clients'.
const CLIENTS: &str = "select count(*) from orders where note = 'client'";
/// What nobody wants to find afterwards: indexes that are not valid, triggers of mig, constraints that were never validated, copies that nobody needs.
const LEFT: &str = "select (select count(*) from pg_index where not indisvalid)
    + (select count(*) from pg_trigger where tgname like 'zzz\\_mig%' or tgname like '\\_mig%')
    + (select count(*) from pg_constraint where not convalidated)
    + (select count(*) from pg_class where relkind = 'r' and relnamespace = to_regnamespace('mig_trash'))";

/// Random numbers of which a round's own number gives the same again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end.max(1)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    Process,
    Server,
    Connection,
}

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn strs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// What an undisturbed run gives, and how long each way takes.
struct Calm {
    applied: (String, String),
    base: (String, String),
    left: String,
    forth: Duration,
    back: Duration,
}

fn calm(work: &Workspace, server: &Server) -> Calm {
    let database = Database::Postgres(server.database(&shop(Engine::Postgres)));
    let base = (database.schema(), database.query(BEFORE));
    let begun = Instant::now();
    work.apply(&database);
    let forth = begun.elapsed();
    let applied = (database.schema(), database.query(AFTER));
    let begun = Instant::now();
    work.rollback(&database);
    let back = begun.elapsed();
    Calm { applied, base, left: database.query(LEFT), forth, back }
}

/// Runs a command that is hit after a while; then as often as it takes, undisturbed.
fn hit(work: &Workspace, server: &Server, database: &Database, args: &[String], blow: Blow, after: Duration) {
    let mut child = work.program().command(strs(args)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(after);
    match blow {
        Blow::Process => child.kill().unwrap(),
        Blow::Server => {
            server.stop_immediate();
            server.start();
        }
        Blow::Connection => {
            database.query(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name in ('mig', 'mig lookout')",
            );
        }
    }
    let code = child.wait().unwrap().code();
    if blow != Blow::Process {
        assert!(matches!(code, Some(0 | 1 | 5 | 6)), "{blow:?} after {after:?}: {code:?}");
    }
    work.expect(0, &strs(args));
}

#[test]
fn killed_at_random_with_clients_writing_it_ends_the_same() {
    let (count, seed) = (number("MIG_CHAOS_ROUNDS", 6), number("MIG_CHAOS_SEED", 1));
    let server = Server::start_own();
    let work = Workspace::new();
    let model = Database::Postgres(server.database(&shop(Engine::Postgres)));
    work.import(&model);
    edit(&work, Engine::Postgres);
    work.plan(&model);
    work.sign();
    drop(model);
    let calm = calm(&work, &server);
    for round in 0..count {
        let mut dice = Dice((seed << 32 | round).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let blow = [Blow::Process, Blow::Server, Blow::Connection][usize::try_from(dice.below(3)).unwrap()];
        let back = dice.below(3) == 0;
        let whole = if back { calm.back } else { calm.forth };
        let after = whole * u32::try_from(dice.below(1_100)).unwrap() / 1_000;
        let told =
            format!("seed {seed}, round {round}: {blow:?} after {after:?}, {}", if back { "back" } else { "forth" });
        tell(&told);
        one(&work, &server, &calm, blow, back, after, &told);
    }
}

/// Rounds by the hundred are watched in a file.
fn tell(told: &str) {
    if let Ok(path) = env::var("MIG_CHAOS_LOG") {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{told}").unwrap();
    }
}

fn one(work: &Workspace, server: &Server, calm: &Calm, blow: Blow, back: bool, after: Duration, told: &str) {
    let database = Database::Postgres(server.database(&shop(Engine::Postgres)));
    let Database::Postgres(client) = &database else { unreachable!("it is PostgreSQL") };
    let (ended, sure, unknown) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                let heard = if client.try_psql(CLIENT).is_ok() { &sure } else { &unknown };
                heard.fetch_add(1, Ordering::Relaxed);
            }
        });
        let apply = work.apply_args(&database);
        if back {
            work.expect(0, &strs(&apply));
            let url = database.url();
            let signers = work.signers.display().to_string();
            let args = ["rollback", "--plan", "plan.json", "--url", &url, "--allowed-signers", &signers, "--yes"];
            hit(work, server, &database, &args.map(str::to_owned), blow, after);
        } else {
            hit(work, server, &database, &apply, blow, after);
        }
        ended.store(true, Ordering::Relaxed);
    });
    let found: u32 = database.query(CLIENTS).trim().parse().unwrap();
    let sure = sure.load(Ordering::Relaxed);
    let most = sure + unknown.load(Ordering::Relaxed);
    assert!((sure..=most).contains(&found), "{told}: clients wrote {sure} to {most} rows, {found} are there");
    let (expected, query) = if back { (&calm.base, BEFORE) } else { (&calm.applied, AFTER) };
    similar_schema(&database.schema(), &expected.0, Engine::Postgres);
    database.query("delete from orders where note = 'client'");
    assert_eq!(database.query(query), expected.1, "{told}");
    if !back {
        work.rollback(&database);
        similar_schema(&database.schema(), &calm.base.0, Engine::Postgres);
        assert_eq!(database.query(BEFORE), calm.base.1, "{told}: taken back");
    }
    assert_eq!(database.query(LEFT), calm.left, "{told}: something is left behind");
}

/// What clients hear of a server that is stopped and starts again.
const GONE: &[&str] = &["connection", "starting up", "shutting down", "recovery", "terminat"];

/// A recipe as an undisturbed run leaves it, and how long its halves take: to the end of `switch`, and on to the end.
struct Recipe {
    name: &'static str,
    case: &'static Case,
    work: Workspace,
    shape: Vec<String>,
    left: String,
    halves: [Duration; 2],
}

fn recipe(server: &Server, name: &'static str, case: &'static Case) -> Recipe {
    let database = Database::Postgres(server.database(case.base));
    let work = planned_for(case, &database);
    let begun = Instant::now();
    apply_through(&work, &database, "switch");
    let switched = begun.elapsed();
    work.apply(&database);
    let halves = [switched, begun.elapsed() - switched];
    Recipe { name, case, work, shape: shape(&database), left: database.query(LEFT), halves }
}

#[test]
fn every_recipe_killed_at_random_beside_clients_of_both_schemas_ends_the_same() {
    let (count, seed) = (number("MIG_CHAOS_ROUNDS", 5), number("MIG_CHAOS_SEED", 1));
    let server = Server::start_own();
    let recipes: Vec<_> = RECIPES.iter().map(|(name, case)| recipe(&server, name, case)).collect();
    for round in 0..count {
        let mut dice = Dice((seed << 32 | round).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let recipe = &recipes[usize::try_from(round).unwrap() % recipes.len()];
        let blow = [Blow::Process, Blow::Server, Blow::Connection][usize::try_from(dice.below(3)).unwrap()];
        let half = usize::try_from(dice.below(2)).unwrap();
        let after = recipe.halves[half] * u32::try_from(dice.below(1_100)).unwrap() / 1_000;
        let told =
            format!("seed {seed}, round {round}: {}, {blow:?} after {after:?} of half {}", recipe.name, half + 1);
        tell(&told);
        killed_in(&server, recipe, half, (blow, after), &told);
    }
}

/// Old clients work in the first half, clients of the new schema in the second; one of the halves is hit.
fn killed_in(server: &Server, recipe: &Recipe, half: usize, (blow, after): (Blow, Duration), told: &str) {
    let Recipe { case, work, .. } = recipe;
    let database = Database::Postgres(server.database(case.base));
    for (nth, statements) in [case.old, case.new].into_iter().enumerate() {
        let clients = Clients::start(&database, statements);
        let mut args = work.apply_args(&database);
        if nth == 0 {
            args.extend(["--through".to_owned(), "switch".to_owned()]);
        }
        if nth == half {
            hit(work, server, &database, &args, blow, after);
        } else {
            work.expect(0, &strs(&args));
        }
        let mut wrong = clients.errors();
        if blow == Blow::Server && nth == half {
            wrong.retain(|error| !GONE.iter().any(|gone| error.contains(gone)));
        }
        assert!(wrong.is_empty(), "{told}: {wrong:#?}");
    }
    assert_eq!(shape(&database), recipe.shape, "{told}");
    holds(case, &database);
    assert_eq!(database.query(LEFT), recipe.left, "{told}: something is left behind");
}
