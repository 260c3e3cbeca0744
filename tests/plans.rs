//! The plans that are kept beside the sample specs are what the specs compile to today.

use std::path::Path;

use mig_test_support::program::Program;

#[test]
fn kept_plans_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Program::new(env!("CARGO_BIN_EXE_mig"), root);
    for live in std::fs::read_dir(root.join("specs/shop/live")).unwrap() {
        let live = live.unwrap().path();
        let kept = Path::new("plans/shop").join(live.file_name().unwrap());
        let (live, kept) = (live.display().to_string(), kept.display().to_string());
        let bless = std::env::var_os("MIG_BLESS").is_some();
        let how = if bless { "--out" } else { "--check" };
        let output = program.run(["plan", "--live", &live, "--specs", "specs/shop", how, &kept]);
        assert_eq!(output.code, Some(0), "{kept}: MIG_BLESS=1 writes it anew\n{}{}", output.stdout, output.stderr);
    }
}
