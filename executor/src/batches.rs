//! Backfills: batches by key, each in a transaction with its cursor, so that a crash costs one batch.

use std::time::{Duration, Instant};

use mig_plan::{Limits, StepId, step::Batches};

use crate::{
    checks::left,
    driver::{BatchDone, Cursor, Driver, Session},
    failure::Failure,
    journal::Event,
    line::{Line, Way},
    rate::Rate,
    report::Progress,
    run::{Course, done_event},
    runner::{Halt, Runner},
    stop::Stop,
};

/// How often a backfill goes through its table when rows are left at the end.
const PASSES: u32 = 3;

/// The same where a batch leaves out rows that a client holds at the moment: a busy row is met free sooner or later.
const PATIENT_PASSES: u32 = 10;

/// A batch's part of the time that it should take, as a change of size: never more than this at once.
const SHRINK: f64 = 0.5;
const GROW: f64 = 1.5;

/// A backfill under way.
pub(crate) struct Fill {
    started: Instant,
    pub(crate) cursor: Option<Cursor>,
    /// Where the pass ends, if the plan asks for it.
    pub(crate) end: Option<Vec<Option<String>>>,
    /// Passes over the table that came to their end.
    passes: u32,
    rows: u64,
    total: Option<u64>,
    pub(crate) size: u32,
    rate: Rate,
}

impl Fill {
    /// From where the journal says that it stands, with so many rows left.
    fn new(batches: &Batches, known: Option<&(Cursor, u64)>, left: Option<u64>) -> Self {
        let (cursor, rows) = known.cloned().unzip();
        let size = batches.rows.clamp(batches.min_rows.max(1), batches.max_rows.max(1));
        let (rows, total) = (rows.unwrap_or(0), left.map(|left| left + rows.unwrap_or(0)));
        let (started, rate) = (Instant::now(), Rate::default());
        let mut fill = Self { started, cursor, end: None, passes: 0, rows, total, size, rate };
        fill.rate.mark(started, rows);
        fill
    }

    /// The journal's line for a batch.
    pub(crate) fn event(&self, step: &StepId, done: &BatchDone) -> Event {
        Event::Batch { step: step.clone(), cursor: done.cursor.clone(), rows: self.rows + done.rows }
    }

    /// A batch is committed.
    pub(crate) fn advance(&mut self, done: BatchDone) {
        (self.cursor, self.rows) = (Some(done.cursor), self.rows + done.rows);
    }

    /// A batch took so long, from its beginning to its end: the next one is as large as it should be.
    pub(crate) fn adapt(&mut self, batches: &Batches, took: Duration) {
        self.size = adapted(self.size, batches, took);
    }

    /// A batch came to nothing: a smaller one holds fewer locks for a shorter time.
    pub(crate) fn shrink(&mut self, batches: &Batches) {
        self.size = (self.size / 2).max(batches.min_rows).max(1);
    }

    /// A pass over the table is at its end, and so many rows are left: whether the step is done. If not, the next pass begins.
    pub(crate) fn passed(&mut self, step: &StepId, batches: &Batches, left: u64) -> Result<bool, Stop> {
        self.passes += 1;
        self.end = None;
        let most = if batches.end.is_some() { 2 * PASSES } else { PATIENT_PASSES };
        if left == 0 || (batches.leaves_late && came_late(self.passes, left, self)) {
            return Ok(true);
        }
        if self.passes >= most {
            return Err(Stop::Unfinished { step: step.clone(), passes: self.passes, left });
        }
        // What came meanwhile is mostly beyond the end that a pass had: it goes on from there before another goes through all.
        if batches.end.is_none() || self.passes.is_multiple_of(2) {
            self.cursor = None;
        }
        Ok(false)
    }

    pub(crate) fn progress(&mut self, id: StepId) -> Progress {
        let (rows, total) = (self.rows, self.total);
        self.rate.mark(Instant::now(), rows);
        let left_s = self.rate.left(total).map(|left| left.as_secs());
        Progress::BatchDone { id, rows, total, per_second: self.rate.per_second(), left_s }
    }
}

/// Begins the transaction of the next batch, and does it; `None` when nothing is left.
pub(crate) async fn next(
    driver: &mut dyn Driver,
    batches: &Batches,
    fill: &Fill,
) -> Result<Option<BatchDone>, Failure> {
    driver.begin(&batches.limits).await?;
    for statement in &batches.before {
        driver.execute(statement).await?;
    }
    driver.batch(batches, fill.cursor.as_ref(), fill.end.as_deref(), fill.size).await
}

/// Where a pass over a table ends.
pub(crate) struct End {
    /// The key, if the plan asks for one.
    pub(crate) key: Option<Vec<Option<String>>>,
}

/// Asks where a pass that begins now will end; `None` if the table is empty.
pub(crate) async fn end(driver: &mut dyn Driver, batches: &Batches) -> Result<Option<End>, Failure> {
    let Some(query) = &batches.end else { return Ok(Some(End { key: None })) };
    let key = driver.ask(query, 1).await?.pop().filter(|key| key.iter().all(Option::is_some));
    Ok(key.map(|key| End { key: Some(key) }))
}

impl Runner<'_> {
    pub(crate) async fn backfill(
        &mut self,
        line: &Line<'_>,
        nth: usize,
        batches: &Batches,
        course: &Course,
    ) -> Result<(), Halt> {
        let leg = &line.legs[nth];
        let total = match leg.remaining {
            Some(query) => Some(left(&mut *self.driver, query).await?),
            None => None,
        };
        let session = self.session.clone();
        let Some(mut fill) = self.open_fill(line, nth, batches, course, total, &session).await? else { return Ok(()) };
        loop {
            self.pass(line, nth, batches, &mut fill).await?;
            let left = match leg.remaining {
                Some(query) => left(&mut *self.driver, query).await?,
                None => 0,
            };
            if fill.passed(leg.id, batches, left)? {
                return self.close_fill(line, nth, batches, &fill).await;
            }
            if batches.end.is_none() {
                self.pause(fill.passes).await;
            }
        }
    }

    /// Begins a backfill that a session does; `None` if there is nothing to do, and that is journalled.
    pub(crate) async fn open_fill(
        &mut self,
        line: &Line<'_>,
        nth: usize,
        batches: &Batches,
        course: &Course,
        total: Option<u64>,
        session: &Session,
    ) -> Result<Option<Fill>, Halt> {
        let leg = &line.legs[nth];
        if let (Some(left), Way::Forth) = (total, line.way) {
            self.filed(|evidence| evidence.candidates(leg.id, left))?;
        }
        let found = match total {
            // Rows that are rejected are not left to do, and still have to be kept.
            Some(left) => left == 0 && (batches.rejects.is_none() || course.done.contains(leg.id)),
            None => course.done.contains(leg.id),
        };
        if found {
            let rows = course.cursors.get(leg.id).map(|(_, rows)| *rows);
            self.record(&[done_event(line.way, leg, None, rows)], leg.mark.as_slice()).await?;
            self.tell_done(line, nth, None, rows);
            return Ok(None);
        }
        let fill = Fill::new(batches, course.cursors.get(leg.id), total);
        self.record(&[Event::StepBegun { step: leg.id.clone(), session: session.clone() }], &[]).await?;
        self.prepare(line, nth, batches).await?;
        // Before any row is written; what is found at the end is what is kept.
        self.judge(line, nth, batches).await?;
        Ok(Some(fill))
    }

    /// Ends a backfill.
    pub(crate) async fn close_fill(
        &mut self,
        line: &Line<'_>,
        nth: usize,
        batches: &Batches,
        fill: &Fill,
    ) -> Result<(), Halt> {
        let leg = &line.legs[nth];
        let (took, rows) = (Some(fill.started.elapsed()), Some(fill.rows));
        self.judge(line, nth, batches).await?;
        self.record(&[done_event(line.way, leg, took, rows)], leg.mark.as_slice()).await?;
        self.tell_done(line, nth, took, rows);
        Ok(())
    }

    /// Keeps the rows that get no values, in place of those that were found before.
    async fn judge(&mut self, line: &Line<'_>, nth: usize, batches: &Batches) -> Result<(), Halt> {
        if batches.rejects.is_none() {
            return Ok(());
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mark = self.chain.clone();
            match self.judge_once(line, nth, &batches.limits).await {
                Ok(()) => return Ok(()),
                Err(halt) => match self.abandoned(mark, halt).await {
                    Err(Halt::Failure(Failure::Transient { says })) => {
                        self.again(line.legs[nth].id, attempt, &batches.limits, says).await?;
                    }
                    other => return other,
                },
            }
        }
    }

    async fn judge_once(&mut self, line: &Line<'_>, nth: usize, limits: &Limits) -> Result<(), Halt> {
        self.driver.begin(limits).await?;
        self.reject(line, nth).await?;
        self.commit().await
    }

    /// Makes what the batches need; idempotent.
    async fn prepare(&mut self, line: &Line<'_>, nth: usize, batches: &Batches) -> Result<(), Halt> {
        if batches.prepare.is_empty() {
            return Ok(());
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mark = self.chain.clone();
            match self.prepare_once(line, nth, batches).await {
                Ok(()) => return Ok(()),
                Err(halt) => match self.abandoned(mark, halt).await {
                    Err(Halt::Failure(Failure::Transient { says })) => {
                        self.again(line.legs[nth].id, attempt, &batches.limits, says).await?;
                    }
                    other => return other,
                },
            }
        }
    }

    async fn prepare_once(&mut self, line: &Line<'_>, nth: usize, batches: &Batches) -> Result<(), Halt> {
        self.driver.begin(&batches.limits).await?;
        for (number, statement) in batches.prepare.iter().enumerate() {
            self.cross_leg(line, nth, &format!("before-sql-{number}"));
            self.driver.execute(statement).await?;
        }
        self.commit().await
    }

    /// Goes through the table from the cursor to its end.
    async fn pass(&mut self, line: &Line<'_>, nth: usize, batches: &Batches, fill: &mut Fill) -> Result<(), Halt> {
        let Some(end) = end(&mut *self.driver, batches).await? else { return Ok(()) };
        fill.end = end.key;
        let mut attempt = 0;
        loop {
            self.gate().await?;
            attempt += 1;
            let mark = self.chain.clone();
            let started = Instant::now();
            match self.batch_once(line, nth, batches, fill).await {
                Ok(true) => {
                    attempt = 0;
                    let took = started.elapsed();
                    fill.adapt(batches, took);
                    let id = line.legs[nth].id.clone();
                    self.report.progress(&fill.progress(id));
                    tokio::time::sleep(self.rest(took)).await;
                }
                Ok(false) => return Ok(()),
                Err(halt) => match self.abandoned(mark, halt).await {
                    Err(Halt::Failure(Failure::Transient { says })) => {
                        fill.shrink(batches);
                        self.again(line.legs[nth].id, attempt, &batches.limits, says).await?;
                    }
                    other => return other,
                },
            }
        }
    }

    /// One batch with its cursor; `false` when nothing is left.
    async fn batch_once(
        &mut self,
        line: &Line<'_>,
        nth: usize,
        batches: &Batches,
        fill: &mut Fill,
    ) -> Result<bool, Halt> {
        self.cross_leg(line, nth, "before-batch");
        self.busy(true);
        let done = next(&mut *self.driver, batches, fill).await;
        self.busy(false);
        let Some(done) = done? else {
            self.driver.rollback().await?;
            return Ok(false);
        };
        self.append(fill.event(line.legs[nth].id, &done)).await?;
        self.cross_leg(line, nth, "before-commit");
        self.commit().await?;
        self.cross_leg(line, nth, "after-batch");
        fill.advance(done);
        Ok(true)
    }
}

/// Whether what is left came while the step was at work: it has gone through the table and once more through what was added, and a pass that
/// leaves about as many rows as it wrote has not done its work.
fn came_late(pass: u32, left: u64, fill: &Fill) -> bool {
    pass >= 2 && left.saturating_mul(2) <= fill.rows
}

/// The size of the next batch, from how long one took.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive size times a clamped factor, brought back into the plan's bounds"
)]
fn adapted(size: u32, batches: &Batches, took: Duration) -> u32 {
    let took_ms = took.as_secs_f64() * 1000.0;
    let factor = if took_ms > 0.0 { (f64::from(batches.target_ms) / took_ms).clamp(SHRINK, GROW) } else { GROW };
    let next = (f64::from(size) * factor).ceil() as u32;
    let least = batches.min_rows.max(1);
    next.clamp(least, batches.max_rows.max(least))
}
