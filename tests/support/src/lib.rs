//! What the tests of `mig` stand on: private servers, database files, signing keys and runs of the built binary.
//!
//! Everything here panics when it cannot do its work: a test that lacks its ground must fail, and must say which
//! command mends the machine. Oracles are the stock tools (`psql`, `pg_dump`, `mariadb`, `sqlite3`, `ssh-keygen`), never our code.

pub mod browser;
pub mod keys;
pub mod mariadb;
pub mod postgres;
pub mod program;
pub mod sqlite;
mod supervisor;
mod tool;
