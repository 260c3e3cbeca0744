//! The HTML of a plan in a real browser: of a small plan and of one of two thousand steps, at the width of a desk and of a phone.

use mig_test_support::browser;
use serde_json::Value;

use crate::made::Made;

/// What a reviewer does with the page, by mouse and by keys, and what the page then shows.
const VISIT: &str = r##"
    const all = (selector) => [...document.querySelectorAll(selector)];
    const rest = (ms) => new Promise((done) => setTimeout(done, ms));
    const shown = () => all(".step").filter((step) => step.getClientRects().length > 0).length;
    const key = (key, at = document.activeElement) => at.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    const told = { steps: shown(), nodes: all(".node").length, arrows: all(".arrow").length, wide: document.documentElement.scrollWidth - innerWidth };
    told.open = all(".step[open]").length;
    told.spills = all(".node").filter((node) => [...node.querySelectorAll("text")].some((text) =>
      text.getComputedTextLength() > node.querySelector("rect").width.baseVal.value - 12)).map((node) => node.textContent);
    told.status = document.getElementById("shown").textContent;

    const box = (value) => document.querySelector(`input[value=${value}]`);
    for (const value of ["critical", "warning"]) if (!box(value).disabled) box(value).click();
    told.routine = shown();
    told.faded = all(".node.off").length;
    for (const value of ["critical", "warning"]) if (!box(value).disabled) box(value).click();
    const phase = all("input[name=phase]:not(:disabled)")[0];
    phase.click();
    told.otherPhases = shown();
    phase.click();
    told.again = shown();

    key("/", document.body);
    const find = document.getElementById("find");
    told.focusFind = document.activeElement === find;
    find.value = all(".step .id")[1].textContent;
    find.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await rest(400);
    told.found = shown();
    key("Escape", find);
    told.after = shown();

    key("j", document.body);
    told.first = document.activeElement.closest(".step")?.id;
    key("j");
    told.second = document.activeElement.closest(".step")?.id;
    const was = document.activeElement.closest(".step").open;
    key("o");
    told.toggled = document.activeElement.closest(".step").open !== was;

    const node = document.querySelector(".node");
    node.focus();
    key("ArrowRight");
    if (document.activeElement === node) key("ArrowDown");
    told.moved = document.activeElement !== node && document.activeElement.classList.contains("node");

    location.hash = "#step-2";
    await rest(200);
    told.linked = document.getElementById("step-2").open;

    const colour = () => getComputedStyle(document.body).backgroundColor;
    const before = colour();
    document.getElementById("theme").click();
    told.theme = colour() !== before;
    return told;
"##;

fn visit(page: &str, width: u32) -> Value {
    let seen = browser::open(page, VISIT, width, 850);
    assert_eq!(seen.console, [""; 0], "at {width} pixels");
    serde_json::from_str(&seen.result).unwrap()
}

/// What must hold at every width, counted from the plan file and not from the page.
fn holds(plan: &Made, told: &Value, width: u32) {
    let file = plan.json();
    let steps = file["steps"].as_array().unwrap();
    let first = &steps[0]["phase"];
    let of = |key: &str, value: &Value| steps.iter().filter(|step| step[key] == *value).count();
    let (all, routine) = (steps.len(), of("class", &"routine".into()));
    let wants = [
        ("steps", all),
        ("nodes", all),
        ("open", of("class", &"critical".into())),
        ("routine", routine),
        ("faded", all - routine),
        ("otherPhases", all - of("phase", first)),
        ("again", all),
        ("found", 1),
        ("after", all),
    ];
    for (what, wanted) in wants {
        assert_eq!(told[what], wanted, "{what} at {width} pixels: {told}");
    }
    for what in ["focusFind", "toggled", "moved", "linked", "theme"] {
        assert_eq!(told[what], true, "{what} at {width} pixels: {told}");
    }
    assert_eq!(told["status"], format!("{all} steps"));
    assert_eq!((&told["first"], &told["second"]), (&"step-1".into(), &"step-2".into()));
    assert!(told["wide"].as_i64().unwrap() <= 0, "wider than the window at {width} pixels: {told}");
    assert_eq!(told["spills"], Value::Array(Vec::new()), "texts leave their boxes");
}

/// Whether a plan's page can be read and used at the desk and on a phone.
pub(crate) fn page(plan: &Made) {
    let page = plan.shown("html");
    for width in [1280, 390] {
        let told = visit(&page, width);
        holds(plan, &told, width);
        assert!(told["arrows"].as_u64().unwrap() > 0, "{told}");
    }
}

#[test]
fn an_error_on_the_page_is_seen() {
    let page = "<html><body><img src=\"http://127.0.0.1:9/x.png\"><script>console.error('oh');</script></body></html>";
    let seen = browser::open(page, "return 1", 500, 500);
    assert!(seen.console.iter().any(|line| line.contains("oh")), "{seen:?}");
    assert_eq!(seen.result, "1");
}
