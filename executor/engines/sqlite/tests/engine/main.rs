//! The SQLite engine on real database files.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod kit;
