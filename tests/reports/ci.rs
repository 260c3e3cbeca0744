//! The recipes for CI: their shell steps are run as a CI server runs them, with the tools that reach out replaced by ones that record.

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::made::Made;

fn recipe(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name)
}

/// The literal blocks of a YAML file that stand behind a key (`run: |`) or an item (`- |`), by the `name` before them.
fn blocks(yaml: &str) -> BTreeMap<String, String> {
    let (mut found, mut name) = (BTreeMap::new(), String::new());
    let mut lines = yaml.lines().peekable();
    while let Some(line) = lines.next() {
        let content = line.trim_start();
        if let Some(said) = content.trim_start_matches("- ").strip_prefix("name: ") {
            name = said.to_owned();
        }
        if content == "run: |" || content == "- |" {
            let mut block = String::new();
            let indent = lines.peek().map_or(0, |next| next.len() - next.trim_start().len());
            while let Some(next) = lines.next_if(|next| next.trim().is_empty() || next.starts_with(&" ".repeat(indent)))
            {
                block.push_str(next.get(indent..).unwrap_or_default());
                block.push('\n');
            }
            found.insert(name.clone(), block);
        }
    }
    found
}

/// A shell beside a plan, with `mig` and recording tools on its path.
struct Shell<'a> {
    plan: &'a Made,
    tools: tempfile::TempDir,
}

impl<'a> Shell<'a> {
    fn new(plan: &'a Made) -> Self {
        Self { plan, tools: tempfile::tempdir().unwrap() }
    }

    /// A tool that appends its arguments to `NAME.log`, one a line, and prints `answer`.
    fn tool(&self, name: &str, answer: &str) {
        let path = self.tools.path().join(name);
        let log = self.tools.path().join(format!("{name}.log"));
        fs::write(&path, format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >>{}\nprintf '%s' '{answer}'\n", log.display()))
            .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn log(&self, name: &str) -> String {
        let path = self.tools.path().join(format!("{name}.log"));
        let text = fs::read_to_string(&path).unwrap_or_default();
        drop(fs::remove_file(path));
        text
    }

    fn run(&self, shell: &[&str], script: &str, variables: &[(&str, &str)]) -> Output {
        let bin = Path::new(env!("CARGO_BIN_EXE_mig")).parent().unwrap();
        let before = [self.tools.path().to_owned(), bin.to_owned()];
        let path = env::join_paths(before.into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap()))).unwrap();
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).arg(script).current_dir(self.plan.path("")).env("PATH", path);
        command.env("HOME", self.tools.path()).env("NO_COLOR", "1").envs(variables.iter().copied());
        command.output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// As GitHub runs `shell: bash`.
const BASH: [&str; 6] = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail"];

fn bash(shell: &Shell<'_>, script: &str, variables: &[(&str, &str)]) -> Output {
    shell.run(&[&BASH[..], &["-c"]].concat(), script, variables)
}

#[test]
fn the_github_action_checks_shows_and_comments() {
    let plan = Made::small();
    let shell = Shell::new(&plan);
    let action = fs::read_to_string(recipe("github/action.yml")).unwrap();
    let steps = blocks(&action);
    assert_eq!(steps.keys().collect::<Vec<_>>(), ["comment", "install", "plan"]);
    assert!(bash(&shell, &steps["install"], &[("GITHUB_ACTION_PATH", "nowhere")]).status.success());

    let at = |name: &str| plan.path(name).display().to_string();
    let (temp, output, summary) = (at("temp"), at("output"), at("summary"));
    let here = recipe("github").display().to_string();
    let variables = [
        ("GITHUB_ACTION_PATH", &*here),
        ("RUNNER_TEMP", &*temp),
        ("GITHUB_OUTPUT", &*output),
        ("GITHUB_STEP_SUMMARY", &*summary),
        ("PLAN", "plan.json"),
        ("AGAINST", "--live snapshot.json"),
    ];
    let ran = bash(&shell, &steps["plan"], &variables);
    let said = text(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", text(&ran.stderr));
    assert!(said.contains("plan.json is current") && said.contains("\n::error file=plan.json,line="), "{said}");
    assert!(fs::read_to_string(&summary).unwrap().contains("### mig plan for"));
    let reports = format!("{temp}/mig-reports");
    assert_eq!(fs::read_to_string(&output).unwrap(), format!("reports={reports}\n"));
    for name in ["plan.md", "plan.html", "plan.sarif", "junit.xml", "code-quality.json"] {
        assert!(fs::metadata(format!("{reports}/{name}")).unwrap().len() > 0, "{name}");
    }

    let variables = [("PLAN", "plan.json"), ("REPORTS", &*reports), ("GITHUB_REPOSITORY", "a/b"), ("NUMBER", "7")];
    shell.tool("gh", "");
    assert!(bash(&shell, &steps["comment"], &variables).status.success());
    let log = shell.log("gh");
    assert!(log.contains("POST\nrepos/a/b/issues/7/comments\n"), "{log}");
    let body = fs::read_to_string(format!("{reports}/comment.md")).unwrap();
    assert!(body.starts_with("<!-- mig plan plan.json -->\n### mig plan for"), "{body}");
    shell.tool("gh", "42");
    assert!(bash(&shell, &steps["comment"], &variables).status.success());
    let log = shell.log("gh");
    assert!(log.contains("PATCH\nrepos/a/b/issues/comments/42\n") && !log.contains("POST"), "{log}");
}

#[test]
fn the_github_action_fails_for_a_stale_plan_and_says_what_differs() {
    let plan = Made::small();
    let shell = Shell::new(&plan);
    let specs = fs::read_to_string(plan.path("specs/all.toml")).unwrap();
    plan.write("specs/all.toml", &specs.replace("nick", "alias"));
    let steps = blocks(&fs::read_to_string(recipe("github/action.yml")).unwrap());
    let at = |name: &str| plan.path(name).display().to_string();
    let (temp, output, summary, here) =
        (at("temp"), at("output"), at("summary"), recipe("github").display().to_string());
    let variables = [
        ("GITHUB_ACTION_PATH", &*here),
        ("RUNNER_TEMP", &*temp),
        ("GITHUB_OUTPUT", &*output),
        ("GITHUB_STEP_SUMMARY", &*summary),
        ("PLAN", "plan.json"),
        ("AGAINST", "--live snapshot.json"),
    ];
    let ran = bash(&shell, &steps["plan"], &variables);
    let said = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(3), "{said}{}", text(&ran.stderr));
    assert!(said.contains("\nsteps: ") && said.contains("+ customers.alias/add-column-"), "{said}");
    assert!(
        fs::read_to_string(&summary)
            .unwrap()
            .starts_with("**The committed plan is not what the specs compile to now.**")
    );
    assert!(fs::read_to_string(format!("{temp}/mig-reports/junit.xml")).unwrap().contains("failures=\"1\""));
}

#[test]
fn the_gitlab_job_checks_and_leaves_its_reports() {
    let plan = Made::small();
    let shell = Shell::new(&plan);
    let steps = blocks(&fs::read_to_string(recipe("gitlab/mig.yml")).unwrap());
    let script = steps.values().next().unwrap();
    shell.tool("curl", "{}");
    let variables = [
        ("MIG_PLAN", "plan.json"),
        ("MIG_AGAINST", "--live snapshot.json"),
        ("MIG_GITLAB_TOKEN", "t"),
        ("CI_API_V4_URL", "https://gitlab.example/api/v4"),
        ("CI_PROJECT_ID", "5"),
        ("CI_MERGE_REQUEST_IID", "9"),
    ];
    let ran = shell.run(&["sh", "-c"], script, &variables);
    assert!(ran.status.success(), "{}{}", text(&ran.stdout), text(&ran.stderr));
    assert!(fs::read_to_string(plan.path("mig-reports/plan.gitlab")).unwrap().contains("\"fingerprint\""));
    assert!(fs::read_to_string(plan.path("mig-reports/plan.html")).unwrap().starts_with("<!doctype html>"));
    let log = shell.log("curl");
    assert!(
        log.contains("body@mig-reports/plan.markdown\nhttps://gitlab.example/api/v4/projects/5/merge_requests/9/notes"),
        "{log}"
    );

    let specs = fs::read_to_string(plan.path("specs/all.toml")).unwrap();
    plan.write("specs/all.toml", &specs.replace("nick", "alias"));
    let ran = shell.run(&["sh", "-c"], script, &variables[..2]);
    assert_eq!(ran.status.code(), Some(3));
    assert_eq!(shell.log("curl"), "", "without a token nothing is posted");
}

#[test]
fn the_pre_commit_hook_lets_good_specs_through_and_stops_bad_ones() {
    let plan = Made::small();
    let shell = Shell::new(&plan);
    let hook = recipe("pre-commit/hook").display().to_string();
    let git = |line: &str| shell.run(&["sh", "-c"], line, &[("HOOK", &*hook)]);
    assert!(git("mig fmt && mig plan --live snapshot.json --out plan.json >/dev/null").status.success());
    let setup = "git init -q && git config user.name a && git config user.email a@b && git add . && \
                 printf '#!/bin/sh\\nexec \"%s\" snapshot.json plan.json\\n' \"$HOOK\" >.git/hooks/pre-commit && chmod +x .git/hooks/pre-commit";
    assert!(git(setup).status.success());
    let first = git("git commit -qm one");
    assert!(first.status.success(), "{}{}", text(&first.stdout), text(&first.stderr));
    let specs = fs::read_to_string(plan.path("specs/all.toml")).unwrap();
    for (bad, says) in [
        (specs.replace("nick", "alias"), "is not what the specs compile to now"),
        (format!("{specs}[table.x]\ncolums = {{}}\n"), "MIG-E002"),
    ] {
        plan.write("specs/all.toml", &bad);
        let stopped = git("mig fmt >/dev/null 2>&1; git commit -qam two");
        assert!(!stopped.status.success(), "{says}");
        assert!(text(&stopped.stderr).contains(says), "{}", text(&stopped.stderr));
    }
}
