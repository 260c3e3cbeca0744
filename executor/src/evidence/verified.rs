//! Declared checks and probes with what they answered, before and after side by side.

use mig_plan::{Fingerprint, Plan, verify::When};
use serde_json::{Value, json};

use crate::verify::{Answer, Verdicts};

/// Each declared check, with both answers.
pub(super) fn checks(plan: &Plan, before: &[Answer], verdicts: Option<&Verdicts>) -> Value {
    let answer =
        |answers: &[Answer], name: &str| answers.iter().find(|answer| answer.name == name).map(|one| json!(one));
    let lines = plan.declared.iter().map(|check| {
        let sql = check.sql.sql();
        let asked_after = check.when.includes(When::After);
        let verdict = match verdicts {
            Some(verdicts) if asked_after => verdicts.of("check", &check.name),
            None if asked_after => "not asked yet".to_owned(),
            _ => "holds".to_owned(),
        };
        json!({
            "name": check.name, "when": check.when, "sql_sha256": Fingerprint::of_bytes(sql.as_bytes()), "sql": sql,
            "expected": check.expect.to_string(), "before": answer(before, &check.name),
            "after": verdicts.and_then(|verdicts| answer(&verdicts.answers, &check.name)), "verdict": verdict,
        })
    });
    Value::Array(lines.collect())
}

/// Each probe, with how it ended.
pub(super) fn probes(plan: &Plan, verdicts: &Verdicts) -> Value {
    let lines = plan.probes.iter().map(|probe| {
        let sql: Vec<_> = probe.given.iter().chain(&probe.sql).map(mig_plan::Statement::sql).collect();
        json!({ "name": probe.name, "sql": sql, "expected_error": probe.expect_error,
            "verdict": verdicts.of("probe", &probe.name) })
    });
    Value::Array(lines.collect())
}
