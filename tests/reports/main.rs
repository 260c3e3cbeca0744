//! What reviewers see: a plan as a page in a browser, in the forms of code hosts, and by the recipes for CI.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers as well")]

mod browser;
mod ci;
mod forms;
mod made;

use made::Made;

#[test]
fn a_small_plan_can_be_reviewed() {
    browser::page(&Made::small());
}

#[test]
fn a_plan_of_two_thousand_steps_can_be_reviewed() {
    let plan = Made::large();
    forms::comment(&plan);
    browser::page(&plan);
}
