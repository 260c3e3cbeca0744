//! The report of a run: one JSON document, and the same for people.

use std::fmt::Write as _;

use mig_plan::{Phase, Plan, Step};
use serde_json::{Value, json};

use super::{
    EVIDENCE_FORMAT, Filing,
    extract::Meta,
    summary::{State, StepResult, Summary},
};

/// Everything that a report is made from.
pub(super) struct Report<'a> {
    pub(super) plan: &'a Plan,
    pub(super) title: &'a str,
    pub(super) filing: &'a Filing,
    pub(super) run: &'a str,
    pub(super) summary: &'a Summary,
    pub(super) datasets: &'a [Meta],
    pub(super) checks: Vec<Value>,
    pub(super) probes: Vec<Value>,
    /// Why the run stopped, if it did.
    pub(super) says: Option<&'a str>,
}

impl Report<'_> {
    pub(super) fn json(&self) -> Value {
        let signers = self.summary.approved_by.iter().map(|(who, key)| json!({ "principal": who, "key": key }));
        let steps = self.plan.steps.iter().map(|step| {
            let codes: Vec<_> = step.hazards.iter().map(|hazard| hazard.code.to_string()).collect();
            json!({ "id": step.id, "kind": step.kind, "phase": step.phase, "class": step.class, "why": step.why,
                "hazards": codes, "result": self.summary.steps.get(&step.id) })
        });
        json!({
            "format": EVIDENCE_FORMAT, "run": self.run, "status": self.summary.status, "stopped": self.says,
            "plan": { "title": self.title, "digest": self.plan.digest(), "base": self.plan.base, "goal": self.plan.goal,
                "specs": self.plan.specs, "compiler": self.plan.compiler, "summary": self.plan.summary },
            "target": { "name": self.filing.target, "engine": self.plan.target.engine,
                "version": self.plan.target.version, "database": self.filing.database },
            "approved_by": signers.collect::<Vec<_>>(), "executor": self.summary.executor,
            "begun_at": self.summary.begun_at, "last_at": self.summary.last_at, "sessions": self.summary.sessions,
            "held_up": self.summary.strained,
            "journal": { "lines": self.summary.lines, "first": self.summary.first, "last": self.summary.last,
                "hash": self.summary.hash },
            "datasets": self.datasets, "steps": steps.collect::<Vec<_>>(), "checks": self.checks, "probes": self.probes,
        })
    }

    pub(super) fn markdown(&self) -> String {
        let mut out = format!("# Run {}: {}\n\n", self.run, self.status());
        self.facts(&mut out);
        if let Some(says) = self.says {
            let quoted: String = says.lines().map(|line| format!("> {line}\n")).collect();
            let _ = write!(out, "\n## Why it stopped\n\n{quoted}");
        }
        self.extracts(&mut out);
        self.steps(&mut out);
        self.verdicts(&mut out);
        let _ = write!(
            out,
            "\n## How to check this report\n\n\
             - `manifest.json` names every file of this folder with its SHA-256; `mig audit verify {run} --artifacts DIR` compares them, and\n  \
             the run's lines with the journal in the database.\n\
             - `plan.json` is the plan that ran, byte for byte; its digest is what people signed.\n\
             - `03-apply/journal.jsonl` has the run's lines of the journal; each carries the hash of the line before it.\n",
            run = self.run,
        );
        out
    }

    fn status(&self) -> &'static str {
        match (self.summary.status, self.says) {
            ("done", _) => "done and verified",
            ("rolled-back", _) => "taken back",
            (_, Some(_)) => "stopped",
            ("paused", None) => "waits at the end of a phase",
            (other, None) => other,
        }
    }

    fn facts(&self, out: &mut String) {
        let signers: Vec<_> = self.summary.approved_by.iter().map(|(who, key)| format!("{who} ({key})")).collect();
        let target = self.filing.target.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let rows = [
            ("Plan", format!("{}, {}", self.title, self.plan.digest())),
            ("Signed by", if signers.is_empty() { "nobody".to_owned() } else { signers.join(", ") }),
            (
                "Database",
                format!("{target}{} ({} {})", self.filing.database, self.plan.target.engine, self.plan.target.version),
            ),
            ("Compiled by", self.plan.compiler.clone()),
            ("Applied by", self.summary.executor.clone().unwrap_or_default()),
            ("Began", self.summary.begun_at.clone().unwrap_or_default()),
            ("Last line", self.summary.last_at.clone().unwrap_or_default()),
            ("Sessions", self.summary.sessions.to_string()),
            ("Journal", self.journal()),
        ];
        out.push_str("| | |\n|---|---|\n");
        for (what, is) in rows {
            let _ = writeln!(out, "| {what} | {} |", cell(&is));
        }
    }

    fn journal(&self) -> String {
        match (&self.summary.first, &self.summary.last, &self.summary.hash) {
            (Some(first), Some(last), Some(hash)) => format!("lines {first} to {last}, the last one {hash}"),
            _ => "no line".to_owned(),
        }
    }

    fn extracts(&self, out: &mut String) {
        if self.datasets.is_empty() {
            return;
        }
        out.push_str("\n## Snapshots\n\n| dataset | moment | at | rows | sha256 |\n|---|---|---|---|---|\n");
        for meta in self.datasets {
            let (name, moment) = (cell(&meta.dataset), &meta.moment);
            let _ = writeln!(out, "| {name} | {moment} | {} | {} | {} |", meta.at, meta.rows, meta.sha256);
        }
    }

    fn steps(&self, out: &mut String) {
        for phase in Phase::ALL {
            let mut steps = self.plan.steps.iter().filter(|step| step.phase == phase).peekable();
            if steps.peek().is_none() {
                continue;
            }
            let _ = write!(
                out,
                "\n## Phase {phase}\n\n| step | class | result | rows | ms | at |\n|---|---|---|---|---|---|\n"
            );
            for step in steps {
                let nothing = StepResult::default();
                let result = self.summary.steps.get(&step.id).unwrap_or(&nothing);
                let _ = writeln!(out, "{}", row(step, result));
            }
        }
    }

    fn verdicts(&self, out: &mut String) {
        if !self.checks.is_empty() {
            out.push_str("\n## Checks\n\n| check | expected | before | after | verdict |\n|---|---|---|---|---|\n");
        }
        for check in &self.checks {
            let text = |key: &str| cell(check[key].as_str().unwrap_or_default());
            let (before, after) = (answer(&check["before"]), answer(&check["after"]));
            let _ =
                writeln!(out, "| {} | {} | {before} | {after} | {} |", text("name"), text("expected"), text("verdict"));
        }
        if !self.probes.is_empty() {
            out.push_str("\n## Probes\n\nTried and rolled back.\n\n| probe | must | verdict |\n|---|---|---|\n");
        }
        for probe in &self.probes {
            let must = match probe["expected_error"].as_str() {
                Some(error) => format!("fail with {}", cell(error)),
                None => "succeed".to_owned(),
            };
            let text = |key: &str| cell(probe[key].as_str().unwrap_or_default());
            let _ = writeln!(out, "| {} | {must} | {} |", text("name"), text("verdict"));
        }
    }
}

fn row(step: &Step, result: &StepResult) -> String {
    let state = match result.state {
        State::Pending => "not begun",
        State::Begun => "begun",
        State::Done => "done",
        State::FoundDone => "found done",
        State::Undone => "taken back",
    };
    let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    let batches = if result.batches > 0 { format!(" in {} batches", result.batches) } else { String::new() };
    format!(
        "| {} | {} | {state} | {}{batches} | {} | {} |",
        cell(&step.id.0),
        step.class.word(),
        number(result.rows),
        number(result.took_ms),
        result.at.as_deref().unwrap_or_default()
    )
}

/// The rows of an answer in a cell.
fn answer(answer: &Value) -> String {
    let Some(first) = answer["first"].as_array() else { return String::new() };
    let value = |value: &Value| value.as_str().map_or("NULL".to_owned(), cell);
    let row = |row: &Value| {
        row.as_array().map(|row| row.iter().map(value).collect::<Vec<_>>().join(", ")).unwrap_or_default()
    };
    let shown = first.iter().map(row).collect::<Vec<_>>().join("; ");
    let rows = answer["rows"].as_u64().unwrap_or_default();
    if rows > first.len() as u64 { format!("{shown}; {rows} rows in all") } else { shown }
}

/// Text that stays inside a cell of a table, and is no markup.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_one() {
        assert_eq!(cell("a|b\n<c>"), "a\\|b \\<c\\>");
    }
}
