//! Clients that ask at fixed times, whether the answer before has come or not: an operation that starts late because the database stood
//! still counts from when it should have started, so that stalls show.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Connections: enough that a stall of one operation does not delay the next.
const CLIENTS: u64 = 12;
/// Operations a second of all clients together.
pub(crate) const RATE: u64 = 200;

/// The longest that a client should ever wait.
pub(crate) const STALL: Duration = Duration::from_millis(250);

/// What clients met.
#[derive(Debug, Default)]
pub(crate) struct Met {
    latencies: Vec<Duration>,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
}

impl Met {
    fn sorted(mut self) -> Self {
        self.latencies.sort_unstable();
        self
    }

    /// How many operations took longer than a client should ever wait.
    pub(crate) fn stalls(&self) -> usize {
        self.latencies.iter().filter(|latency| **latency > STALL).count()
    }

    /// The latency that so many of a thousand operations stay below.
    pub(crate) fn per_mille(&self, share: usize) -> Duration {
        let at = (self.latencies.len() * share / 1_000).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

/// Clients at work.
pub(crate) struct Load {
    ended: Arc<AtomicBool>,
    clients: Vec<tokio::task::JoinHandle<Met>>,
}

impl Load {
    /// Starts clients on a database with so many rows; returns when all are connected. Every other operation is `new`, where that is given.
    pub(crate) async fn start(url: &str, rows: u64, new: Option<&'static str>) -> Self {
        let (ended, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut connections = Vec::new();
        for _ in 0..CLIENTS {
            connections.push(PgConnection::connect(url).await.unwrap());
        }
        let begun = Instant::now();
        let clients = connections.into_iter().map(|connection| {
            let (ended, next) = (Arc::clone(&ended), Arc::clone(&next));
            tokio::spawn(client(connection, begun, Asked { rows, new }, next, ended))
        });
        let clients = clients.collect();
        Self { ended, clients }
    }

    /// Ends the clients and gives what they met.
    pub(crate) async fn end(self) -> Met {
        self.ended.store(true, Ordering::Relaxed);
        let mut all = Met::default();
        for client in self.clients {
            let met = client.await.unwrap();
            all.latencies.extend(met.latencies);
            all.errors += met.errors;
            all.first_error = all.first_error.or(met.first_error);
        }
        all.sorted()
    }
}

async fn client(
    mut connection: PgConnection,
    begun: Instant,
    asked: Asked,
    next: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
) -> Met {
    let mut met = Met::default();
    while !ended.load(Ordering::Relaxed) {
        let nth = next.fetch_add(1, Ordering::Relaxed);
        let due = begun + Duration::from_micros(nth * 1_000_000 / RATE);
        tokio::time::sleep_until(due.into()).await;
        let done = sqlx::raw_sql(AssertSqlSafe(operation(nth, asked))).execute(&mut connection).await;
        met.latencies.push(due.elapsed());
        if let Err(error) = done {
            met.errors += 1;
            met.first_error.get_or_insert(error.to_string());
        }
    }
    met
}

/// What clients ask for.
#[derive(Clone, Copy)]
struct Asked {
    rows: u64,
    /// What clients of the new schema do; `{id}` is a row.
    new: Option<&'static str>,
}

/// Reads two rows for each that is written.
fn operation(nth: u64, asked: Asked) -> String {
    let id = 1 + nth.wrapping_mul(0x9e37_79b9_7f4a_7c15) % asked.rows;
    if let (Some(new), true) = (asked.new, nth.is_multiple_of(2)) {
        return new.replace("{id}", &id.to_string());
    }
    match nth % 3 {
        0 => format!("update items set amount = amount + 1, state = 'seen' where id = {id}"),
        1 => format!("select amount, state, owner from items where id = {id}"),
        _ => format!("select count(*) from items where id between {id} and {id} + 20 and amount >= 0"),
    }
}
