//! Pattern lists as OpenSSH writes them: comma separated, `*` and `?`, `!` takes away.
//!
//! A principal may itself be a pattern (`*@example.com`), so two questions are asked of patterns and not only of plain text:
//! does one take in everything that the other stands for, and could both stand for the same person. Where the answer is not
//! certain it is the one that lets fewer signatures count.

use std::fmt;

use serde::Deserialize;

/// A pattern list that can match nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pattern list `{text}` {why}")]
pub struct BadPattern {
    /// The list as written.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A comma separated list of patterns. It matches what some pattern matches and no `!pattern` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct PatternList {
    text: String,
    wanted: Vec<Glob>,
    excluded: Vec<Glob>,
}

impl PatternList {
    /// Reads a list such as `*@example.com,!eve@example.com`.
    ///
    /// # Errors
    /// When a pattern is empty, or when the list only takes away and so matches nobody.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let bad = |why| BadPattern { text: text.to_owned(), why };
        let (mut wanted, mut excluded) = (Vec::new(), Vec::new());
        for part in text.split(',') {
            let (list, pattern) = match part.strip_prefix('!') {
                Some(pattern) => (&mut excluded, pattern),
                None => (&mut wanted, part),
            };
            if pattern.is_empty() {
                return Err(bad("has an empty pattern"));
            }
            list.push(Glob(pattern.chars().collect()));
        }
        if wanted.is_empty() {
            return Err(bad("only takes away, so it matches nobody"));
        }
        Ok(Self { text: text.to_owned(), wanted, excluded })
    }

    /// Whether this list matches a plain text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.takes(&Glob(text.chars().collect()))
    }

    /// Whether somebody whom `names` stands for is certainly matched by this list.
    pub(crate) fn admits(&self, names: &Self) -> bool {
        names.effective().any(|name| self.takes(name))
    }

    /// Whether both lists could stand for the same person.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.effective().any(|mine| other.effective().any(|theirs| mine.overlaps(theirs)))
    }

    /// Whether the list still stands for anybody after what it takes away.
    pub(crate) fn is_empty(&self) -> bool {
        self.effective().next().is_none()
    }

    fn effective(&self) -> impl Iterator<Item = &Glob> {
        self.wanted.iter().filter(|name| !self.excluded.iter().any(|out| out.covers(name)))
    }

    fn takes(&self, name: &Glob) -> bool {
        self.wanted.iter().any(|glob| glob.covers(name)) && !self.excluded.iter().any(|glob| glob.overlaps(name))
    }
}

impl fmt::Display for PatternList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<Vec<String>> for PatternList {
    type Error = BadPattern;

    fn try_from(patterns: Vec<String>) -> Result<Self, BadPattern> {
        Self::parse(&patterns.join(","))
    }
}

/// One pattern. A plain text is a pattern without wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Glob(Vec<char>);

impl Glob {
    /// Whether each text that `other` matches is matched by this pattern.
    /// A `?` here does not take in a `*` there, which may stand for any number of characters.
    fn covers(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.0, &other.0);
        let mut table = Table::new(mine.len(), theirs.len());
        table.set(mine.len(), theirs.len(), true);
        for i in (0..mine.len()).rev() {
            for j in (0..=theirs.len()).rev() {
                let next = theirs.get(j);
                let reached = match mine[i] {
                    '*' => table.at(i + 1, j) || (next.is_some() && table.at(i, j + 1)),
                    '?' => next.is_some_and(|&c| c != '*') && table.at(i + 1, j + 1),
                    own => next.is_some_and(|&c| c == own) && table.at(i + 1, j + 1),
                };
                table.set(i, j, reached);
            }
        }
        table.at(0, 0)
    }

    /// Whether some text is matched by both patterns.
    fn overlaps(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.0, &other.0);
        let mut table = Table::new(mine.len(), theirs.len());
        for i in (0..=mine.len()).rev() {
            for j in (0..=theirs.len()).rev() {
                let reached = match (mine.get(i), theirs.get(j)) {
                    (None, None) => true,
                    (Some('*'), None) => table.at(i + 1, j),
                    (None, Some('*')) => table.at(i, j + 1),
                    (Some('*'), Some(_)) | (Some(_), Some('*')) => table.at(i + 1, j) || table.at(i, j + 1),
                    (Some(a), Some(b)) => (a == b || *a == '?' || *b == '?') && table.at(i + 1, j + 1),
                    (Some(_), None) | (None, Some(_)) => false,
                };
                table.set(i, j, reached);
            }
        }
        table.at(0, 0)
    }
}

/// For each pair of rests of two patterns, whether they fit: linear in both, whatever the wildcards.
struct Table {
    width: usize,
    cells: Vec<bool>,
}

impl Table {
    fn new(rows: usize, columns: usize) -> Self {
        Self { width: columns + 1, cells: vec![false; (rows + 1) * (columns + 1)] }
    }

    fn at(&self, row: usize, column: usize) -> bool {
        self.cells[row * self.width + column]
    }

    fn set(&mut self, row: usize, column: usize, value: bool) {
        self.cells[row * self.width + column] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> PatternList {
        PatternList::parse(text).unwrap()
    }

    #[test]
    fn plain_texts_match_as_in_openssh() {
        for (pattern, text, expected) in [
            ("alice@example.com", "alice@example.com", true),
            ("alice@example.com", "Alice@example.com", false),
            ("*@example.com", "alice@example.com", true),
            ("*@example.com", "alice@dba.example.com", false),
            ("a?ice", "alice", true),
            ("a?ice", "aice", false),
            ("*,!eve", "eve", false),
            ("!eve,*", "alice", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("**", "x", true),
        ] {
            assert_eq!(list(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_wildcard_principal_is_admitted_only_when_all_it_stands_for_is() {
        assert!(list("*.example.com").admits(&list("*@dba.example.com")));
        assert!(list("*@example.com").admits(&list("*@example.com")));
        assert!(!list("*@dba.example.com").admits(&list("*@example.com")));
        assert!(!list("*@dba.example.com").admits(&list("*")));
        assert!(!list("?@x").admits(&list("*@x")));
        assert!(!list("*@x,!eve@x").admits(&list("*@x")), "eve may hide behind the wildcard");
        assert!(list("*@dba").admits(&list("alice@home,alice@dba")), "any alias will do");
        assert!(!list("*@dba").admits(&list("alice@home,alice@dba,!alice@dba")));
    }

    #[test]
    fn two_lists_meet_when_somebody_could_be_in_both() {
        assert!(list("*@example.com").meets(&list("alice@*")));
        assert!(list("alice@x,alice@y").meets(&list("bob@x,alice@y")));
        assert!(list("*").meets(&list("bob@x")));
        assert!(!list("alice@x").meets(&list("bob@x")));
        assert!(!list("*@x").meets(&list("*@y")));
        assert!(!list("a?").meets(&list("a")));
    }

    #[test]
    fn lists_that_match_nobody_are_refused() {
        assert!(PatternList::parse("").is_err());
        assert!(PatternList::parse("a,,b").is_err());
        assert!(PatternList::parse("!eve").is_err());
        assert!(serde_json::from_str::<PatternList>("[]").is_err());
        assert!(list("eve,!eve").is_empty());
    }
}
