//! Bytes on which a fuzz target once failed, and seeds that reach far into the code, hold without a fuzzer too.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(unreachable_pub, reason = "it is a crate of its own to the fuzzer")]
#[path = "fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found").join(target);
    let mut found: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(!found.is_empty(), "there is nothing to replay for {target}");
    for path in found {
        let bytes = std::fs::read(&path).unwrap();
        assert!(std::panic::catch_unwind(|| check(&bytes)).is_ok(), "{}", path.display());
    }
}

#[test]
fn specs() {
    replay("specs", targets::specs);
}

#[test]
fn plans() {
    replay("plan", targets::plan);
}

#[test]
fn normal_forms() {
    replay("normal_form", targets::normal_form);
}
