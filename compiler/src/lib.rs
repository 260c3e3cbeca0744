//! Compiles specs and a live schema into a plan. Pure: no file, clock, environment, randomness or network.

mod adopt;
mod alias;
mod backups;
mod compile;
mod dependants;
pub mod diagnostic;
mod diff;
mod emit;
pub mod explain;
pub mod fmt;
mod follow;
mod foresee;
pub mod import;
pub mod intent;
mod last_look;
mod layers;
mod lower;
mod moves;
mod order;
mod outputs;
mod rows;
mod sources;
pub mod spec;
mod together;
mod transform;

pub use self::{
    compile::{Compiled, Options, compile, compile_intent},
    diagnostic::{Code, Diagnostic, Place, Related, Severity},
    fmt::fmt,
    import::import,
    intent::{Declared, Intent, Managed, Move, Transform, ValueMove},
    spec::{Document, SpecFile, json_schema, reference},
};
