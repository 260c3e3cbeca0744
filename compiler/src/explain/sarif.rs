//! A plan's hazards as SARIF 2.1.0, the form in which code hosts take the findings of tools.

use std::collections::BTreeSet;

use mig_plan::{Class, Fingerprint, HazardCode, Plan};
use serde_json::{Value, json};

use super::{Advice, Pages, Spot, Spots};

/// A plan's hazards as a SARIF 2.1.0 log: a rule for each code with what its page says, a result for each hazard of each step.
#[must_use]
pub fn sarif(plan: &Plan, pages: Pages<'_>, spots: &Spots) -> String {
    let codes: BTreeSet<HazardCode> = plan.steps.iter().flat_map(|s| &s.hazards).map(|h| h.code).collect();
    let rules: Vec<_> = codes.iter().map(|code| rule(*code, pages)).collect();
    let mut results = Vec::new();
    for step in &plan.steps {
        for hazard in &step.hazards {
            let text = format!("{}: {} [step {}; lock: {}]", hazard.at, hazard.says, step.id, step.lock);
            let print = Fingerprint::of(&(&step.id, hazard.code, &hazard.at));
            let mut result = json!({
                "ruleId": hazard.code.code(),
                "ruleIndex": codes.iter().position(|code| *code == hazard.code),
                "level": level(hazard.code.class()),
                "message": { "text": text },
                "partialFingerprints": { "migStep/v1": print.short(32) },
                "properties": { "step": step.id, "phase": step.phase, "undo": step.undo.says },
            });
            if let Some(spot) = spots.find(&hazard.at, &step.id) {
                result["locations"] = json!([location(spot)]);
            }
            results.push(result);
        }
    }
    let (name, version) = plan.compiler.split_once(' ').unwrap_or((&plan.compiler, ""));
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": name, "semanticVersion": version, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn rule(code: HazardCode, pages: Pages<'_>) -> Value {
    let advice = Advice::of(code, pages);
    let parts = [
        ("What happens, and to whom", advice.happens),
        ("What mig does about it", advice.remedy),
        ("How it is undone", advice.undone),
        ("What to check", advice.check),
    ];
    let told: Vec<_> = parts.iter().filter(|(_, text)| !text.is_empty()).collect();
    let text: Vec<_> = told.iter().map(|(title, text)| format!("{title}: {text}")).collect();
    let markdown: Vec<_> = told.iter().map(|(title, text)| format!("**{title}**\n\n{text}")).collect();
    json!({
        "id": code.code(),
        "name": format!("{code:?}"),
        "shortDescription": { "text": code.title() },
        "fullDescription": { "text": if advice.happens.is_empty() { code.title() } else { advice.happens } },
        "help": { "text": format!("{}\nmig explain {code}", text.join("\n")), "markdown": markdown.join("\n\n") },
        "defaultConfiguration": { "level": level(code.class()) },
    })
}

fn level(class: Class) -> &'static str {
    match class {
        Class::Critical => "error",
        Class::Warning => "warning",
        Class::Routine => "note",
    }
}

fn location(spot: &Spot) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&spot.path) },
        "region": {
            "startLine": spot.line, "startColumn": spot.column, "endLine": spot.end_line, "endColumn": spot.end_column,
        },
    }})
}

/// A path as a relative URI.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn every_hazard_is_a_result_at_a_place() {
        let plan = sample::plan();
        let spots = Spots::default().with_plan("plans/a b.json", &plan);
        let log: Value = serde_json::from_str(&sarif(&plan, &sample::pages, &spots)).unwrap();
        let run = &log["runs"][0];
        let hazards = plan.steps.iter().flat_map(|step| &step.hazards).count();
        assert_eq!(run["results"].as_array().unwrap().len(), hazards);
        for result in run["results"].as_array().unwrap() {
            let rule = &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "plans/a%20b.json");
            assert!(place["region"]["startLine"].as_u64().unwrap() > 1);
        }
    }
}
