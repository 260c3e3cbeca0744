//! Why a run stopped: what happened, what stands, what to do next.

use mig_plan::{Address, Fingerprint, StepId};

use crate::{describe::Difference, failure::Failure, monitor::Then, span::Span};

/// Why the executor stopped short.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The plan is for another engine or version.
    #[error("the plan is for {planned}, this database is {found}")]
    OtherTarget {
        /// Engine and version of the plan.
        planned: String,
        /// Engine and version found.
        found: String,
    },
    /// Nothing can be written here.
    #[error("this database cannot be written: {says}")]
    ReadOnly {
        /// Why.
        says: String,
    },
    /// Another executor is at work.
    #[error("another executor holds the lock: {by}")]
    Locked {
        /// Who, in words.
        by: String,
    },
    /// Another run has reserved what the plan touches.
    #[error("run {run} of `{title}` is open and touches {}", list(objects))]
    Overlaps {
        /// The run.
        run: String,
        /// Its plan's name.
        title: String,
        /// What both touch.
        objects: Vec<Address>,
    },
    /// The run is being taken back.
    #[error("run {run} of this plan is being rolled back")]
    RollingBack {
        /// The run.
        run: String,
    },
    /// The plan was applied here and taken back.
    #[error("run {run} of this plan was rolled back")]
    WasRolledBack {
        /// The run.
        run: String,
    },
    /// There is no such run.
    #[error("there is no run of `{which}` in this database's journal")]
    NoSuchRun {
        /// What was looked for.
        which: String,
    },
    /// A later run stands on this one.
    #[error("run {run} of `{title}` came later and touches {}", list(objects))]
    LaterRun {
        /// The later run.
        run: String,
        /// Its plan's name.
        title: String,
        /// What both touch.
        objects: Vec<Address>,
    },
    /// What the run kept was dropped for good.
    #[error("what run {run} kept for its rollback was dropped by `mig gc`")]
    Collected {
        /// The run.
        run: String,
    },
    /// The journal holds no usable plan of the run.
    #[error("the plan {plan} of run {run} cannot be read from this database: {why}")]
    PlanLost {
        /// The run.
        run: String,
        /// The digest of its plan.
        plan: Fingerprint,
        /// What is wrong.
        why: String,
    },
    /// The database is nowhere on the plan's line.
    #[error("the database is not where the plan begins, nor on its way:\n{difference}")]
    Drift {
        /// Where it differs from the nearest state.
        difference: Difference,
        /// The step before which it was found, if any.
        step: Option<StepId>,
    },
    /// Checks found rows that would fail a step, or answered otherwise than the specs say.
    #[error("{}", check_words(failures, unmet))]
    CheckFailed {
        /// Every failed check of a step.
        failures: Vec<CheckFailure>,
        /// Every failed check of the specs.
        unmet: Vec<Unmet>,
    },
    /// Every step is done, and what the specs say must hold does not.
    #[error("{}", unmet_words("every step is done, but ", unmet))]
    NotVerified {
        /// Every check and probe that failed.
        unmet: Vec<Unmet>,
    },
    /// A step was refused by the database.
    #[error("step {step} failed: {says}{}", code_words(code.as_deref()))]
    StepFailed {
        /// Which.
        step: StepId,
        /// What the database said.
        says: String,
        /// Its code.
        code: Option<String>,
    },
    /// A step could not get its locks, or was in conflict, each time that it was tried.
    #[error("step {step} was tried {attempts} times and could not get through: {says}")]
    Busy {
        /// Which.
        step: StepId,
        /// How often.
        attempts: u32,
        /// What the database said last.
        says: String,
    },
    /// A backfill went through its table and rows are still left.
    #[error("step {step} went through its table {passes} times and {left} rows are still not done")]
    Unfinished {
        /// Which.
        step: StepId,
        /// How often.
        passes: u32,
        /// Rows left.
        left: u64,
    },
    /// A transform rejects more rows than it may.
    #[error("step {step} rejects more than {max} rows:{}", samples.iter().map(|one| format!("\n  {one}")).collect::<String>())]
    TooManyRejects {
        /// Which.
        step: StepId,
        /// How many may be.
        max: u64,
        /// Some of them: key and reason.
        samples: Vec<String>,
    },
    /// Rejected rows cannot be tried again.
    #[error("the rows that run {run} rejected cannot be tried again: {says}")]
    NotRetried {
        /// The run.
        run: String,
        /// Why.
        says: String,
    },
    /// A person asked to stop.
    #[error("stopped on request of {by}")]
    Asked {
        /// Who asked, in words.
        by: String,
    },
    /// The clients fared too badly for too long.
    #[error("the run waited for {waited} in vain: {says}")]
    Strained {
        /// What made it wait.
        says: String,
        /// How long it waited.
        waited: Span,
        /// What policy says to do.
        then: Then,
    },
    /// The same, and the run was taken back as policy says.
    #[error("run {run} was rolled back, as policy says: {says}")]
    Undone {
        /// The run.
        run: String,
        /// What made it wait.
        says: String,
    },
    /// What policy wants to be watched cannot be.
    #[error("what [monitor] in mig.toml asks for cannot be watched: {says}")]
    Monitor {
        /// Why.
        says: String,
    },
    /// The evidence cannot be written.
    #[error("the evidence of the run cannot be written: {says}")]
    Evidence {
        /// What, and why not.
        says: String,
        /// Whether the run has begun in the database.
        begun: bool,
    },
    /// A backup cannot be made, so the run is not begun, or what it kept is not dropped.
    #[error("the backup cannot be made: {says}")]
    Unsaved {
        /// What, and why not.
        says: String,
    },
    /// A backup cannot be restored.
    #[error("the backup cannot be restored: {says}")]
    Unrestored {
        /// What, and why not.
        says: String,
    },
    /// The run is over.
    #[error("run {run} is not open")]
    Closed {
        /// The run.
        run: String,
    },
    /// What was asked of the database may or may not have happened.
    #[error("the outcome is unknown: {says}{}", difference.as_ref().map(|d| format!("\n{d}")).unwrap_or_default())]
    Unknown {
        /// What is known.
        says: String,
        /// Where the database differs from its plan, if it could be asked.
        difference: Option<Difference>,
    },
    /// The journal was changed.
    #[error("the journal cannot be trusted: {says}")]
    JournalBroken {
        /// In which way.
        says: String,
    },
    /// The database cannot be reached, or failed outside any step.
    #[error("{says}")]
    Unavailable {
        /// Why.
        says: String,
    },
    /// A step did something else than its change says, or another bug of mig.
    #[error("internal error, please report it: {says}")]
    Internal {
        /// The step, if any.
        step: Option<StepId>,
        /// What was found.
        says: String,
    },
}

/// A check that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckFailure {
    /// The step that it is for.
    pub step: StepId,
    /// About what.
    pub at: Address,
    /// What must hold.
    pub says: String,
    /// How many rows are wrong; `None` if it could not be asked, or what was tried was refused.
    pub count: Option<u64>,
    /// Whether statements were tried, not rows counted.
    pub tried: bool,
    /// Some of them, why it could not be asked, or what the database said.
    pub samples: Vec<String>,
    /// What can be done.
    pub help: Vec<String>,
}

/// A check or a probe of the specs that did not end as it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// `check` or `probe`.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// What was expected and what was found.
    pub says: String,
    /// What was asked or tried.
    pub sql: String,
}

impl std::fmt::Display for Unmet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`: {}", self.what, self.name, self.says)?;
        self.sql.lines().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

impl Stop {
    /// The command's exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Drift { .. } => 4,
            Self::CheckFailed { .. }
            | Self::NotVerified { .. }
            | Self::StepFailed { .. }
            | Self::Busy { .. }
            | Self::Unfinished { .. }
            | Self::TooManyRejects { .. }
            | Self::NotRetried { .. }
            | Self::Internal { step: Some(_), .. }
            | Self::Strained { .. }
            | Self::Undone { .. }
            | Self::Evidence { begun: true, .. }
            | Self::Asked { .. } => 5,
            Self::Unknown { .. } | Self::JournalBroken { .. } => 6,
            Self::Locked { .. } => 7,
            Self::WasRolledBack { .. } | Self::RollingBack { .. } | Self::Overlaps { .. } | Self::LaterRun { .. } => 3,
            Self::OtherTarget { .. }
            | Self::ReadOnly { .. }
            | Self::NoSuchRun { .. }
            | Self::Collected { .. }
            | Self::Closed { .. }
            | Self::Monitor { .. }
            | Self::Evidence { begun: false, .. }
            | Self::Unsaved { .. }
            | Self::Unrestored { .. }
            | Self::PlanLost { .. }
            | Self::Unavailable { .. }
            | Self::Internal { step: None, .. } => 1,
        }
    }

    /// What stands in the database and what does not, in a sentence.
    #[must_use]
    pub fn stands(&self) -> &'static str {
        match self {
            Self::StepFailed { .. } | Self::Busy { .. } => {
                "nothing of this step stands; every step before it does, and the journal says so"
            }
            Self::Drift { step: Some(_), .. } | Self::Internal { step: Some(_), .. } => {
                "nothing more was changed; every step that the journal says is done stands"
            }
            Self::NotVerified { .. } => "everything that the plan changes is changed; the run stays open",
            Self::Unfinished { .. } | Self::TooManyRejects { .. } => {
                "every batch that was done stands, and so does every step before"
            }
            Self::Asked { .. } | Self::Strained { .. } => "what is done stands, and nothing is half done",
            Self::Evidence { begun: true, .. } => "what the journal says is done stands, and nothing is half done",
            Self::Undone { .. } => "nothing of the run stands",
            Self::Monitor { .. } => "no step was run",
            Self::Unknown { .. } => {
                "everything that the journal says is done stands; the last statement may or may not"
            }
            Self::Unavailable { .. } => "if a run had begun, what the journal says is done stands",
            _ => "nothing was changed",
        }
    }

    /// What to do next, in a sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::OtherTarget { .. } => "compile a plan for this database",
            Self::ReadOnly { .. } => "name the primary, or a writable file",
            Self::Locked { .. } => "wait until it is done, or look at `mig status`",
            Self::Overlaps { .. } => "finish that run or roll it back, then apply this plan",
            Self::RollingBack { .. } => "finish the rollback with `mig rollback`, then apply with `--again`",
            Self::WasRolledBack { .. } => "give `--again` if it shall be applied once more",
            Self::NoSuchRun { .. } => "`mig history` lists the runs of this database",
            Self::LaterRun { .. } => "roll that run back first: overlapping runs are taken back in reverse order",
            Self::Collected { .. } => "compile a plan to where you want to be; a backup has the dropped data",
            Self::PlanLost { .. } => "restore mig's own tables from a backup, or compile a plan back",
            Self::Drift { .. } => {
                "find out who changed it; take the change back, or compile a new plan from what is there now"
            }
            Self::CheckFailed { .. } => "correct the rows or the specs, then apply again",
            Self::NotVerified { .. } => {
                "correct the rows, then apply again: it asks again and ends the run; or take the run back with `mig rollback`"
            }
            Self::StepFailed { .. } => {
                "correct what the database complains about, then apply again: it goes on at this step; or roll back"
            }
            Self::Busy { .. } => "find what holds the lock, or come back at a quieter hour: apply again goes on here",
            Self::Unfinished { .. } => {
                "something writes such rows faster than they are done, or undoes them: look for it, then apply again"
            }
            Self::TooManyRejects { .. } => {
                "correct those rows, then apply again: it goes on at this step; or roll back and allow more with `max_rejects`"
            }
            Self::NotRetried { .. } => "correct them by a statement of your own, or by a transform in a new plan",
            Self::Asked { .. } => "the same command goes on from there; `mig rollback` takes the run back",
            Self::Strained { .. } => {
                "when the cause is gone, the same command goes on; `mig rollback` takes the run back"
            }
            Self::Undone { .. } => "look for the cause; `mig apply --again` begins anew",
            Self::Monitor { .. } => "correct the query, or take it out",
            Self::Evidence { begun: true, .. } => {
                "make room, then give the same command again: it goes on and completes the evidence from the journal"
            }
            Self::Evidence { begun: false, .. } => {
                "make room, or name another folder with --artifacts DIR; --no-artifacts goes without evidence"
            }
            Self::Unrestored { .. } => {
                "use a copy that `mig restore FILE --check` reads to its end, or another name with --as"
            }
            Self::Unsaved { .. } => {
                "a run begins, and what it kept goes, once its backups are written and read back: make room, or name another folder with --artifacts DIR"
            }
            Self::Closed { .. } => "`mig status` lists the runs that are open",
            Self::Unknown { .. } => "look at the database and at `mig status`; apply again asks the database once more",
            Self::JournalBroken { .. } => "somebody or something wrote to mig's own tables: compare them with a backup",
            Self::Unavailable { .. } => {
                "once the database answers, run the same command again: it goes on where it stands"
            }
            Self::Internal { .. } => "keep the plan file for the report",
        }
    }
}

impl From<Failure> for Stop {
    /// A failure outside any step.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost { says } => Self::Unknown { says, difference: None },
            Failure::Broken { says } => Self::Internal { step: None, says },
            Failure::Transient { says } | Failure::Refused { says, .. } | Failure::Unreachable { says } => {
                Self::Unavailable { says }
            }
        }
    }
}

fn list(objects: &[Address]) -> String {
    objects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn code_words(code: Option<&str>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

fn unmet_words(before: &str, unmet: &[Unmet]) -> String {
    let checks = unmet.iter().filter(|one| one.what == "check").count();
    let several = |n: usize, what: &str| if n == 1 { format!("a {what}") } else { format!("{n} {what}s") };
    let counts = [(checks, "check"), (unmet.len() - checks, "probe")];
    let counts: Vec<_> = counts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| several(n, what)).collect();
    let lines: String = unmet.iter().map(|one| format!("\n  {one}")).collect();
    format!("{before}{} failed:{lines}", counts.join(" and "))
}

/// How many rows a check has found, in words.
#[must_use]
pub fn wrong_rows(count: u64) -> String {
    if count == 1 { "1 row is wrong".to_owned() } else { format!("{count} rows are wrong") }
}

fn check_words(failures: &[CheckFailure], unmet: &[Unmet]) -> String {
    let count = failures.len() + unmet.len();
    let mut words = format!("{} failed before anything was written:", counted(count));
    for one in unmet {
        words.push_str(&format!("\n  {one}"));
    }
    for failure in failures {
        let count = match failure.count {
            Some(count) => wrong_rows(count),
            None if failure.tried => "it was tried, refused, and taken back".to_owned(),
            None => "could not be asked".to_owned(),
        };
        words.push_str(&format!("\n  {}: {}: {count}", failure.at, failure.says));
        for sample in &failure.samples {
            words.push_str(&format!("\n    {sample}"));
        }
        for help in &failure.help {
            words.push_str(&format!("\n    help: {help}"));
        }
    }
    words
}

fn counted(checks: usize) -> String {
    if checks == 1 { "a check".to_owned() } else { format!("{checks} checks") }
}
