//! What the specs say must hold of the data, and what the database must take or refuse.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::step::Statement;

/// A declared check: a query and what it must answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredCheck {
    /// Its name, which no other check of the plan has.
    pub name: String,
    /// When it is asked.
    pub when: When,
    /// The query.
    pub sql: Statement,
    /// What it must answer.
    pub expect: Expect,
}

/// A declared dataset: rows that are filed as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Its name, which no other dataset of the plan has.
    pub name: String,
    /// When its rows are filed.
    pub when: When,
    /// The query.
    pub sql: Statement,
}

/// When a declared check is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before the first write.
    Before,
    /// After the last step.
    After,
    /// Both.
    Both,
}

impl When {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Before, Self::After, Self::Both];

    /// The word that specs use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Both => "both",
        }
    }

    /// Whether a check of this choice is asked at a moment, which is not `Both`.
    #[must_use]
    pub fn includes(self, moment: Self) -> bool {
        self == Self::Both || self == moment
    }
}

/// What a query must answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// One row of one value: this one.
    Value(Literal),
    /// Exactly these rows, in any order.
    Rows(Vec<Vec<Literal>>),
    /// One row of one number, within bounds.
    Bounds(Bounds),
    /// After the last step the same rows as before the first write, in any order.
    Unchanged {},
}

/// Bounds of a number, both included; at least one is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Decimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    /// Decimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<String>,
}

/// A value as the specs say it. Ordered by kind and text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Literal {
    /// A text.
    Text(String),
    /// A number in decimal digits.
    Number(String),
    /// True or false.
    Truth(bool),
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Number(digits) => f.write_str(digits),
            Self::Truth(truth) => write!(f, "{truth}"),
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            Self::Rows(rows) if rows.is_empty() => f.write_str("no row"),
            Self::Rows(rows) => {
                let row = |row: &Vec<Literal>| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                write!(f, "the rows ({})", rows.iter().map(row).collect::<Vec<_>>().join("), ("))
            }
            Self::Bounds(bounds) => {
                let parts = [("at least", &bounds.at_least), ("at most", &bounds.at_most)];
                let parts = parts.into_iter().filter_map(|(word, to)| Some(format!("{word} {}", to.as_ref()?)));
                f.write_str(&parts.collect::<Vec<_>>().join(" and "))
            }
            Self::Unchanged {} => f.write_str("what it was before the first write"),
        }
    }
}

/// Statements that are tried after the last step, in a transaction that is always rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredProbe {
    /// Its name, which no other probe of the plan has.
    pub name: String,
    /// Statements that must succeed; they prepare the last one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Statement>,
    /// The statements of which the verdict is made: what was declared, and what makes the engine check at once what it would check at the
    /// commit that never comes.
    pub sql: Vec<Statement>,
    /// A part of the error that must come, in any case of letters; none if they must succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_error: Option<String>,
}

/// Whether an answer is what a literal says. Numbers are compared as numbers; an engine without truths answers `1` and `0`.
#[must_use]
pub fn means(literal: &Literal, answer: Option<&str>) -> bool {
    match (literal, answer) {
        (_, None) => false,
        (Literal::Text(text), Some(answer)) => text == answer,
        (Literal::Number(digits), Some(answer)) => compare(digits, answer) == Some(std::cmp::Ordering::Equal),
        (Literal::Truth(true), Some(answer)) => matches!(answer, "t" | "true" | "1"),
        (Literal::Truth(false), Some(answer)) => matches!(answer, "f" | "false" | "0"),
    }
}

/// Compares two decimal numbers exactly, however they are written; `None` if one is no number.
#[must_use]
pub fn compare(a: &str, b: &str) -> Option<std::cmp::Ordering> {
    let (a, b) = (Decimal::read(a)?, Decimal::read(b)?);
    Some(match (a.negative, b.negative) {
        (false, false) => a.size(&b),
        (true, true) => b.size(&a),
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
    })
}

/// A decimal number without its superfluous zeros: sign, digits before the point, digits after it.
struct Decimal {
    negative: bool,
    whole: String,
    part: String,
}

impl Decimal {
    /// The furthest that an exponent moves the point.
    const FAR: i32 = 400;

    fn read(text: &str) -> Option<Self> {
        let text = text.trim().replace('_', "");
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(&text)),
        };
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && part.is_empty()) || !all_digits(whole) || !all_digits(part) {
            return None;
        }
        if exponent.abs() > Self::FAR {
            return None;
        }
        let (mut whole, mut part) = (whole.to_owned(), part.to_owned());
        for _ in 0..exponent {
            whole.push(if part.is_empty() { '0' } else { part.remove(0) });
        }
        for _ in exponent..0 {
            part.insert(0, whole.pop().unwrap_or('0'));
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let part = part.trim_end_matches('0').to_owned();
        let negative = negative && !(whole.is_empty() && part.is_empty());
        Some(Self { negative, whole, part })
    }

    fn size(&self, other: &Self) -> std::cmp::Ordering {
        let whole = self.whole.len().cmp(&other.whole.len()).then_with(|| self.whole.cmp(&other.whole));
        whole.then_with(|| self.part.cmp(&other.part))
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        for (a, b, order) in [
            ("0", "0.00", Ordering::Equal),
            ("-0", "0", Ordering::Equal),
            ("1e3", "1000", Ordering::Equal),
            ("2.5e-1", "0.25", Ordering::Equal),
            ("9", "10", Ordering::Less),
            ("-9", "-10", Ordering::Greater),
            ("0.1", "0.09", Ordering::Greater),
            ("123456789012345678901234567890", "123456789012345678901234567891", Ordering::Less),
        ] {
            assert_eq!(compare(a, b), Some(order), "{a} {b}");
        }
        for odd in ["", "x", ".", "1.2.3", "e5", "0x1"] {
            assert_eq!(compare(odd, "1"), None, "{odd}");
        }
    }

    #[test]
    fn a_literal_means_what_engines_answer() {
        assert!(means(&Literal::Truth(true), Some("t")) && means(&Literal::Truth(true), Some("1")));
        assert!(!means(&Literal::Text("1".to_owned()), Some("1.0")) && !means(&Literal::Number("1".to_owned()), None));
    }
}
