//! What goes on beside the session that works: a task with a session of its own. It sees how the clients fare, hears what people ask,
//! and cuts statements short.

mod judge;
mod policy;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;

use self::judge::Judge;
pub use self::{
    judge::{Finding, Level},
    policy::{MonitorPolicy, Then},
};
use crate::{
    control::{Interrupt, Signal},
    driver::Session,
    failure::Failure,
    lookout::{Asks, Lookout, Sample},
    runner::Halt,
    stop::Stop,
};

/// How often the process's own signals are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How often the database is asked what people want.
const LISTEN: Duration = Duration::from_secs(1);
/// How long the clients may be out of sight before a run waits.
const BLIND: Duration = Duration::from_secs(15);

/// How the clients fare, as the session that works is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) level: Level,
    pub(crate) findings: Vec<Finding>,
    pub(crate) sample: Sample,
}

/// What the task and the sessions that work tell each other.
struct Shared {
    run: String,
    /// The sessions that work.
    own: Vec<Session>,
    /// Those of them in which a statement of a step is at work, so that cutting it short hits nothing else.
    busy: Vec<Session>,
    /// Whether the last statement was cut short because the process was told to end.
    cut: bool,
    signal: Option<Signal>,
    verdict: Verdict,
}

/// The task; it ends with this value.
pub(crate) struct Monitor {
    shared: Arc<Mutex<Shared>>,
    task: JoinHandle<()>,
    /// What was before the run.
    pub(crate) baseline: Option<Sample>,
    /// Why nothing is watched, if that is so although it was wanted.
    pub(crate) blind: Option<String>,
}

impl Monitor {
    /// Begins to watch a session. With a policy it first sees how the clients fare without the run.
    ///
    /// # Errors
    /// [`Stop::Monitor`] if the user's own queries cannot be asked.
    pub(crate) async fn start(
        mut lookout: Box<dyn Lookout>,
        policy: Option<&MonitorPolicy>,
        run: String,
        session: Session,
        interrupt: Interrupt,
    ) -> Result<Self, Stop> {
        let policy = policy.filter(|policy| policy.enabled);
        let asks = policy.map(|p| Asks { probe: p.probe.clone(), lag: p.lag.clone() }).unwrap_or_default();
        let (mut baseline, mut blind) = (None, None);
        if policy.is_some() {
            match lookout.sample(&asks, std::slice::from_ref(&session)).await {
                Ok(sample) => baseline = Some(sample),
                Err(failure) if asks != Asks::default() => return Err(Stop::Monitor { says: failure.to_string() }),
                Err(failure) => blind = Some(failure.to_string()),
            }
        }
        let watched = baseline.as_ref().zip(policy);
        let judge = watched.map(|(baseline, policy)| (Judge::new(policy.clone(), baseline), policy.every.0));
        let verdict = Verdict { level: Level::Calm, findings: Vec::new(), sample: Sample::default() };
        let shared = Shared { run, own: vec![session], busy: Vec::new(), cut: false, signal: None, verdict };
        let shared = Arc::new(Mutex::new(shared));
        let task = tokio::spawn(watch(lookout, Arc::clone(&shared), interrupt, asks, judge));
        Ok(Self { shared, task, baseline, blind })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        locked(&self.shared)
    }

    /// Which sessions work.
    pub(crate) fn own(&self, own: Vec<Session>) {
        self.shared().own = own;
    }

    /// Whether a statement of a step is at work in a session.
    pub(crate) fn busy(&self, session: &Session, busy: bool) {
        let mut shared = self.shared();
        shared.busy.retain(|one| one != session);
        if busy {
            shared.busy.push(session.clone());
        }
    }

    /// What the failure of a statement means, if it was cut short.
    pub(crate) fn cut(&self) -> Option<Halt> {
        std::mem::take(&mut self.shared().cut)
            .then(|| Stop::Asked { by: "a second signal to the process".to_owned() }.into())
    }

    /// What people ask of the run, as last heard.
    pub(crate) fn signal(&self) -> Option<Signal> {
        self.shared().signal.clone()
    }

    /// How the clients fare.
    pub(crate) fn verdict(&self) -> Verdict {
        self.shared().verdict.clone()
    }

    /// How a run goes on.
    pub(crate) fn level(&self) -> Level {
        self.shared().verdict.level
    }

    /// Behind whom the session that works waited for a lock when it was last seen to.
    pub(crate) fn behind(&self) -> Vec<String> {
        let shared = self.shared();
        shared.verdict.sample.waits.iter().filter(|wait| wait.ours).flat_map(|wait| wait.behind.clone()).collect()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn locked(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn watch(
    mut lookout: Box<dyn Lookout>,
    shared: Arc<Mutex<Shared>>,
    interrupt: Interrupt,
    asks: Asks,
    mut judge: Option<(Judge, Duration)>,
) {
    let (mut heard, mut sampled, mut seen) = (None::<Instant>, Instant::now(), Instant::now());
    loop {
        tokio::time::sleep(TICK).await;
        if interrupt.cuts() {
            cut(&mut *lookout, &shared).await;
        }
        if heard.is_none_or(|at| at.elapsed() >= LISTEN) {
            heard = Some(Instant::now());
            let run = locked(&shared).run.clone();
            // Not to hear for a while is no harm: the session that works says itself if the database is gone.
            if let Ok(signal) = lookout.signalled(&run).await {
                locked(&shared).signal = signal;
            }
        }
        if let Some((judge, every)) = &mut judge
            && sampled.elapsed() >= *every
        {
            sampled = Instant::now();
            let own = locked(&shared).own.clone();
            match lookout.sample(&asks, &own).await {
                Ok(sample) => {
                    seen = Instant::now();
                    let (level, findings) = judge.hear(&sample);
                    locked(&shared).verdict = Verdict { level, findings, sample };
                }
                Err(failure) if seen.elapsed() >= BLIND => locked(&shared).verdict = unseen(&failure),
                Err(_) => {}
            }
        }
    }
}

/// Who cannot see how the clients fare does not go on.
fn unseen(failure: &Failure) -> Verdict {
    let says = format!("how the clients fare cannot be seen: {failure}");
    let finding = Finding { what: "monitor".to_owned(), says, level: Level::Wait };
    Verdict { level: Level::Wait, findings: vec![finding], sample: Sample::default() }
}

/// Cuts the statements of steps short, where any are at work.
async fn cut(lookout: &mut dyn Lookout, shared: &Mutex<Shared>) {
    let busy = {
        let mut shared = locked(shared);
        shared.cut |= !shared.busy.is_empty();
        shared.busy.clone()
    };
    for session in busy {
        if lookout.cancel(&session).await.is_err() {
            locked(shared).cut = false;
        }
    }
}
