//! Files of the repository that are made from the types.

use std::{env, fs, path::Path};

/// Compares a file of the repository with what it should be; makes it anew with `MIG_BLESS=1`.
pub(crate) fn published(name: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if env::var_os("MIG_BLESS").is_some() {
        fs::write(&path, now).unwrap();
    }
    assert!(fs::read_to_string(path).unwrap_or_default() == now, "{name} is stale: MIG_BLESS=1 writes it anew");
}
