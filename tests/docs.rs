//! The book and the READMEs: every page is reached, and every link leads somewhere.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers as well")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" {
                pages(&path, found);
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// A page's text without its blocks of code.
fn prose(text: &str) -> String {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        if !fence && !inside {
            lines.push(line);
        }
        inside ^= fence;
    }
    lines.join("\n")
}

/// The targets of a page's links that lead to files, and the names of its sections.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    local.map(str::to_owned).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text);
    let headings = headings
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let plain = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
        _ => None,
    };
    headings.map(|heading| heading.chars().filter_map(plain).collect()).collect()
}

/// A path without `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(out.pop(), "{} leads above everything", path.display()),
            part => out.push(part),
        }
    }
    out
}

#[test]
fn every_link_leads_somewhere() {
    let mut all = Vec::new();
    for folder in ["docs", "specs", "plans", "examples", "executor"] {
        pages(&root().join(folder), &mut all);
    }
    all.push(root().join("README.md"));
    let book = root().join("docs");
    let mut wrong = String::new();
    for page in all {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { page.clone() } else { tidy(&page.parent().unwrap().join(path)) };
            let there = target.exists()
                && (anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor));
            if !there {
                wrong += &format!("{}: {link}\n", page.display());
            } else if page.starts_with(&book) && !target.starts_with(&book) {
                wrong += &format!("{}: {link} leaves the book: include what it leads to as a page\n", page.display());
            }
        }
        for include in text.split("{{#include ").skip(1).filter_map(|rest| rest.split("}}").next()) {
            if !page.parent().unwrap().join(include).is_file() {
                wrong += &format!("{}: includes {include}\n", page.display());
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{wrong}");
}

#[test]
fn what_is_included_has_no_links_of_its_own_folder() {
    let mut all = Vec::new();
    pages(&root().join("docs"), &mut all);
    for page in all {
        let text = fs::read_to_string(&page).unwrap();
        for include in text.split("{{#include ").skip(1).filter_map(|rest| rest.split("}}").next()) {
            let included = fs::read_to_string(page.parent().unwrap().join(include)).unwrap();
            let lost: Vec<_> = links(&included).into_iter().filter(|link| !link.starts_with('#')).collect();
            assert_eq!(lost, [""; 0], "in the book these links of {include} lead nowhere");
        }
    }
}

#[test]
fn the_summary_names_every_page_by_its_title() {
    let book = root().join("docs");
    let summary = fs::read_to_string(book.join("SUMMARY.md")).unwrap();
    let mut all = Vec::new();
    pages(&book, &mut all);
    let mut wrong = String::new();
    for page in all.iter().filter(|page| !page.ends_with("SUMMARY.md")) {
        let name = page.strip_prefix(&book).unwrap().display().to_string();
        let title =
            fs::read_to_string(page).unwrap().lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
        let line = if name.starts_with("codes/") { format!("[{title}]({name})") } else { format!("]({name})") };
        if !summary.contains(&line) {
            wrong += &format!("- {line}\n");
        }
    }
    assert!(wrong.is_empty(), "docs/SUMMARY.md lacks:\n{wrong}");
}
