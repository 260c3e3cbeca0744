//! Runs the legs of a line. A transaction locks, probes, runs and probes again, and its journal lines commit with it; a statement that
//! cannot share a transaction is journalled before, and proved after.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::{Duration, Instant},
};

use mig_plan::{
    Action, Address, Limits, Object, Remembered, StepId,
    step::{Single, Statement, Transaction},
};

use crate::{
    align::Spelling,
    checks::left,
    driver::Cursor,
    failure::Failure,
    journal::Event,
    line::{Leg, Line, Way},
    reconcile::{amid, difference},
    report::Progress,
    runner::{Halt, OWN, Runner},
    stop::Stop,
};

/// What the journal knows of a line that is being walked.
pub(crate) struct Course {
    /// Steps that the journal says are done.
    pub(crate) done: BTreeSet<StepId>,
    /// Where batches stand.
    pub(crate) cursors: BTreeMap<StepId, (Cursor, u64)>,
}

/// How the touched objects stand, seen from a unit of work.
enum Stance {
    Before,
    After,
    Amid,
}

impl Runner<'_> {
    /// Walks the legs from `from` up to `end`.
    pub(crate) async fn walk(&mut self, line: &Line<'_>, from: usize, end: usize, course: &Course) -> Result<(), Halt> {
        let mut at = from;
        while at < end {
            self.gate().await?;
            let group = line.group(at, end);
            if line.legs[at].group.is_some() {
                self.backfills(line, group.clone(), course).await?;
                at = group.end;
                continue;
            }
            let unit = line.unit(at, end);
            for nth in unit.clone() {
                self.tell_started(line, nth);
            }
            let leg = &line.legs[at];
            let result = match leg.action {
                Action::Batches(batches) => self.backfill(line, at, batches, course).await,
                Action::Statement(single) => self.single(line, at, single, course).await,
                Action::Transaction(_) | Action::Nothing {} => self.transaction(line, &unit, course).await,
            };
            result.map_err(|halt| refused(leg.id, halt))?;
            at = unit.end;
        }
        Ok(())
    }

    pub(crate) async fn transaction(
        &mut self,
        line: &Line<'_>,
        unit: &Range<usize>,
        course: &Course,
    ) -> Result<(), Halt> {
        let first = &line.legs[unit.start];
        let parts: Vec<&Transaction> = line.legs[unit.clone()].iter().filter_map(transaction_of).collect();
        let limits = united(&parts);
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mark = self.chain.clone();
            if wait(attempt).is_none() {
                self.driver
                    .make_way(&line.legs[unit.clone()].iter().flat_map(|l| l.touched.iter().cloned()).collect())
                    .await?;
            }
            let result = match self.transaction_once(line, unit, &brief(&limits, attempt), course).await {
                Ok(done) => Ok(done),
                Err(halt) => self.abandoned(mark, halt).await,
            };
            let restored = match &result {
                Err(Halt::Failure(Failure::Lost { .. } | Failure::Unreachable { .. })) => Ok(()),
                _ => self.each_alone(parts.iter().flat_map(|part| &part.restore)).await,
            };
            match result {
                Err(Halt::Failure(Failure::Transient { says })) => self.again(first.id, attempt, &limits, says).await?,
                Err(halt) => return Err(halt),
                Ok((took, rows)) => {
                    for nth in unit.clone() {
                        self.tell_done(line, nth, took, rows);
                    }
                    return restored.map_err(given_up);
                }
            }
        }
    }

    async fn each_alone(&mut self, statements: impl Iterator<Item = &Statement>) -> Result<(), Halt> {
        for statement in statements {
            self.driver.execute(statement).await?;
        }
        Ok(())
    }

    /// One attempt; gives how long it took, `None` if it was found done, and the rows that a data step affected.
    async fn transaction_once(
        &mut self,
        line: &Line<'_>,
        unit: &Range<usize>,
        limits: &Limits,
        course: &Course,
    ) -> Result<(Option<Duration>, Option<u64>), Halt> {
        let legs = &line.legs[unit.clone()];
        let started = Instant::now();
        self.each_alone(legs.iter().filter_map(transaction_of).flat_map(|part| &part.prepare)).await?;
        self.cross_leg(line, unit.start, "begin");
        self.driver.begin(limits).await?;
        for lock in legs.iter().filter_map(transaction_of).flat_map(|part| &part.lock) {
            self.driver.execute(lock).await?;
        }
        self.cross_leg(line, unit.start, "locked");
        let touched: BTreeSet<Address> = legs.iter().flat_map(|leg| leg.touched.iter().cloned()).collect();
        let live = self.observe(&touched).await?;
        let found = match self.stance(line, unit, &touched, &live)? {
            Stance::Before => false,
            Stance::After | Stance::Amid => true,
        };
        let mut seen = live;
        let mut records = Vec::new();
        let mut rows = None;
        for nth in unit.clone() {
            let affected = match found {
                true => None,
                false => self.leg_in_transaction(line, nth, &mut seen, &mut records, course).await?,
            };
            rows = affected.or(rows);
            records.extend(line.legs[nth].mark.clone());
            let took = (!found).then(|| started.elapsed());
            self.append(done_event(line.way, &line.legs[nth], took, affected)).await?;
        }
        if !records.is_empty() {
            self.driver.remember(&records).await?;
        }
        self.cross_leg(line, unit.start, "before-commit");
        self.commit().await?;
        self.cross_leg(line, unit.start, "after-commit");
        self.memory.extend(records);
        Ok(((!found).then(|| started.elapsed()), rows))
    }

    /// Runs one leg in the open transaction; gives the rows that a data step affected.
    async fn leg_in_transaction(
        &mut self,
        line: &Line<'_>,
        nth: usize,
        seen: &mut BTreeMap<Address, Object>,
        records: &mut Vec<Remembered>,
        course: &Course,
    ) -> Result<Option<u64>, Halt> {
        let leg = &line.legs[nth];
        let Action::Transaction(part) = leg.action else { return Ok(None) };
        if line.shapeless(nth) && self.data_done(leg, course).await? {
            return Ok(None);
        }
        self.reject(line, nth).await?;
        let mut affected = 0;
        for (number, statement) in part.sql.iter().enumerate() {
            self.cross_leg(line, nth, &format!("before-sql-{number}"));
            self.busy(true);
            let done = self.driver.execute(statement).await;
            self.busy(false);
            affected = done?;
            self.cross_leg(line, nth, &format!("after-sql-{number}"));
        }
        for query in &part.none {
            if let Some(row) = self.driver.ask(query, 1).await?.first() {
                let row: Vec<_> = row.iter().map(|v| v.as_deref().unwrap_or("NULL")).collect();
                let says = format!("a query that must find nothing found ({}): {}", row.join(", "), query.sql());
                return Err(Stop::StepFailed { step: leg.id.clone(), says, code: None }.into());
            }
        }
        let said = self.proved(line, nth, seen, records).await?;
        records.extend(said);
        Ok(leg.remaining.is_some().then_some(affected))
    }

    /// Looks at what a leg has just made: it must be the state after it, save for spelling. Gives the spelling to remember. `so_far` is what
    /// earlier legs of the same transaction gave.
    async fn proved(
        &mut self,
        line: &Line<'_>,
        nth: usize,
        seen: &mut BTreeMap<Address, Object>,
        so_far: &[Remembered],
    ) -> Result<Vec<Remembered>, Halt> {
        let leg = &line.legs[nth];
        let live = self.observe(&leg.touched).await?;
        let memory = if so_far.is_empty() { Cow::Borrowed(&self.memory) } else { Cow::Owned(self.memory.with(so_far)) };
        let spelling = Spelling { dialect: self.driver.dialect(), memory: &memory };
        let mut records = Vec::new();
        for at in &leg.touched {
            let expected = line.expected(nth + 1, at);
            match spelling.adopt(at, seen.get(at), live.get(at), expected) {
                Some(adopted) => records.extend(adopted),
                None => {
                    let difference = difference(line, nth + 1, &live, &leg.touched, spelling);
                    let says = format!("the step ran, but did not give what its plan says:\n{difference}");
                    return Err(Stop::Internal { step: Some(leg.id.clone()), says }.into());
                }
            }
        }
        for at in &leg.touched {
            match live.get(at) {
                Some(object) => seen.insert(at.clone(), object.clone()),
                None => seen.remove(at),
            };
        }
        Ok(records)
    }

    async fn single(&mut self, line: &Line<'_>, nth: usize, single: &Single, course: &Course) -> Result<(), Halt> {
        let leg = &line.legs[nth];
        let unit = nth..nth + 1;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut seen = self.observe(&leg.touched).await?;
            let found = match self.stance(line, &unit, &leg.touched, &seen)? {
                Stance::Amid => {
                    self.repair(leg).await?;
                    continue;
                }
                Stance::After => true,
                Stance::Before => line.shapeless(nth) && self.data_done(leg, course).await?,
            };
            if found {
                let records = self.proved(line, nth, &mut seen, &[]).await?;
                self.record(&[done_event(line.way, leg, None, None)], &records).await?;
                self.tell_done(line, nth, None, None);
                return Ok(());
            }
            self.record(&[Event::StepBegun { step: leg.id.clone(), session: self.session.clone() }], &[]).await?;
            if wait(attempt).is_none() {
                self.driver.make_way(&leg.touched).await?;
            }
            let started = Instant::now();
            self.cross_leg(line, nth, "before-alone");
            match self.alone(single).await {
                Ok(_) => {}
                Err(failure @ (Failure::Transient { .. } | Failure::Refused { .. })) => {
                    let live = self.observe(&leg.touched).await?;
                    if matches!(self.stance(line, &unit, &leg.touched, &live)?, Stance::Amid) {
                        self.repair(leg).await?;
                    }
                    let says = match self.cut(failure.into()) {
                        Halt::Failure(Failure::Transient { says }) => says,
                        halt => return Err(halt),
                    };
                    self.again(leg.id, attempt, &single.limits, says).await?;
                    continue;
                }
                Err(failure) => return Err(failure.into()),
            }
            self.cross_leg(line, nth, "after-alone");
            let records = self.proved(line, nth, &mut seen, &[]).await?;
            let took = Some(started.elapsed());
            self.record(&[done_event(line.way, leg, took, None)], &records).await?;
            self.tell_done(line, nth, took, None);
            return Ok(());
        }
    }

    /// Runs a statement after those that prepare it.
    async fn alone(&mut self, single: &Single) -> Result<u64, Failure> {
        self.busy(true);
        let done = self.prepared(single).await;
        let restored = match &done {
            // A lost session takes its settings with it.
            Err(Failure::Lost { .. }) => Ok(()),
            _ => self.restored(single).await,
        };
        self.busy(false);
        let rows = done?;
        restored.map(|()| rows)
    }

    async fn restored(&mut self, single: &Single) -> Result<(), Failure> {
        for statement in &single.restore {
            self.driver.execute_alone(statement, &single.limits).await?;
        }
        Ok(())
    }

    async fn prepared(&mut self, single: &Single) -> Result<u64, Failure> {
        for statement in &single.prepare {
            self.driver.execute_alone(statement, &single.limits).await?;
        }
        self.driver.execute_alone(&single.sql, &single.limits).await
    }

    /// Clears away what an interrupted statement left behind.
    pub(crate) async fn repair(&mut self, leg: &Leg<'_>) -> Result<(), Halt> {
        let Action::Statement(Single { partial: Some(partial), limits, .. }) = leg.action else { return Ok(()) };
        self.report.progress(&Progress::Repairing { id: leg.id.clone() });
        self.driver.execute_alone(&partial.repair, limits).await?;
        let live = self.observe(&leg.touched).await?;
        let still = partial
            .state
            .iter()
            .all(|(at, object)| self.spelling().adopt(at, None, live.get(at), object.as_deref()).is_some());
        if still {
            let says = "the repair of its half-done state changed nothing".to_owned();
            return Err(Stop::StepFailed { step: leg.id.clone(), says, code: None }.into());
        }
        Ok(())
    }

    /// Where the touched objects stand; drift if nowhere.
    fn stance(
        &self,
        line: &Line<'_>,
        unit: &Range<usize>,
        touched: &BTreeSet<Address>,
        live: &BTreeMap<Address, Object>,
    ) -> Result<Stance, Halt> {
        let spelling = self.spelling();
        let fits = |state: usize| touched.iter().all(|at| spelling.equal(at, live.get(at), line.expected(state, at)));
        if fits(unit.start) {
            return Ok(Stance::Before);
        }
        if fits(unit.end) {
            return Ok(Stance::After);
        }
        let leg = &line.legs[unit.start];
        if unit.len() == 1 && amid(line, unit.start, touched, live, spelling) {
            return Ok(Stance::Amid);
        }
        let difference = difference(line, unit.start, live, touched, spelling);
        Err(Stop::Drift { difference, step: Some(leg.id.clone()) }.into())
    }

    /// Whether a step that leaves no trace in shapes is done: its query decides, without one the journal.
    pub(crate) async fn data_done(&mut self, leg: &Leg<'_>, course: &Course) -> Result<bool, Halt> {
        match leg.remaining {
            Some(query) => Ok(left(&mut *self.driver, query).await? == 0),
            None => Ok(course.done.contains(leg.id)),
        }
    }

    /// Journals legs that were found done without a line that says so.
    pub(crate) async fn catch_up(&mut self, line: &Line<'_>, legs: Range<usize>) -> Result<(), Halt> {
        let mut events = Vec::new();
        let mut records = Vec::new();
        let last = legs.end.checked_sub(1).filter(|last| legs.contains(last));
        if let Some(last) = last {
            let live = self.observe(&line.legs[last].touched).await?;
            for at in &line.legs[last].touched {
                let adopted = self.spelling().adopt(at, None, live.get(at), line.expected(last + 1, at));
                records.extend(adopted.unwrap_or_default());
            }
        }
        for nth in legs {
            records.extend(line.legs[nth].mark.clone());
            events.push(done_event(line.way, &line.legs[nth], None, None));
            self.tell_done(line, nth, None, None);
        }
        if events.is_empty() { Ok(()) } else { self.record(&events, &records).await }
    }

    pub(crate) fn tell_started(&mut self, line: &Line<'_>, nth: usize) {
        let (n, of) = (nth + 1, line.len());
        let leg = &line.legs[nth];
        let (id, why) = (leg.id.clone(), leg.why.to_owned());
        self.report.progress(&Progress::StepStarted { n, of, id, why, phase: leg.phase });
    }

    pub(crate) fn tell_done(&mut self, line: &Line<'_>, nth: usize, took: Option<Duration>, rows: Option<u64>) {
        let id = line.legs[nth].id.clone();
        self.report.progress(&Progress::StepDone { n: nth + 1, of: line.len(), id, took, rows });
    }

    pub(crate) fn cross_leg(&mut self, line: &Line<'_>, nth: usize, place: &str) {
        let way = match line.way {
            Way::Forth => "forth",
            Way::Back => "back",
        };
        self.report.crossing(&format!("{way}/{}/{place}", line.legs[nth].id));
    }
}

/// A session whose settings cannot be put back is not to be used again: as good as lost.
fn given_up(halt: Halt) -> Halt {
    match halt {
        Halt::Failure(failure) => {
            Failure::Lost { says: format!("the session's settings could not be put back: {failure}") }.into()
        }
        stop => stop,
    }
}

/// The journal's line for a leg that is done.
pub(crate) fn done_event(way: Way, leg: &Leg<'_>, took: Option<Duration>, rows: Option<u64>) -> Event {
    let took_ms = took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    match way {
        Way::Forth => Event::StepDone { step: leg.id.clone(), took_ms, rows },
        Way::Back => Event::StepUndone { step: leg.id.clone(), took_ms },
    }
}

fn transaction_of<'a>(leg: &Leg<'a>) -> Option<&'a Transaction> {
    match leg.action {
        Action::Transaction(part) => Some(part),
        _ => None,
    }
}

/// The limits of several transactions in one: the longest waits, `0` being no limit.
fn united(parts: &[&Transaction]) -> Limits {
    let longest = |of: fn(&Limits) -> u32| {
        let all = || parts.iter().map(|part| of(&part.limits));
        if all().any(|ms| ms == 0) { 0 } else { all().max().unwrap_or(of(&OWN)) }
    };
    let attempts = parts.iter().map(|part| part.limits.attempts).max().unwrap_or(OWN.attempts);
    Limits { lock_ms: longest(|l| l.lock_ms), statement_ms: longest(|l| l.statement_ms), attempts }
}

/// How long each of several attempts waits for its locks, in milliseconds: whoever asks for a lock holds up all who ask after it, so most
/// attempts leave before a client notices. Every fifth takes all the time that the plan allows, if the engine can wait so long without
/// harm, and asks first whoever gives way to do so. The plan's own limit is never exceeded.
const ATTEMPTS_MS: [u32; 4] = [200, 200, 400, 400];

fn brief(limits: &Limits, attempt: u32) -> Limits {
    let lock_ms = match (limits.lock_ms, wait(attempt)) {
        (0, _) | (_, None) => limits.lock_ms,
        (most, Some(ms)) => most.min(*ms),
    };
    Limits { lock_ms, ..*limits }
}

/// The wait of an attempt; `None` for one that takes its time.
fn wait(attempt: u32) -> Option<&'static u32> {
    let nth = usize::try_from(attempt.saturating_sub(1)).unwrap_or_default();
    ATTEMPTS_MS.get(nth % (ATTEMPTS_MS.len() + 1))
}

/// A refusal becomes the failure of its step; what else there is stays as it is.
pub(crate) fn refused(step: &StepId, halt: Halt) -> Halt {
    match halt {
        Halt::Failure(Failure::Refused { says, code }) => Stop::StepFailed { step: step.clone(), says, code }.into(),
        Halt::Failure(Failure::Broken { says }) => Stop::Internal { step: Some(step.clone()), says }.into(),
        other => other,
    }
}
