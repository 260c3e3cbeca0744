//! Applies signed plans: admits, observes, reconciles, runs, journals. All I/O goes through [`Driver`].
//!
//! It never sees a spec, compares schemas only to find where a database stands on its plan, and chooses nothing: every statement,
//! probe and limit is in the plan.

pub mod accept;
pub mod align;
pub mod apply;
pub mod audit;
mod batches;
pub mod chain;
mod checks;
pub mod control;
#[cfg(test)]
mod crash;
pub mod describe;
pub mod doctor;
pub mod driver;
pub mod evidence;
pub mod failure;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
mod gate;
pub mod gc;
pub mod journal;
mod lanes;
pub mod line;
pub mod lookout;
pub mod monitor;
mod rate;
mod recalled;
pub mod reconcile;
mod rejects;
pub mod report;
pub mod restore;
pub mod rollback;
mod run;
mod runner;
pub mod runs;
pub mod sign;
pub mod span;
pub mod stop;
pub mod trial;
mod verify;

pub use self::{
    apply::{Outcome, Pace, Request, apply},
    checks::Allowed,
    control::{Heard, Interrupt, Signal, Wish},
    driver::{BatchDone, Connector, Cursor, Driver, JournalLine, Lease, Rows, Session},
    evidence::Filing,
    failure::Failure,
    gc::{GcRequest, collectible, gc},
    journal::{Entry, Event},
    lookout::Lookout,
    monitor::{MonitorPolicy, Then},
    recalled::recalled,
    reconcile::Position,
    rejects::{Rejected, rejects, retry},
    report::{Progress, Report, Silent},
    rollback::{Forecast, RollbackRequest, Which, forecast, rollback},
    runs::{RunStatus, RunSummary, Standing, Status, history, status},
    stop::{CheckFailure, Stop, wrong_rows},
};
