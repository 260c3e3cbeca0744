//! Applies signed plans: admits, observes, reconciles, runs, journals. All I/O goes through [`Driver`].
//!
//! It never sees a spec, compares schemas only to find where a database stands on its plan, and chooses nothing: every statement,
//! probe and limit is in the plan.

pub mod driver;
pub mod failure;
pub mod journal;
pub mod sign;

pub use self::{
    driver::{BatchDone, Cursor, Driver, Lease, Session},
    failure::Failure,
    journal::{Entry, Event},
};
