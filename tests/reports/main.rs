//! What reviewers see: a plan as a page in a browser, in the forms of code hosts, and by the recipes for CI.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers as well")]

mod browser;
mod ci;
mod forms;
mod made;
