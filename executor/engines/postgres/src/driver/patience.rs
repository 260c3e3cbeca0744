//! How long mig waits for locks beside clients: never so long that a deadlock would cost a client its transaction.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use mig_executor::Failure;
use mig_plan::{Address, Dialect, Limits, ObjectKind, Qualified};

use super::link::Link;

/// Who waits in a deadlock is cancelled after its own `deadlock_timeout`, which counts from the beginning of its own wait. A client that
/// waits for a lock of ours can therefore be cancelled only if we still wait for one of its locks by then: whoever leaves earlier leaves
/// the deadlock, and the client goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    deadlock: Duration,
    most_ms: u32,
    held: Option<Instant>,
}

/// The least that a lock is waited for: a lock that is free takes less.
const LEAST: Duration = Duration::from_millis(50);

impl Patience {
    /// With the server's `deadlock_timeout` in milliseconds.
    pub(super) fn new(deadlock_ms: u32) -> Self {
        Self { deadlock: Duration::from_millis(u64::from(deadlock_ms)), most_ms: 0, held: None }
    }

    /// The longest wait of one who may hold other locks already: the rest of the time is for what happens between two waits.
    fn longest(&self) -> Duration {
        self.deadlock.mul_f64(0.4).max(LEAST)
    }

    /// A transaction begins: the limit of its first statement, in milliseconds. One statement may take several locks.
    pub(super) fn begin(&mut self, most_ms: u32) -> u32 {
        (self.most_ms, self.held) = (most_ms, None);
        self.capped(self.longest())
    }

    /// The limit of a statement by itself, in milliseconds; 0 is none.
    pub(super) fn alone(&self, limits: &Limits) -> Limits {
        let lock_ms = if limits.lock_ms == 0 { 0 } else { limits.lock_ms.min(milliseconds(self.longest())) };
        Limits { lock_ms, ..*limits }
    }

    /// The limit of the next statement of the transaction, in milliseconds, if it is another than that of the first.
    pub(super) fn next(&self) -> Option<u32> {
        let held = self.held?.elapsed();
        // After long work, who waits for us has been looked for a deadlock before, and the work is not thrown away for little.
        if held > self.deadlock {
            return Some(self.most_ms);
        }
        Some(self.capped(self.longest().saturating_sub(held).max(LEAST)))
    }

    /// A statement of the transaction is done: locks are held from now on.
    pub(super) fn done(&mut self) {
        self.held.get_or_insert_with(Instant::now);
    }

    fn capped(&self, to: Duration) -> u32 {
        let to = milliseconds(to);
        if self.most_ms == 0 { to } else { self.most_ms.min(to) }
    }
}

fn milliseconds(of: Duration) -> u32 {
    u32::try_from(of.as_millis()).unwrap_or(u32::MAX)
}

/// Asks autovacuum to leave tables: it gives way to whoever waits for it as long as `deadlock_timeout`. The lock that is asked for stands
/// in the way of no reader and no writer, and nothing is held meanwhile. Tables that are not there, or not ours, are left.
pub(super) async fn make_way(
    link: &mut Link,
    patience: &Patience,
    dialect: &dyn Dialect,
    of: &BTreeSet<Address>,
) -> Result<(), Failure> {
    let wait = milliseconds(patience.deadlock.saturating_add(Duration::from_millis(500)));
    let tables: BTreeSet<_> = of.iter().filter_map(table).collect();
    for table in tables {
        let names: Vec<_> = table.schema.iter().chain([&table.name]).map(|name| dialect.quote(name)).collect();
        let sql = format!(
            "begin; set local lock_timeout = {wait}; lock table only {} in share update exclusive mode",
            names.join(".")
        );
        let asked = link.run(&sql, "asking autovacuum to leave").await;
        if let Err(lost @ (Failure::Lost { .. } | Failure::Unreachable { .. })) = asked {
            return Err(lost);
        }
        link.run("rollback", "asking autovacuum to leave").await?;
    }
    Ok(())
}

fn table(at: &Address) -> Option<Qualified> {
    match at.kind() {
        ObjectKind::Table => Some(at.qualified()),
        _ => at.relation(),
    }
}
