//! Asks what the specs say must hold of the data, and tries what the database must take or refuse.

use mig_plan::{
    DeclaredCheck, DeclaredProbe, Fingerprint, Plan,
    verify::{Expect, When, compare, means},
};
use serde::{Deserialize, Serialize};

use crate::{
    driver::Driver,
    failure::Failure,
    report::Progress,
    runner::{Halt, OWN, Runner},
    stop::{Stop, Unmet},
};

/// The most rows that a check may answer.
const ROWS: usize = 10_000;
/// How many rows of an answer are kept and shown.
const SHOWN: usize = 5;
/// The most characters of a value that are kept and shown.
const WIDE: usize = 200;

/// What a declared check answered. Long answers are kept as their fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The check.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// The fingerprint of all rows, sorted.
    pub digest: Fingerprint,
    /// The first rows, sorted, long values cut.
    pub first: Vec<Vec<Option<String>>>,
}

type Row = Vec<Option<String>>;

/// How the declared checks and probes ended after the last step.
pub(crate) struct Verdicts {
    /// What the checks answered.
    pub(crate) answers: Vec<Answer>,
    /// What did not end as it must.
    pub(crate) unmet: Vec<Unmet>,
}

impl Verdicts {
    /// How one of them ended, in words.
    pub(crate) fn of(&self, what: &str, name: &str) -> String {
        let unmet = self.unmet.iter().find(|one| one.what == what && one.name == name);
        unmet.map_or_else(|| "holds".to_owned(), |unmet| unmet.says.clone())
    }
}

/// Asks the checks of a moment. Gives all answers, and those that are not what was expected.
pub(crate) async fn ask(
    driver: &mut dyn Driver,
    plan: &Plan,
    moment: When,
    earlier: &[Answer],
) -> Result<(Vec<Answer>, Vec<Unmet>), Halt> {
    let (mut answers, mut unmet) = (Vec::new(), Vec::new());
    for check in plan.declared.iter().filter(|check| check.when.includes(moment)) {
        let rows = match driver.ask(&check.sql, ROWS + 1).await {
            Ok(rows) => rows,
            Err(Failure::Refused { says, .. } | Failure::Transient { says }) => {
                unmet.push(unmet_check(check, format!("its query failed: {says}")));
                continue;
            }
            Err(failure) => return Err(failure.into()),
        };
        if rows.len() > ROWS {
            unmet.push(unmet_check(check, format!("its query gave more than {ROWS} rows: let it count or group them")));
            continue;
        }
        let answer = answer(&check.name, rows.clone());
        let before = earlier.iter().find(|a| a.name == check.name);
        if let Err(says) = judge(check, &rows, &answer, moment, before) {
            unmet.push(unmet_check(check, says));
        }
        answers.push(answer);
    }
    Ok((answers, unmet))
}

fn unmet_check(check: &DeclaredCheck, says: String) -> Unmet {
    Unmet { what: "check", name: check.name.clone(), says, sql: check.sql.sql() }
}

fn answer(name: &str, mut rows: Vec<Row>) -> Answer {
    rows.sort();
    let cut = |value: &Option<String>| value.as_ref().map(|v| shortened(v));
    Answer {
        name: name.to_owned(),
        rows: rows.len() as u64,
        digest: Fingerprint::of(&rows),
        first: rows.iter().take(SHOWN).map(|row| row.iter().map(cut).collect()).collect(),
    }
}

fn shortened(value: &str) -> String {
    if value.chars().count() <= WIDE { value.to_owned() } else { value.chars().take(WIDE).chain(['…']).collect() }
}

/// Whether an answer is what was expected; says how it is not.
fn judge(
    check: &DeclaredCheck,
    rows: &[Row],
    answer: &Answer,
    moment: When,
    before: Option<&Answer>,
) -> Result<(), String> {
    let expected = &check.expect;
    match expected {
        Expect::Value(literal) => {
            let value = single(rows)?;
            if means(literal, value) { Ok(()) } else { Err(format!("expected {literal}, found {}", word(value))) }
        }
        Expect::Bounds(bounds) => {
            let value = single(rows)?;
            let order = |bound: &str| value.and_then(|v| compare(v, bound));
            let low = bounds.at_least.as_ref().map(|b| order(b).map(std::cmp::Ordering::is_ge));
            let high = bounds.at_most.as_ref().map(|b| order(b).map(std::cmp::Ordering::is_le));
            if [low, high].into_iter().flatten().any(|within| within.is_none()) {
                return Err(format!("expected a number, {expected}; found {}", word(value)));
            }
            let within = [low, high].into_iter().flatten().flatten().all(|within| within);
            if within { Ok(()) } else { Err(format!("expected {expected}, found {}", word(value))) }
        }
        Expect::Rows(wanted) => {
            let mut left: Vec<&Row> = rows.iter().collect();
            let mut missing = Vec::new();
            for row in wanted {
                let alike = |found: &&Row| {
                    found.len() == row.len() && row.iter().zip(*found).all(|(w, f)| means(w, f.as_deref()))
                };
                match left.iter().position(alike) {
                    Some(at) => drop(left.remove(at)),
                    None => missing.push(row.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
                }
            }
            if left.is_empty() && missing.is_empty() {
                return Ok(());
            }
            let mut says = format!("expected {} and found {}", counted(wanted.len()), counted(rows.len()));
            let extra: Vec<_> = left.iter().take(SHOWN).map(|row| row_words(row)).collect();
            for (word, some) in [("not expected", extra), ("missing", missing.into_iter().take(SHOWN).collect())] {
                if !some.is_empty() {
                    says.push_str(&format!("; {word}: ({})", some.join("), (")));
                }
            }
            Err(says)
        }
        Expect::Unchanged {} if moment == When::Before => Ok(()),
        Expect::Unchanged {} => match before {
            None => Err("the journal does not say what it was before the first write".to_owned()),
            Some(before) if before.digest == answer.digest => Ok(()),
            Some(before) => Err(format!(
                "before the first write it was {}, now it is {}",
                answer_words(before),
                answer_words(answer)
            )),
        },
    }
}

/// The one value of the one row.
fn single(rows: &[Row]) -> Result<Option<&str>, String> {
    match rows {
        [row] => match row.as_slice() {
            [value] => Ok(value.as_deref()),
            values => Err(format!("expected one value, found a row of {}", values.len())),
        },
        [] => Err("expected one value, found no row".to_owned()),
        rows => Err(format!("expected one value, found {}", counted(rows.len()))),
    }
}

fn word(value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), shortened)
}

fn row_words(row: &[Option<String>]) -> String {
    row.iter().map(|value| word(value.as_deref())).collect::<Vec<_>>().join(", ")
}

fn answer_words(answer: &Answer) -> String {
    match answer.first.as_slice() {
        [] => "no row".to_owned(),
        first => {
            let shown: Vec<_> = first.iter().map(|row| format!("({})", row_words(row))).collect();
            let more = answer.rows.saturating_sub(first.len() as u64);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}{more}", shown.join(", "))
        }
    }
}

fn counted(rows: usize) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}

impl Runner<'_> {
    /// Asks after the last step, tries the probes, and journals the answers; a run that does not hold what was said is not done.
    pub(crate) async fn verify(&mut self, plan: &Plan, before: &[Answer]) -> Result<(), Halt> {
        if plan.declared.is_empty() && plan.probes.is_empty() {
            return Ok(());
        }
        let (answers, mut unmet) = ask(&mut *self.driver, plan, When::After, before).await?;
        for probe in &plan.probes {
            if let Some(says) = self.try_probe(probe).await? {
                let sql = probe.sql.first().map(mig_plan::Statement::sql).unwrap_or_default();
                unmet.push(Unmet { what: "probe", name: probe.name.clone(), says, sql });
            }
        }
        if !answers.is_empty() {
            let answers = answers.clone();
            self.record(&[crate::journal::Event::Asked { moment: When::After, answers }], &[]).await?;
        }
        let verdicts = Verdicts { answers, unmet };
        self.filed(|evidence| evidence.verified(before, &verdicts))?;
        let unmet = verdicts.unmet;
        if !unmet.is_empty() {
            return Err(Stop::NotVerified { unmet }.into());
        }
        let (checks, probes) =
            (plan.declared.iter().filter(|c| c.when.includes(When::After)).count(), plan.probes.len());
        self.report.progress(&Progress::Verified { checks, probes });
        Ok(())
    }

    /// Tries one probe and takes it back; a sentence if it did not end as it must.
    async fn try_probe(&mut self, probe: &DeclaredProbe) -> Result<Option<String>, Halt> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let tried = self.tried(probe).await;
            if !matches!(tried, Err(Halt::Failure(Failure::Lost { .. } | Failure::Unreachable { .. }))) {
                self.driver.rollback().await?;
            }
            match tried {
                Err(Halt::Failure(Failure::Transient { says })) if attempt >= OWN.attempts => {
                    return Ok(Some(format!("it could not get through: {says}")));
                }
                Err(Halt::Failure(Failure::Transient { .. })) => self.pause(attempt).await,
                other => return other,
            }
        }
    }

    async fn tried(&mut self, probe: &DeclaredProbe) -> Result<Option<String>, Halt> {
        self.driver.begin(&OWN).await?;
        for statement in &probe.given {
            match self.driver.execute(statement).await {
                Ok(_) => {}
                Err(Failure::Refused { says, .. }) => {
                    return Ok(Some(format!("what it is tried on could not be made: {says}: {}", statement.sql())));
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        let mut refused = None;
        for statement in &probe.sql {
            match self.driver.execute(statement).await {
                Ok(_) => {}
                Err(Failure::Refused { says, code }) => {
                    refused = Some((says, code));
                    break;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(match (&probe.expect_error, refused) {
            (None, None) => None,
            (None, Some((says, _))) => Some(format!("it must succeed, and was refused: {says}")),
            (Some(wanted), None) => Some(format!("it must fail with `{wanted}`, and succeeded")),
            (Some(wanted), Some((says, code))) => {
                let found = says.to_lowercase().contains(&wanted.to_lowercase()) || code.as_ref() == Some(wanted);
                (!found).then(|| format!("it must fail with `{wanted}`, and failed otherwise: {says}"))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use mig_plan::{
        Statement,
        verify::{Bounds, Literal},
    };

    use super::*;

    fn judged(expect: Expect, rows: &[&[Option<&str>]]) -> Result<(), String> {
        let check = DeclaredCheck { name: "c".to_owned(), when: When::After, sql: Statement::new("q"), expect };
        let rows: Vec<Row> = rows.iter().map(|row| row.iter().map(|v| v.map(str::to_owned)).collect()).collect();
        let answer = answer("c", rows.clone());
        judge(&check, &rows, &answer, When::After, Some(&super::answer("c", vec![vec![Some("1".to_owned())]])))
    }

    #[test]
    fn one_value_is_one_row_of_one_value() {
        let zero = || Expect::Value(Literal::Number("0".to_owned()));
        assert_eq!(judged(zero(), &[&[Some("0")]]), Ok(()));
        assert!(judged(zero(), &[]).unwrap_err().contains("no row"));
        assert!(judged(zero(), &[&[Some("0")], &[Some("0")]]).unwrap_err().contains("2 rows"));
        assert!(judged(zero(), &[&[Some("0"), Some("0")]]).unwrap_err().contains("row of 2"));
        assert!(judged(zero(), &[&[None]]).unwrap_err().contains("NULL"));
    }

    #[test]
    fn rows_are_a_set_with_repetitions() {
        let text = |t: &str| Literal::Text(t.to_owned());
        let two = || Expect::Rows(vec![vec![text("a")], vec![text("b")]]);
        assert_eq!(judged(two(), &[&[Some("b")], &[Some("a")]]), Ok(()));
        let says = judged(two(), &[&[Some("b")], &[Some("b")]]).unwrap_err();
        assert!(says.contains("not expected: (b)") && says.contains("missing: ('a')"), "{says}");
        assert!(judged(Expect::Rows(vec![]), &[&[Some("x")]]).is_err());
    }

    #[test]
    fn bounds_and_what_was_before() {
        let bounds = |low: &str, high: &str| {
            Expect::Bounds(Bounds { at_least: Some(low.to_owned()), at_most: Some(high.to_owned()) })
        };
        assert_eq!(judged(bounds("1", "3"), &[&[Some("3.0")]]), Ok(()));
        assert!(judged(bounds("1", "3"), &[&[Some("4")]]).is_err());
        assert!(judged(bounds("1", "3"), &[&[Some("x")]]).unwrap_err().contains("a number"));
        assert_eq!(judged(Expect::Unchanged {}, &[&[Some("1")]]), Ok(()));
        assert!(judged(Expect::Unchanged {}, &[&[Some("2")]]).unwrap_err().contains("it was (1), now it is (2)"));
    }
}
