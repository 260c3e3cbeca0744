//! The safe point before each step and each batch: nothing is open there, so a run can wait or end.

use std::time::{Duration, Instant};

use crate::{
    control::{Signal, Wish},
    failure::Failure,
    journal::Event,
    monitor::{Level, Monitor, Verdict},
    report::Progress,
    runner::{Halt, Runner},
    stop::Stop,
};

/// How often the database is asked what people want where nothing listens beside the session that works.
const LISTEN: Duration = Duration::from_millis(500);
/// How long a break is after a batch when the run is slowed down, as a multiple of the batch's own time.
const BREAK: u32 = 4;

impl Runner<'_> {
    /// Waits or ends if people or policy ask for it.
    pub(crate) async fn gate(&mut self) -> Result<(), Halt> {
        self.ended_by_signal().await?;
        match self.hear().await? {
            Some(signal) if signal.wish == Wish::Pause => self.wait_for_resume(signal).await?,
            Some(signal) => self.heed_stop(signal).await?,
            None => {}
        }
        match self.monitor.as_ref().map_or(Level::Calm, Monitor::level) {
            Level::Wait => self.wait_for_ease().await,
            Level::Slow => self.tell_strain().await,
            Level::Calm => self.tell_ease().await,
        }
    }

    /// Whether nobody asks for anything, as far as is known without asking: who works beside goes on without a safe point.
    pub(crate) fn is_open(&self) -> bool {
        let calm = match &self.monitor {
            Some(monitor) => monitor.signal().is_none() && monitor.level() == Level::Calm && self.told == Level::Calm,
            None => self.listened.is_some_and(|at| at.elapsed() < LISTEN),
        };
        calm && !self.interrupt.stops()
    }

    /// The break after a batch: none unless the clients need one.
    pub(crate) fn rest(&self, took: Duration) -> Duration {
        let strained = self.monitor.as_ref().is_some_and(|monitor| monitor.level() > Level::Calm);
        if strained { took * BREAK } else { Duration::ZERO }
    }

    async fn ended_by_signal(&mut self) -> Result<(), Halt> {
        if self.interrupt.stops() { self.leave_off("a signal to the process".to_owned()).await } else { Ok(()) }
    }

    async fn leave_off(&mut self, by: String) -> Result<(), Halt> {
        self.record(&[Event::Held { wish: Wish::Stop, by: by.clone() }], &[]).await?;
        Err(Stop::Asked { by }.into())
    }

    async fn heed_stop(&mut self, signal: Signal) -> Result<(), Halt> {
        self.driver.signal(&self.run, None).await?;
        self.leave_off(signal.by).await
    }

    async fn wait_for_resume(&mut self, asked: Signal) -> Result<(), Halt> {
        self.record(&[Event::Held { wish: Wish::Pause, by: asked.by.clone() }], &[]).await?;
        let what = format!("`mig resume {}`: {} paused the run at {}", self.run, asked.by, asked.at);
        self.report.progress(&Progress::Waiting { what });
        loop {
            tokio::time::sleep(LISTEN).await;
            self.ended_by_signal().await?;
            match self.driver.signalled(&self.run).await? {
                Some(Signal { wish: Wish::Pause, .. }) => {}
                Some(stop) => return self.heed_stop(stop).await,
                None => break,
            }
        }
        self.listened = None;
        self.record(&[Event::Resumed {}], &[]).await?;
        let says = format!("run {} goes on", self.run);
        self.report.progress(&Progress::Noted { says });
        Ok(())
    }

    /// What people ask: as the monitor heard it, or asked here from time to time.
    async fn hear(&mut self) -> Result<Option<Signal>, Failure> {
        let quiet = match &self.monitor {
            Some(monitor) => self.listened.is_some() && monitor.signal().is_none(),
            None => self.listened.is_some_and(|at| at.elapsed() < LISTEN),
        };
        if quiet {
            return Ok(None);
        }
        // What the monitor heard may be taken back by now.
        self.listened = Some(Instant::now());
        self.driver.signalled(&self.run).await
    }

    async fn wait_for_ease(&mut self) -> Result<(), Halt> {
        let begun = Instant::now();
        loop {
            self.tell_strain().await?;
            let says = self.strain();
            if begun.elapsed() >= self.patience.0.0 {
                return Err(Stop::Strained { says, waited: self.patience.0, then: self.patience.1 }.into());
            }
            tokio::time::sleep(LISTEN).await;
            self.ended_by_signal().await?;
            if let Some(signal) = self.hear().await? {
                match signal.wish {
                    Wish::Pause => self.wait_for_resume(signal).await?,
                    Wish::Stop => self.heed_stop(signal).await?,
                }
            }
            if self.monitor.as_ref().is_none_or(|monitor| monitor.level() < Level::Wait) {
                return self.tell_ease().await;
            }
        }
    }

    fn strain(&self) -> String {
        let verdict = self.monitor.as_ref().map(Monitor::verdict);
        let says = verdict.map(|v| v.findings.into_iter().map(|f| f.says).collect::<Vec<_>>().join("; "));
        says.filter(|says| !says.is_empty()).unwrap_or_else(|| "the clients have not recovered yet".to_owned())
    }

    /// Says and journals that the clients fare badly, once for each level.
    async fn tell_strain(&mut self) -> Result<(), Halt> {
        let Some(Verdict { level, findings, sample }) = self.monitor.as_ref().map(Monitor::verdict) else {
            return Ok(());
        };
        if self.told == level || findings.is_empty() {
            return Ok(());
        }
        self.told = level;
        let says = self.strain();
        self.report.progress(&Progress::Strained { level, says });
        self.record(&[Event::Strained { level, findings, sample }], &[]).await
    }

    async fn tell_ease(&mut self) -> Result<(), Halt> {
        if self.told == Level::Calm || self.monitor.as_ref().is_some_and(|monitor| monitor.level() > Level::Calm) {
            return Ok(());
        }
        self.told = Level::Calm;
        self.report.progress(&Progress::Noted { says: "the clients fare well again: the run goes on".to_owned() });
        self.record(&[Event::Eased {}], &[]).await
    }
}
