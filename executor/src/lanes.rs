//! Backfills of several tables at once: each in a lane with a session of its own. A batch's line in the journal commits with it in its lane,
//! one lane after another, so the journal stays one chain. Whatever else the run has to do is done by the session that holds the lease, at
//! moments when no lane has anything under way.

use std::{
    collections::VecDeque,
    ops::Range,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use mig_plan::{Action, step::Batches};

use crate::{
    batches::{self, Fill},
    checks::left,
    driver::{BatchDone, Driver, Session},
    failure::Failure,
    line::{Leg, Line},
    report::Progress,
    run::{Course, refused},
    runner::{Halt, Runner},
    stop::Stop,
};

/// How long lanes work at most before the session that holds the lease is used: whether it is still there must be known.
const ALONE: Duration = Duration::from_secs(5);

/// A session with the backfill that it does.
struct Lane<'l> {
    driver: Box<dyn Driver>,
    session: Session,
    job: Option<Job<'l>>,
}

/// A backfill in a lane.
struct Job<'l> {
    nth: usize,
    leg: &'l Leg<'l>,
    batches: &'l Batches,
    stage: Stage,
    /// Attempts at the present batch that came to nothing.
    failed: u32,
    /// How long to rest before going on.
    rest: Duration,
}

/// How far a backfill is.
enum Stage {
    /// It is to be counted what there is to do.
    Count,
    /// That is known, and the step is to be begun.
    Open(Option<u64>),
    /// Batches are done.
    Batches(Fill),
    /// A pass is over: it is to be counted what is left.
    Recount(Fill),
    /// Nothing is left, and the step is to be ended.
    Close(Fill),
}

/// What a lane did.
enum Did {
    /// Rows, if the plan says how to count them.
    Counted(Option<u64>),
    /// A batch, not committed yet, and since when; `None` where nothing was left.
    Batch(Option<BatchDone>, Instant),
}

impl Job<'_> {
    /// A pass came to its end.
    fn over(&mut self) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Count) {
            Stage::Batches(fill) => Stage::Recount(fill),
            stage => stage,
        };
    }

    /// So many rows are there to do, or left.
    fn counted(&mut self, left: Option<u64>) -> Result<(), Stop> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Count) {
            Stage::Count => Stage::Open(left),
            Stage::Recount(mut fill) => match fill.passed(self.leg.id, self.batches, left.unwrap_or(0))? {
                true => Stage::Close(fill),
                false => Stage::Batches(fill),
            },
            stage => stage,
        };
        self.failed = 0;
        Ok(())
    }

    /// Whether it waits for the session that holds the lease.
    fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Open(_) | Stage::Close(_))
    }
}

/// Does the next thing that needs no other lane.
async fn work(mut lane: Lane<'_>) -> (Lane<'_>, Result<Did, Halt>) {
    let Lane { driver, job, .. } = &mut lane;
    let did = match job {
        Some(job) => step(&mut **driver, job).await,
        None => Ok(Did::Counted(None)),
    };
    (lane, did)
}

async fn step(driver: &mut dyn Driver, job: &mut Job<'_>) -> Result<Did, Halt> {
    tokio::time::sleep(std::mem::take(&mut job.rest)).await;
    let Stage::Batches(fill) = &mut job.stage else {
        return Ok(Did::Counted(match job.leg.remaining {
            Some(query) => Some(left(driver, query).await?),
            None => None,
        }));
    };
    let begun = Instant::now();
    if fill.end.is_none() {
        let Some(end) = batches::end(driver, job.batches).await? else { return Ok(Did::Batch(None, begun)) };
        fill.end = end.key;
    }
    Ok(Did::Batch(batches::next(driver, job.batches, fill).await?, begun))
}

impl Runner<'_> {
    /// Backfills that may run at the same time: as many of them as policy allows, the others as lanes come free.
    pub(crate) async fn backfills(
        &mut self,
        line: &Line<'_>,
        group: Range<usize>,
        course: &Course,
    ) -> Result<(), Halt> {
        let (done, left): (Vec<_>, Vec<_>) = group.partition(|nth| course.done.contains(line.legs[*nth].id));
        for nth in done {
            self.tell_done(line, nth, None, None);
        }
        let mut lanes = self.open_lanes(left.len().min(self.parallel.get())).await?;
        let result = match lanes.len() {
            0 => self.one_by_one(line, left, course).await,
            _ => self.in_lanes(line, left.into(), course, &mut lanes).await,
        };
        self.own_sessions(&[]);
        for mut lane in lanes {
            if let Err(failure) = lane.driver.close().await {
                self.report.progress(&Progress::Noted { says: format!("a session did not end in order: {failure}") });
            }
        }
        result
    }

    async fn one_by_one(&mut self, line: &Line<'_>, legs: Vec<usize>, course: &Course) -> Result<(), Halt> {
        for nth in legs {
            let leg = &line.legs[nth];
            let Action::Batches(batches) = leg.action else { continue };
            self.gate().await?;
            self.tell_started(line, nth);
            self.backfill(line, nth, batches, course).await.map_err(|halt| refused(leg.id, halt))?;
        }
        Ok(())
    }

    /// Sessions beside the one that holds the lease; none where one would be all there is.
    async fn open_lanes<'l>(&mut self, many: usize) -> Result<Vec<Lane<'l>>, Halt> {
        let mut lanes = Vec::new();
        if many < 2 {
            return Ok(lanes);
        }
        while lanes.len() < many {
            match self.connect.connect().await {
                Ok(mut driver) => {
                    let session = driver.session().await?;
                    lanes.push(Lane { driver, session, job: None });
                }
                Err(failure) => {
                    let says = format!("fewer tables than allowed are filled at the same time: {failure}");
                    self.report.progress(&Progress::Noted { says });
                    break;
                }
            }
        }
        self.own_sessions(&lanes);
        Ok(lanes)
    }

    fn own_sessions(&self, lanes: &[Lane<'_>]) {
        if let Some(monitor) = &self.monitor {
            let beside = lanes.iter().map(|lane| lane.session.clone());
            monitor.own(std::iter::once(self.session.clone()).chain(beside).collect());
        }
    }

    async fn in_lanes<'l>(
        &mut self,
        line: &'l Line<'l>,
        mut waiting: VecDeque<usize>,
        course: &Course,
        lanes: &mut Vec<Lane<'l>>,
    ) -> Result<(), Halt> {
        let mut at_work = FuturesUnordered::new();
        loop {
            // A safe point: nothing is under way in any lane.
            self.listened = None;
            self.gate().await?;
            for lane in &mut *lanes {
                self.turn(line, lane, course).await?;
            }
            self.hand_out(line, &mut waiting, lanes);
            let (jobs, free): (Vec<_>, Vec<_>) = lanes.drain(..).partition(|lane| lane.job.is_some());
            *lanes = free;
            if jobs.is_empty() {
                return Ok(());
            }
            let until = Instant::now() + ALONE;
            let mut halted = None;
            for lane in jobs {
                self.sent(line, &lane);
                at_work.push(work(lane));
            }
            while let Some((mut lane, did)) = at_work.next().await {
                self.lane_is_busy(&lane, false);
                // What a lane did after another failed is not committed: closing its session takes it back.
                if halted.is_none() {
                    halted = self.heard(line, &mut lane, did).await.err();
                }
                let waits = |lane: &Lane<'_>| lane.job.as_ref().is_some_and(Job::is_waiting);
                let parking = halted.is_some() || waits(&lane) || lanes.iter().any(|lane| lane.job.is_some());
                if parking || Instant::now() >= until || !self.is_open() {
                    lanes.push(lane);
                } else {
                    self.sent(line, &lane);
                    at_work.push(work(lane));
                }
            }
            if let Some(halt) = halted {
                return Err(halt);
            }
        }
    }

    /// A lane is about to go to work.
    fn sent(&mut self, line: &Line<'_>, lane: &Lane<'_>) {
        self.lane_is_busy(lane, true);
        if let Some(Job { nth, stage: Stage::Batches(_), .. }) = &lane.job {
            self.cross_leg(line, *nth, "before-batch");
        }
    }

    fn lane_is_busy(&self, lane: &Lane<'_>, busy: bool) {
        if let Some(monitor) = &self.monitor {
            monitor.busy(&lane.session, busy);
        }
    }

    /// Gives free lanes the backfills that come next, one at a time: a step is begun only after those before it.
    fn hand_out<'l>(&mut self, line: &'l Line<'l>, waiting: &mut VecDeque<usize>, lanes: &mut [Lane<'l>]) {
        let counts = lanes.iter().any(|lane| matches!(lane.job, Some(Job { stage: Stage::Count, .. })));
        let free = lanes.iter_mut().find(|lane| lane.job.is_none());
        let Some(lane) = free.filter(|_| !counts) else { return };
        while let Some(nth) = waiting.pop_front() {
            let leg = &line.legs[nth];
            let Action::Batches(batches) = leg.action else { continue };
            self.tell_started(line, nth);
            lane.job = Some(Job { nth, leg, batches, stage: Stage::Count, failed: 0, rest: Duration::ZERO });
            break;
        }
    }

    /// Begins or ends the step of a lane that waits for it.
    async fn turn(&mut self, line: &Line<'_>, lane: &mut Lane<'_>, course: &Course) -> Result<(), Halt> {
        let Some(job) = lane.job.as_mut().filter(|job| job.is_waiting()) else { return Ok(()) };
        let (nth, batches) = (job.nth, job.batches);
        let next = match std::mem::replace(&mut job.stage, Stage::Count) {
            Stage::Open(total) => {
                let opened = self.open_fill(line, nth, batches, course, total, &lane.session).await;
                opened.map_err(|halt| refused(job.leg.id, halt))?.map(Stage::Batches)
            }
            Stage::Close(fill) => {
                let closed = self.close_fill(line, nth, batches, &fill).await;
                closed.map_err(|halt| refused(job.leg.id, halt))?;
                None
            }
            stage => Some(stage),
        };
        match next {
            Some(stage) => job.stage = stage,
            None => lane.job = None,
        }
        Ok(())
    }

    /// Takes in what a lane did.
    async fn heard(&mut self, line: &Line<'_>, lane: &mut Lane<'_>, did: Result<Did, Halt>) -> Result<(), Halt> {
        let Lane { driver, job: Some(job), .. } = lane else { return Ok(()) };
        let mark = self.chain.clone();
        let taken = match did {
            Ok(did) => self.taken_in(line, &mut **driver, job, did).await,
            Err(halt) => Err(halt),
        };
        let Err(halt) = taken else { return Ok(()) };
        self.forget(mark);
        if !matches!(halt, Halt::Failure(Failure::Lost { .. } | Failure::Unreachable { .. })) {
            driver.rollback().await?;
        }
        match self.cut(halt) {
            Halt::Failure(Failure::Transient { says }) => {
                job.failed += 1;
                if let Stage::Batches(fill) = &mut job.stage {
                    fill.shrink(job.batches);
                }
                job.rest = self.put_off(job.leg.id, job.failed, &job.batches.limits, says)?;
                Ok(())
            }
            halt => Err(refused(job.leg.id, halt)),
        }
    }

    async fn taken_in(
        &mut self,
        line: &Line<'_>,
        driver: &mut dyn Driver,
        job: &mut Job<'_>,
        did: Did,
    ) -> Result<(), Halt> {
        let step = job.leg.id;
        match (did, &mut job.stage) {
            (Did::Batch(Some(done), begun), Stage::Batches(fill)) => {
                self.cross_leg(line, job.nth, "before-commit");
                self.commit_beside(driver, fill.event(step, &done)).await?;
                self.cross_leg(line, job.nth, "after-batch");
                fill.advance(done);
                let took = begun.elapsed();
                fill.adapt(job.batches, took);
                self.report.progress(&fill.progress(step.clone()));
                (job.failed, job.rest) = (0, self.rest(took));
            }
            (Did::Batch(..), _) => {
                driver.rollback().await?;
                job.over();
            }
            (Did::Counted(left), _) => job.counted(left)?,
        }
        Ok(())
    }
}
