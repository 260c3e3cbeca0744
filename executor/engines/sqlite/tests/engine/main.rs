//! The SQLite engine on real database files.

mod changes;
mod driver;
mod kit;
