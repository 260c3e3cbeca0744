//! The session of a run: its connection, the end of its journal, and what to do when the connection is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    num::NonZeroUsize,
    path::Path,
    time::{Duration, Instant},
};

use mig_plan::{Action, Address, Limits, Object, Plan, Remembered, StepId};

use crate::{
    align::{Memory, Spelling},
    apply::{self, Outcome, Pace, Request},
    audit::{self, Head},
    chain::Chain,
    control::{Interrupt, Wish},
    driver::{Connector, Driver, Lease, Session},
    evidence::{Evidence, Filing},
    failure::Failure,
    gc::{self, GcRequest},
    journal::{Entry, Event},
    monitor::{Level, Monitor, MonitorPolicy, Then},
    report::{Progress, Report},
    rollback::{self, RollbackRequest, Which},
    runs::RunSummary,
    span::Span,
    stop::Stop,
};

/// Limits of the executor's own statements.
pub(crate) const OWN: Limits = Limits { lock_ms: 10_000, statement_ms: 60_000, attempts: 5 };

/// How often a lost connection is replaced in one run of the command.
const LOSSES: u32 = 8;

/// The longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(10);

/// Why work stopped: a verdict, or a failure that is still to be judged by what may be done next.
#[derive(Debug)]
pub(crate) enum Halt {
    Stop(Box<Stop>),
    Failure(Failure),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(Box::new(stop))
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// What a session is to do.
pub(crate) enum Task<'a> {
    Apply(&'a Request),
    Rollback(&'a RollbackRequest),
    Collect(&'a GcRequest),
}

/// A session that holds the lease.
pub(crate) struct Runner<'a> {
    pub(crate) driver: Box<dyn Driver>,
    pub(crate) report: &'a mut dyn Report,
    pub(crate) chain: Chain,
    /// The journal's end as it is committed.
    committed: Chain,
    pub(crate) memory: Memory,
    pub(crate) session: Session,
    /// The run's id, once known.
    pub(crate) run: String,
    pub(crate) pace: Pace,
    /// What the process is told from outside.
    pub(crate) interrupt: Interrupt,
    /// What watches beside the session, once there is a run.
    pub(crate) monitor: Option<Monitor>,
    /// What was last said of how the clients fare.
    pub(crate) told: Level,
    /// How long to wait for the clients to fare well again, and what then.
    pub(crate) patience: (Span, Then),
    /// When it was last asked here what people want.
    pub(crate) listened: Option<Instant>,
    /// Where the run's evidence is filed, if it is.
    pub(crate) evidence: Option<Evidence>,
    /// Whether the run has begun in the database.
    pub(crate) evidence_begun: bool,
    /// How many tables are filled at the same time.
    pub(crate) parallel: NonZeroUsize,
    pub(crate) connect: &'a mut dyn Connector,
    jitter: u64,
}

impl<'a> Runner<'a> {
    /// Takes the lease.
    pub(crate) async fn begin(
        connect: &'a mut dyn Connector,
        mut driver: Box<dyn Driver>,
        pace: Pace,
        report: &'a mut dyn Report,
    ) -> Result<Self, Stop> {
        lease(&mut *driver, pace.lock_wait, report).await?;
        let session = driver.session().await?;
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let jitter = u64::from(std::process::id()) ^ u64::from(since.subsec_nanos()) << 16 | 1;
        let (chain, memory, run) = (Chain::default(), Memory::default(), String::new());
        let (interrupt, monitor, listened) = (report.interrupt(), None, None);
        let (told, patience) = (Level::Calm, (Span::seconds(0), Then::Stop));
        Ok(Self {
            driver,
            report,
            chain,
            committed: Chain::default(),
            memory,
            session,
            run,
            pace,
            interrupt,
            monitor,
            told,
            patience,
            listened,
            evidence: None,
            evidence_begun: false,
            parallel: NonZeroUsize::MIN,
            connect,
            jitter,
        })
    }

    /// Does the task; where the connection is lost, asks the database where it stands and goes on from there.
    pub(crate) async fn drive(&mut self, task: &Task<'_>) -> Result<Outcome, Stop> {
        let mut losses = 0;
        let result = loop {
            let result = match task {
                Task::Apply(request) => apply::attempt(self, request).await,
                Task::Rollback(request) => rollback::attempt(self, request).await,
                Task::Collect(request) => gc::attempt(self, request).await,
            };
            match result {
                Ok(outcome) => break Ok(outcome),
                Err(Halt::Failure(Failure::Lost { says })) if losses < LOSSES => {
                    losses += 1;
                    self.recover(says).await?;
                }
                Err(Halt::Failure(failure)) => break Err(failure.into()),
                Err(Halt::Stop(stop)) => match *stop {
                    Stop::Drift { difference, .. } if losses > 0 => {
                        let says = "after the connection was lost the database is at no state of the plan".to_owned();
                        break Err(Stop::Unknown { says, difference: Some(difference) });
                    }
                    Stop::Strained { then: Then::Undo, says, .. } => break self.taken_back(says).await,
                    stop => break Err(stop),
                },
            }
        };
        self.file_rejects().await;
        let result = self.finish_evidence(result);
        self.leave().await;
        result
    }

    /// Makes mig's own tables if they are not there.
    pub(crate) async fn install(&mut self) -> Result<(), Halt> {
        Ok(self.driver.install().await?)
    }

    /// Opens the folder of the run, if evidence is asked for, and files what the journal says already.
    pub(crate) fn open_evidence(
        &mut self,
        filing: Option<&Filing>,
        plan: &Plan,
        title: &str,
        entries: &[Entry],
    ) -> Result<(), Halt> {
        let Some(filing) = filing else { return Ok(()) };
        if !self.evidence.as_ref().is_some_and(|evidence| evidence.is_of(&self.run)) {
            if let Some(other) = self.evidence.as_ref().filter(|_| !self.evidence_begun) {
                other.discard();
            }
            let opened = Evidence::open(filing, &self.run, plan, title);
            self.evidence = Some(opened.map_err(|error| self.unfiled(&filing.folder(&self.run), &error))?);
        }
        self.filed(|evidence| evidence.catch_up(entries))
    }

    /// Files something; nothing where no evidence is asked for.
    pub(crate) fn filed(&mut self, file: impl FnOnce(&mut Evidence) -> io::Result<()>) -> Result<(), Halt> {
        let begun = self.evidence_begun;
        let Some(evidence) = &mut self.evidence else { return Ok(()) };
        file(evidence).map_err(|error| Stop::Evidence { says: error.to_string(), begun }.into())
    }

    /// A file of the evidence that cannot be written.
    pub(crate) fn unfiled(&self, path: &Path, error: &io::Error) -> Halt {
        Stop::Evidence { says: format!("{}: {error}", path.display()), begun: self.evidence_begun }.into()
    }

    /// Files the rows that the run left as they are, if the database can still tell.
    async fn file_rejects(&mut self) {
        let Some(evidence) = self.evidence.as_mut().filter(|_| self.evidence_begun) else { return };
        let may_reject = |action: &Action| match action {
            Action::Batches(batches) => batches.rejects.is_some(),
            Action::Transaction(part) => part.rejects.is_some(),
            _ => false,
        };
        if !evidence.plan().steps.iter().any(|step| may_reject(&step.action)) {
            return;
        }
        let filed = match self.driver.rejects(&self.run).await {
            Ok(rows) => evidence.rejects(&rows).map_err(|error| error.to_string()),
            Err(failure) => Err(failure.to_string()),
        };
        if let Err(says) = filed {
            let says = format!("the rejected rows are not in the evidence of the run: {says}");
            self.report.progress(&Progress::Noted { says });
        }
    }

    /// Writes report and manifest, whatever became of the run.
    fn finish_evidence(&mut self, result: Result<Outcome, Stop>) -> Result<Outcome, Stop> {
        let Some(evidence) = &mut self.evidence else { return result };
        if !self.evidence_begun {
            // There is no such run, unless nobody can tell.
            if !matches!(result, Err(Stop::Unknown { .. })) {
                evidence.discard();
            }
            return result;
        }
        let says = result.as_ref().err().map(ToString::to_string);
        match (evidence.finish(says.as_deref()), result) {
            (Err(error), Ok(_)) => Err(Stop::Evidence { says: error.to_string(), begun: true }),
            (Err(error), Err(stop)) => {
                let says = format!("the evidence of the run could not be completed: {error}");
                self.report.progress(&Progress::Noted { says });
                Err(stop)
            }
            (Ok(()), result) => result,
        }
    }

    /// Takes the run back because its clients fared badly for too long.
    async fn taken_back(&mut self, says: String) -> Result<Outcome, Stop> {
        self.report.progress(&Progress::Noted { says: format!("taking the run back: {says}") });
        let which = Which::Run(self.run.clone());
        let request = RollbackRequest { which, dry_run: false, pace: self.pace, filing: None };
        match rollback::attempt(self, &request).await {
            Ok(_) => Err(Stop::Undone { run: self.run.clone(), says }),
            Err(Halt::Stop(stop)) => Err(*stop),
            Err(Halt::Failure(failure)) => Err(failure.into()),
        }
    }

    /// Begins to watch beside the session, where the engine can. `self.run` is known, and nothing of it is under way.
    pub(crate) async fn watch(&mut self, policy: Option<&MonitorPolicy>) -> Result<(), Halt> {
        // A wish to stop was for an executor that is gone.
        if self.driver.signalled(&self.run).await?.is_some_and(|signal| signal.wish == Wish::Stop) {
            self.driver.signal(&self.run, None).await?;
        }
        (self.listened, self.told) = (None, Level::Calm);
        if let Some(policy) = policy {
            self.patience = (policy.patience, policy.then);
        }
        let Some(lookout) = self.connect.lookout() else { return Ok(()) };
        let (run, session) = (self.run.clone(), self.session.clone());
        let monitor = Monitor::start(lookout, policy, run, session, self.interrupt.clone()).await?;
        if let Some(why) = &monitor.blind {
            let says = format!("the run is not watched: {why}");
            self.report.progress(&Progress::Noted { says });
        }
        if let Some(sample) = &monitor.baseline {
            self.record(&[Event::Baseline { sample: sample.clone() }], &[]).await?;
        }
        self.monitor = Some(monitor);
        Ok(())
    }

    /// Tells the monitor whether a statement of a step is at work.
    pub(crate) fn busy(&self, busy: bool) {
        if let Some(monitor) = &self.monitor {
            monitor.busy(&self.session, busy);
        }
    }

    /// What a failure means, if the monitor cut the statement short.
    pub(crate) fn cut(&self, halt: Halt) -> Halt {
        match (&halt, self.monitor.as_ref().and_then(Monitor::cut)) {
            (Halt::Failure(Failure::Refused { .. } | Failure::Transient { .. }), Some(cut)) => cut,
            _ => halt,
        }
    }

    /// Ends the session in order. What is done is done, so a failure here is only worth a note.
    pub(crate) async fn leave(&mut self) {
        self.monitor = None;
        for ended in [self.driver.rollback().await, self.driver.release().await, self.driver.close().await] {
            if let Err(failure) = ended {
                self.report.progress(&Progress::Noted { says: format!("the session did not end in order: {failure}") });
            }
        }
    }

    /// Replaces a lost connection, once the old session is proved gone.
    async fn recover(&mut self, says: String) -> Result<(), Stop> {
        self.report.progress(&Progress::Reconnecting { says: says.clone() });
        let until = Instant::now() + self.pace.reconnect;
        let mut attempt = 0;
        self.driver = loop {
            attempt += 1;
            match self.connect.connect().await {
                Ok(driver) => break driver,
                Err(failure) if Instant::now() >= until => {
                    let says = format!("{says}; then the database could not be reached again: {failure}");
                    return Err(Stop::Unknown { says, difference: None });
                }
                Err(_) => self.pause(attempt).await,
            }
        };
        let unproved = |why: String| Stop::Unknown { says: format!("{says}; {why}"), difference: None };
        match self.driver.settled(&self.session, self.pace.lock_wait).await {
            Ok(true) => {}
            Ok(false) => return Err(unproved("the lost session is still at work".to_owned())),
            Err(failure) => return Err(unproved(format!("whether it is still at work cannot be asked: {failure}"))),
        }
        lease(&mut *self.driver, self.pace.lock_wait, self.report).await?;
        self.session = self.driver.session().await.map_err(|f| unproved(f.to_string()))?;
        Ok(())
    }

    /// Proves that the earlier sessions of a run are gone.
    pub(crate) async fn settle(&mut self, run: &RunSummary) -> Result<(), Halt> {
        if run.paused.is_some() {
            return Ok(());
        }
        for earlier in run.sessions.iter().filter(|session| **session != self.session) {
            if !self.driver.settled(earlier, self.pace.lock_wait).await? {
                let says = format!("an earlier session of run {} is still at work", run.run);
                return Err(Stop::Unknown { says, difference: None }.into());
            }
        }
        Ok(())
    }

    /// Reads journal and memory anew.
    pub(crate) async fn read_journal(&mut self) -> Result<Vec<Entry>, Halt> {
        let entries = self.driver.entries().await?;
        self.chain = Chain::verify(&entries).map_err(|e| Stop::JournalBroken { says: e.to_string() })?;
        audit::reaches_its_end(&mut *self.driver, &entries).await?;
        self.committed = self.chain.clone();
        self.memory = Memory::new(self.driver.remembered().await?);
        Ok(entries)
    }

    /// Objects as they are.
    pub(crate) async fn observe(&mut self, of: &BTreeSet<Address>) -> Result<BTreeMap<Address, Object>, Halt> {
        Ok(if of.is_empty() { BTreeMap::new() } else { self.driver.observe(of).await? })
    }

    /// What is known about spelling.
    pub(crate) fn spelling(&self) -> Spelling<'_> {
        Spelling { dialect: self.driver.dialect(), memory: &self.memory }
    }

    /// Appends a line in the open transaction.
    pub(crate) async fn append(&mut self, event: Event) -> Result<(), Halt> {
        let entry = self.chain.next(&self.run, event);
        self.driver.append(&entry).await?;
        self.noted(&entry);
        Ok(())
    }

    /// Appends a line in the open transaction of a session beside, and commits it there.
    pub(crate) async fn commit_beside(&mut self, driver: &mut dyn Driver, event: Event) -> Result<(), Halt> {
        let entry = self.chain.next(&self.run, event);
        driver.append(&entry).await?;
        self.noted(&entry);
        audit::keep_head(driver, &self.end()).await?;
        driver.commit().await?;
        self.was_committed()
    }

    fn noted(&mut self, entry: &Entry) {
        if let Some(evidence) = &mut self.evidence {
            evidence.note(entry);
        }
    }

    /// The journal's end as it will be.
    fn end(&self) -> Head {
        Head { seq: self.chain.seq(), hash: self.chain.last().clone() }
    }

    fn was_committed(&mut self) -> Result<(), Halt> {
        self.committed = self.chain.clone();
        self.filed(Evidence::committed)
    }

    /// Commits the open transaction; the journal's end is recorded in it where the journal has grown.
    pub(crate) async fn commit(&mut self) -> Result<(), Halt> {
        if self.chain != self.committed {
            let end = self.end();
            audit::keep_head(&mut *self.driver, &end).await?;
        }
        self.driver.commit().await?;
        self.was_committed()
    }

    /// Journals events, with records of spelling, in a transaction of their own.
    pub(crate) async fn record(&mut self, events: &[Event], records: &[Remembered]) -> Result<(), Halt> {
        self.cross("run/before-journal");
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mark = self.chain.clone();
            match self.record_once(events, records).await {
                Ok(()) => break,
                Err(Halt::Failure(Failure::Transient { says })) => {
                    self.abandon(mark).await?;
                    if attempt >= OWN.attempts {
                        return Err(Stop::Unavailable { says: format!("the journal cannot be written: {says}") }.into());
                    }
                    self.pause(attempt).await;
                }
                Err(halt) => return self.abandoned(mark, halt).await,
            }
        }
        self.memory.extend(records.to_vec());
        self.cross("run/after-journal");
        Ok(())
    }

    async fn record_once(&mut self, events: &[Event], records: &[Remembered]) -> Result<(), Halt> {
        self.driver.begin(&OWN).await?;
        if !records.is_empty() {
            self.driver.remember(records).await?;
        }
        for event in events {
            self.append(event.clone()).await?;
        }
        self.commit().await
    }

    /// Rolls the open transaction back, and the journal's end with it.
    pub(crate) async fn abandon(&mut self, mark: Chain) -> Result<(), Halt> {
        self.driver.rollback().await?;
        self.forget(mark);
        Ok(())
    }

    /// Sets the journal's end back to where it was before a transaction that is not there.
    pub(crate) fn forget(&mut self, mark: Chain) {
        self.chain = mark;
        if let Some(evidence) = &mut self.evidence {
            evidence.forget();
        }
    }

    /// The same, then fails with what made it necessary. On a lost connection there is nothing to roll back.
    pub(crate) async fn abandoned<T>(&mut self, mark: Chain, halt: Halt) -> Result<T, Halt> {
        if !matches!(halt, Halt::Failure(Failure::Lost { .. } | Failure::Unreachable { .. })) {
            self.abandon(mark).await?;
        }
        Err(self.cut(halt))
    }

    /// Waits before the attempt after `attempt`.
    pub(crate) async fn pause(&mut self, attempt: u32) {
        tokio::time::sleep(self.backoff(attempt)).await;
    }

    /// How long to wait before the attempt after `attempt`: twice as long each time, with jitter so that two executors do not march in step.
    fn backoff(&mut self, attempt: u32) -> Duration {
        let doubled = self.pace.backoff.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST);
        self.jitter ^= self.jitter << 13;
        self.jitter ^= self.jitter >> 7;
        self.jitter ^= self.jitter << 17;
        let share = u32::try_from(self.jitter % 1000).unwrap_or_default();
        doubled / 2 + doubled * share / 2000
    }

    /// Tries a step again, or says that it cannot get through.
    pub(crate) async fn again(
        &mut self,
        step: &StepId,
        attempt: u32,
        limits: &Limits,
        says: String,
    ) -> Result<(), Halt> {
        let wait = self.put_off(step, attempt, limits, says)?;
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// How long to wait before a step is tried again, which is told; or that it cannot get through.
    pub(crate) fn put_off(
        &mut self,
        step: &StepId,
        attempt: u32,
        limits: &Limits,
        says: String,
    ) -> Result<Duration, Halt> {
        let of = limits.attempts.max(1);
        if attempt >= of {
            return Err(Stop::Busy { step: step.clone(), attempts: attempt, says }.into());
        }
        let says = match self.monitor.as_ref().map(Monitor::behind).filter(|behind| !behind.is_empty()) {
            Some(behind) => format!("{says}; {} was in the way", behind.join(", ")),
            None => says,
        };
        self.report.progress(&Progress::Retrying { id: step.clone(), attempt: attempt + 1, of, says });
        Ok(self.backoff(attempt))
    }

    /// Tells that a point was reached.
    pub(crate) fn cross(&mut self, point: &str) {
        self.report.crossing(point);
    }
}

/// Takes the lock, saying so if it takes time.
async fn lease(driver: &mut dyn Driver, wait: Duration, report: &mut dyn Report) -> Result<(), Stop> {
    let mut held = driver.lease(Duration::ZERO).await?;
    if let Lease::Held { by } = &held
        && !wait.is_zero()
    {
        report.progress(&Progress::Waiting { what: format!("the lock, which {by} holds") });
        held = driver.lease(wait).await?;
    }
    match held {
        Lease::Taken => Ok(()),
        Lease::Held { by } => Err(Stop::Locked { by }),
    }
}
