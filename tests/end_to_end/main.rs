//! End to end: the program on real servers, looked at by the servers' own clients.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod backups;
mod bad_input;
mod beside;
mod busy;
mod chaos;
mod common;
mod convert;
mod declared;
mod dry_run;
mod evidence;
mod followed;
mod guards;
mod moved;
mod music;
mod numbered;
mod objects;
mod online;
mod operate;
mod pairs;
mod parallel;
mod partitions;
mod populated;
mod races;
mod rejected;
mod renames;
mod resumed;
mod scan;
mod shop;
mod tied;
mod transforms;
mod types_anew;
mod verify;
mod watch;
mod wider_keys;
