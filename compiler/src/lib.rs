//! Compiles specs and a live schema into a plan. Pure: no file, clock, environment, randomness or network.

pub mod diagnostic;
pub mod intent;
pub mod spec;

pub use self::{
    diagnostic::{Code, Diagnostic, Place, Related, Severity},
    intent::{Intent, Managed, Move, Transform, ValueMove},
    spec::SpecFile,
};
