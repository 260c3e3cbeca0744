//! Proves that a journal is as it was written: nothing edited, removed, put in between or moved, and no end cut off.

use mig_plan::Fingerprint;
use serde::{Deserialize, Serialize};

use crate::{
    chain::Chain,
    driver::{Driver, JournalLine},
    journal::{Entry, Event},
    runner::Halt,
    runs::KEPT_PLAN,
    stop::Stop,
};

/// Under which digest and name the journal's end is kept.
const HEAD: (&str, &str) = ("journal", "head.json");

/// The end of a journal, written with its last line: without it a cut-off end would leave no trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The number of the last line.
    pub seq: u64,
    /// Its hash.
    pub hash: Fingerprint,
}

/// Records the end of the journal, in the open transaction.
pub(crate) async fn keep_head(driver: &mut dyn Driver, head: &Head) -> Result<(), crate::Failure> {
    let bytes = serde_json::to_vec(head).map_err(|e| crate::Failure::broken(e.to_string()))?;
    driver.keep(HEAD.0, HEAD.1, &bytes).await
}

/// Proves that lines reach to where the journal once did, for who holds the lock: what was done without a trace would be done again.
///
/// # Errors
/// [`Stop::JournalBroken`] if an end was cut off.
pub(crate) async fn reaches_its_end(driver: &mut dyn Driver, entries: &[Entry]) -> Result<(), Halt> {
    let kept = driver.kept(HEAD.0, HEAD.1).await?;
    match end(entries, kept.as_deref()) {
        None => Ok(()),
        Some(Flaw { says, .. }) => Err(Stop::JournalBroken { says }.into()),
    }
}

/// Something that an untouched journal never shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// The line, where one can be named.
    pub seq: Option<u64>,
    /// The run that it says it belongs to, if it could be read.
    pub run: Option<String>,
    /// What is wrong.
    pub says: String,
}

/// What an audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Lines of the journal.
    pub lines: u64,
    /// Those of the run that was asked for, or all.
    pub of_run: u64,
    /// The hash of the last line: whoever notes it elsewhere can prove later that what came before still stands.
    pub head: Option<Head>,
    /// Everything that is wrong; empty if the journal is as it was written.
    pub flaws: Vec<Flaw>,
}

/// Audits the whole journal: a run's lines can only be trusted if all of them can. Reads only.
///
/// # Errors
/// [`Stop`] if the database cannot be asked, or knows no such run.
pub async fn audit(driver: &mut dyn Driver, run: Option<&str>) -> Result<Audit, Stop> {
    let lines = driver.lines().await?;
    let kept = driver.kept(HEAD.0, HEAD.1).await?;
    let (entries, mut flaws) = walk(&lines);
    flaws.extend(end(&entries, kept.as_deref()));
    for entry in &entries {
        if let Event::RunBegun { plan, .. } = &entry.event
            && let Some(says) = plan_flaw(driver, plan).await?
        {
            flaws.push(Flaw { seq: Some(entry.seq), run: Some(entry.run.clone()), says });
        }
    }
    let of_run = entries.iter().filter(|entry| run.is_none_or(|run| entry.run == run)).count() as u64;
    if let Some(run) = run.filter(|_| of_run == 0 && flaws.is_empty()) {
        return Err(Stop::NoSuchRun { which: run.to_owned() });
    }
    let head = entries.last().map(|last| Head { seq: last.seq, hash: last.hash.clone() });
    Ok(Audit { lines: lines.len() as u64, of_run, head, flaws })
}

/// The lines of a run, or of all, as they are. Reads only.
///
/// # Errors
/// [`Stop`] if the database cannot be asked, or knows no such run.
pub async fn export(driver: &mut dyn Driver, run: Option<&str>) -> Result<Vec<Entry>, Stop> {
    let mut entries = driver.entries().await?;
    if let Some(run) = run {
        entries.retain(|entry| entry.run == run);
        if entries.is_empty() {
            return Err(Stop::NoSuchRun { which: run.to_owned() });
        }
    }
    Ok(entries)
}

/// Follows the chain line by line; after a flaw it goes on from what the line itself says, so that every flaw is found.
fn walk(lines: &[JournalLine]) -> (Vec<Entry>, Vec<Flaw>) {
    let (mut entries, mut flaws) = (Vec::<Entry>::new(), Vec::new());
    let mut chain = Chain::default();
    for line in lines {
        let stored: Option<u64> = line.seq.parse().ok();
        let flaw = |run: Option<&str>, says: String| Flaw { seq: stored, run: run.map(str::to_owned), says };
        let next = chain.seq() + 1;
        if let Some(seq) = stored.filter(|seq| *seq > next) {
            let one = seq == next + 1;
            let gone = if one { format!("line {next} was") } else { format!("lines {next} to {} were", seq - 1) };
            flaws.push(flaw(None, format!("{gone} removed: this line comes next")));
        }
        let entry: Entry = match serde_json::from_str(&line.entry) {
            Ok(entry) => entry,
            Err(error) => {
                flaws.push(flaw(None, format!("it cannot be read: {error}")));
                chain = Chain::at(stored.unwrap_or(next), chain.last().clone());
                continue;
            }
        };
        let run = Some(entry.run.as_str());
        if stored != Some(entry.seq) {
            flaws.push(flaw(run, format!("it was moved or copied here: it was written as line {}", entry.seq)));
        } else if !Chain::is_whole(&entry) {
            flaws.push(flaw(run, "it was changed after it was written".to_owned()));
        } else if stored == Some(next) && entry.previous != *chain.last() {
            flaws.push(flaw(run, "it does not follow on the line before it".to_owned()));
        }
        if let Some(beside) = line.beside.as_ref().filter(|beside| **beside != columns(&entry)) {
            let found: Vec<_> = beside.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect();
            flaws.push(flaw(run, format!("the columns beside it were changed: ({})", found.join(", "))));
        }
        chain = Chain::at(stored.unwrap_or(next), entry.hash.clone());
        entries.push(entry);
    }
    (entries, flaws)
}

/// What engines store beside an entry: its run, the name of its event, its step.
#[must_use]
pub fn columns(entry: &Entry) -> [Option<String>; 3] {
    let event = serde_json::to_value(&entry.event).unwrap_or_default();
    let (name, fields) = event.as_object().and_then(|o| o.iter().next()).unzip();
    let step = fields.and_then(|f| f.get("step")).and_then(|s| s.as_str());
    [Some(entry.run.clone()), name.cloned(), step.map(str::to_owned)]
}

/// Whether the journal reaches to where it once did. A journal without a recorded end comes from a mig that did not record it.
fn end(entries: &[Entry], kept: Option<&[u8]>) -> Option<Flaw> {
    let kept = kept?;
    let flaw = |says: String| Some(Flaw { seq: None, run: None, says });
    let Ok(head) = serde_json::from_slice::<Head>(kept) else {
        return flaw("the record of the journal's end cannot be read".to_owned());
    };
    match entries.iter().find(|entry| entry.seq == head.seq) {
        Some(entry) if entry.hash == head.hash => None,
        Some(_) => flaw(format!("line {} is not the one that ended the journal once", head.seq)),
        None => {
            let last = entries.last().map_or(0, |entry| entry.seq);
            flaw(format!("the journal ended with line {} once: the lines after {last} were removed", head.seq))
        }
    }
}

/// What is wrong with the kept plan of a run.
async fn plan_flaw(driver: &mut dyn Driver, plan: &Fingerprint) -> Result<Option<String>, Stop> {
    Ok(match driver.kept(plan.as_str(), KEPT_PLAN).await? {
        None => Some(format!("the plan {plan} that it names was removed")),
        Some(bytes) if Fingerprint::of_bytes(&bytes) != *plan => {
            Some(format!("the plan {plan} that it names was changed"))
        }
        Some(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(lines: u64) -> Vec<JournalLine> {
        let mut chain = Chain::default();
        let entries = (0..lines).map(|_| chain.next("r", Event::RunDone {}));
        entries.map(|entry| line(entry.seq, &entry)).collect()
    }

    fn line(seq: u64, entry: &Entry) -> JournalLine {
        let entry_text = serde_json::to_string(entry).unwrap();
        JournalLine { seq: seq.to_string(), entry: entry_text, beside: Some(columns(entry)) }
    }

    fn says(lines: &[JournalLine]) -> Vec<String> {
        walk(lines).1.into_iter().map(|flaw| format!("{:?} {}", flaw.seq, flaw.says)).collect()
    }

    #[test]
    fn what_was_written_has_no_flaw() {
        assert!(says(&journal(4)).is_empty());
    }

    #[test]
    fn an_edit_a_removal_and_a_move_are_named() {
        let mut edited = journal(4);
        edited[1].entry = edited[1].entry.replace("\"run\":\"r\"", "\"run\":\"q\"");
        assert_eq!(says(&edited)[0], "Some(2) it was changed after it was written");
        let mut beside = journal(2);
        beside[1].beside.as_mut().unwrap()[1] = Some("rolled-back".to_owned());
        assert_eq!(says(&beside), ["Some(2) the columns beside it were changed: (r, rolled-back, NULL)"]);
        let mut removed = journal(5);
        removed.drain(1..3);
        assert_eq!(says(&removed), ["Some(4) lines 2 to 3 were removed: this line comes next"]);
        let mut moved = journal(4);
        let (one, two) = (moved[1].entry.clone(), moved[2].entry.clone());
        (moved[1].entry, moved[2].entry) = (two, one);
        let found = says(&moved);
        assert_eq!(found[0], "Some(2) it was moved or copied here: it was written as line 3");
        assert_eq!(found[1], "Some(3) it was moved or copied here: it was written as line 2");
    }

    #[test]
    fn a_line_that_was_hashed_anew_breaks_the_next_one() {
        let mut lines = journal(3);
        let entry: Entry = serde_json::from_str(&lines[1].entry).unwrap();
        let forged = Chain::at(1, entry.previous).next("forged", Event::RunDone {});
        lines[1] = line(2, &forged);
        assert_eq!(says(&lines), ["Some(3) it does not follow on the line before it"]);
    }

    #[test]
    fn a_cut_off_end_is_found_where_it_was_recorded() {
        let (entries, _) = walk(&journal(3));
        let head = Head { seq: 3, hash: entries[2].hash.clone() };
        let head = serde_json::to_vec(&head).unwrap();
        assert_eq!(end(&entries, Some(&head)), None);
        assert_eq!(end(&entries, None), None);
        assert!(end(&entries[..2], Some(&head)).unwrap().says.contains("lines after 2 were removed"));
    }
}
