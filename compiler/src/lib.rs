//! Compiles specs and a live schema into a plan. Pure: no file, clock, environment, randomness or network.

pub mod diagnostic;
pub mod fmt;
pub mod import;
pub mod intent;
pub mod spec;

pub use self::{
    diagnostic::{Code, Diagnostic, Place, Related, Severity},
    fmt::fmt,
    import::import,
    intent::{Intent, Managed, Move, Transform, ValueMove},
    spec::{Document, SpecFile, json_schema},
};
