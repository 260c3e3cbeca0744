//! The contract of `mig`: what a schema is, what a change does to it, and what a plan file says.
//!
//! Both halves of the tool share this crate and nothing else. Nothing in it reads a file, the environment, the clock, randomness or
//! the network.

pub mod address;
pub mod backup;
pub mod dialect;
pub mod fingerprint;
pub mod grant;
pub mod hazard;
pub mod kind;
pub mod leaving;
pub mod name;
pub mod objects;
pub mod plan;
pub mod renaming;
pub mod schema;
pub mod snapshot;
pub mod sql;
pub mod states;
pub mod step;
pub mod table;
pub mod verify;

pub use self::{
    address::{Address, ObjectKind},
    backup::Backup,
    dialect::{
        Complaint, Context, Dialect, Draft, DraftCheck, Fill, Group, Past, Rendered, RenderedUndo, Sameness,
        UnknownType, UuidVersion,
    },
    fingerprint::Fingerprint,
    grant::{Grant, GrantRule},
    hazard::{Class, Hazard, HazardCode, class_of},
    kind::{Impossible, Kind},
    name::{BadName, Name, Qualified, split_path},
    plan::{BadPlan, Check, CheckSql, Footing, PLAN_FORMAT, Plan, Summary, Target},
    schema::{Body, Goal, Live, Object, Schema},
    snapshot::{OpenRun, Remembered, RowKey, SNAPSHOT_FORMAT, Snapshot},
    sql::Sql,
    step::{Action, Limits, Need, Phase, Probe, Statement, Step, StepId, Undo},
    table::{Column, ColumnValue, Constraint, Rule, Table},
    verify::{Dataset, DeclaredCheck, DeclaredProbe},
};
