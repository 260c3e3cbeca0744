//! A plan in the forms that code hosts and reviewers read, through the binary.

use std::{fs, path::Path, process::Command};

use mig_test_support::sqlite;
use serde_json::Value;

use crate::made::Made;

fn ids(plan: &Value, class: &str) -> Vec<String> {
    let steps = plan["steps"].as_array().unwrap().iter().filter(|step| step["class"] == class);
    steps.map(|step| step["id"].as_str().unwrap().to_owned()).collect()
}

/// A name as Markdown and HTML show it.
fn unescaped(markdown: &str) -> String {
    markdown.replace("&#95;", "_").replace("&#124;", "|").replace("&quot;", "\"")
}

/// Whether a comment stays within its limit, and names every critical step.
pub(crate) fn comment(plan: &Made) {
    let text = plan.shown("markdown");
    assert!(text.chars().count() <= 60_000, "{}", text.chars().count());
    let text = unescaped(&text);
    let critical = ids(&plan.json(), "critical");
    assert_eq!(critical.len(), 500);
    for id in critical {
        assert!(text.contains(&id), "{id}");
    }
    assert!(text.contains("left out here"), "what has no room is said to be left out");
}

#[test]
fn hazards_point_into_the_specs_and_else_into_the_plan() {
    let plan = Made::small();
    let log: Value = serde_json::from_str(&plan.shown("sarif")).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let places: Vec<_> = log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            (
                result["ruleId"].as_str().unwrap(),
                place["artifactLocation"]["uri"].as_str().unwrap(),
                place["region"]["startLine"].as_u64().unwrap(),
            )
        })
        .collect();
    let drop = places.iter().find(|(code, ..)| *code == "MIG-H001").unwrap();
    assert_eq!(drop.1, "plan.json", "no spec declares what goes");
    let file = fs::read_to_string(plan.path("plan.json")).unwrap();
    let line = file.lines().nth(usize::try_from(drop.2).unwrap() - 1).unwrap();
    assert!(line.contains("\"id\": \"coupons/drop-"), "{line}");
    let index = places.iter().find(|(code, ..)| *code == "MIG-H013").unwrap();
    assert_eq!(index.1, "specs/all.toml");
    let specs = fs::read_to_string(plan.path("specs/all.toml")).unwrap();
    assert!(specs.lines().nth(usize::try_from(index.2).unwrap() - 1).unwrap().contains("indexes"), "{index:?}");

    let annotations = plan.shown("github");
    assert!(annotations.lines().any(|line| line.starts_with("::error file=plan.json,line=")), "{annotations}");
    assert!(annotations.lines().any(|line| line.starts_with("::warning file=specs/all.toml,line=")), "{annotations}");
    let quality: Vec<Value> = serde_json::from_str(&plan.shown("gitlab")).unwrap();
    assert!(quality.iter().all(|one| one["fingerprint"].is_string() && one["location"]["lines"]["begin"].is_u64()));
}

#[test]
fn a_plan_is_printed_where_it_is_made_as_where_it_is_shown() {
    let plan = Made::small();
    fs::write(plan.path("x.db"), "").unwrap();
    for format in ["mermaid", "dot", "html", "sarif"] {
        let args = ["plan", "--url", "sqlite://x.db", "--specs", "specs", "--format", format, "--out", "fresh.json"];
        let printed = plan.run(&args);
        assert_eq!(printed.code, Some(0), "{}", printed.stderr);
        let shown = plan.run(&["show", "fresh.json", "--specs", "specs", "--format", format]);
        assert_eq!(printed.stdout, shown.stdout, "{format}");
    }
}

#[test]
fn a_stale_plan_is_told_in_words_first_and_as_junit() {
    let plan = Made::small();
    fs::write(plan.path("x.db"), "").unwrap();
    let against = ["--url", "sqlite://x.db", "--specs", "specs"];
    let check = || plan.run(&[&["plan", "--check", "p.json", "--junit", "report.xml"][..], &against].concat());
    let missing = check();
    assert_eq!(missing.code, Some(3), "{}", missing.stderr);
    assert!(missing.stdout.starts_with("steps: 2 added"), "{}", missing.stdout);
    plan.run(&[&["plan", "--out", "p.json"][..], &against].concat());
    let current = check();
    assert_eq!((current.code, &*current.stdout), (Some(0), "p.json is current\n"));
    assert!(fs::read_to_string(plan.path("report.xml")).unwrap().contains("tests=\"1\" failures=\"0\""));

    let specs = fs::read_to_string(plan.path("specs/all.toml")).unwrap();
    plan.write("specs/all.toml", &specs.replace("nick = \"text?\"", "nick = \"integer?\"\nage = \"integer?\""));
    let stale = check();
    assert_eq!(stale.code, Some(3));
    let (words, lines) = stale.stdout.split_once("\n\n").unwrap();
    assert!(words.starts_with("steps: ") && words.contains("specs: they were made from different specs"), "{words}");
    assert!(words.contains("~ customers/create-"), "{words}");
    assert!(lines.contains("\n+"), "{lines}");
    let report = fs::read_to_string(plan.path("report.xml")).unwrap();
    assert!(report.contains("failures=\"1\"") && report.contains("is not what the specs compile to now"), "{report}");
}

fn git(folder: &Path, args: &[&str]) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_mig")).parent().unwrap();
    let path = std::env::join_paths(
        [bin.to_owned()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env("HOME", folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn git_shows_plans_in_words() {
    let plan = Made::small();
    fs::write(plan.path("x.db"), "").unwrap();
    let folder = plan.path("");
    let against = ["plan", "--url", "sqlite://x.db", "--specs", "specs", "--out", "plan.json"];
    git(&folder, &["init", "-q"]);
    plan.write(".gitattributes", "*.json diff=mig\n");
    git(&folder, &["config", "diff.mig.command", "mig diff"]);
    git(&folder, &["add", "."]);
    git(&folder, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"]);
    plan.run(&against);
    let shown = git(&folder, &["diff"]);
    assert!(shown.starts_with("plan plan.json\nsteps: "), "{shown}");
    assert!(shown.contains("- coupons/drop-"), "{shown}");
    fs::remove_file(plan.path("plan.json")).unwrap();
    assert!(git(&folder, &["diff"]).contains("the plan is gone"));
    plan.run(&against);

    git(&folder, &["config", "--unset", "diff.mig.command"]);
    git(&folder, &["config", "diff.mig.textconv", "mig show --verbose"]);
    let text = git(&folder, &["diff", "--word-diff=none"]);
    assert!(text.contains("\n+plan for ") || text.contains("\n plan for "), "{text}");
    assert!(text.contains("-  ! ") && text.contains("coupons/drop-"), "{text}");
}

#[test]
fn the_answers_of_checks_are_a_junit_report() {
    let database = sqlite::database(
        "create table orders (id integer primary key, total integer); insert into orders (total) values (-1);",
    );
    let plan = Made::small();
    plan.write("mig.toml", "engine = \"sqlite\"\n[policy]\nsigners = 0\n");
    let specs = "[table.orders]\nprimary_key = [\"id\"]\nchecks = [{ name = \"total\", expr = \"total >= 0\" }]\n\
                 [table.orders.columns]\nid = \"integer?\"\ntotal = \"integer?\"\n\
                 [[check]]\nname = \"some orders\"\nwhen = \"both\"\nsql = \"select count(*) from orders\"\nexpect = 1\n";
    plan.write("specs/all.toml", specs);
    let url = database.url();
    let made = plan.run(&["plan", "--url", &url, "--out", "orders.json"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let report = |args: &[&str]| {
        let output =
            plan.run(&[&["apply", "orders.json", "--url", &url, "--yes", "--junit", "report.xml"][..], args].concat());
        (output, fs::read_to_string(plan.path("report.xml")).unwrap())
    };
    let (looked, text) = report(&["--dry-run"]);
    assert!(text.contains("tests=\"3\" failures=\"1\" skipped=\"1\""), "{text}{}", looked.stderr);
    assert!(text.contains("<failure message=\"1 row does not"), "{text}");
    assert!(text.contains("name=\"some orders (after)\"><skipped message=\"the last step is not done\"/>"), "{text}");
    database.query("update orders set total = 1");
    let (applied, text) = report(&[]);
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    assert!(text.contains("tests=\"3\" failures=\"0\" skipped=\"0\""), "{text}");
}
