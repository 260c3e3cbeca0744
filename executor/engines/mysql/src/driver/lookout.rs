//! The session beside the one that works.

use async_trait::async_trait;
use mig_executor::{
    Failure, Lookout, Session, Signal,
    lookout::{Asks, Sample},
};

use super::{connect, journal, lease, link::Link, sample};
use crate::flavor::Flavor;

/// A second session with the same database, opened when it is first needed.
pub struct MySqlLookout {
    url: String,
    link: Option<(Link, Flavor)>,
}

impl MySqlLookout {
    /// For the database at a URL.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self { url, link: None }
    }

    async fn link(&mut self) -> Result<&mut (Link, Flavor), Failure> {
        if self.link.is_none() {
            let opened = connect::open(&self.url).await?;
            self.link = Some((opened.link, opened.flavor));
        }
        self.link.as_mut().ok_or_else(|| Failure::broken("the session is not there"))
    }

    /// After any failure but a refusal the session is given up; the next call makes another.
    fn judged<T>(&mut self, done: Result<T, Failure>) -> Result<T, Failure> {
        if !matches!(done, Ok(_) | Err(Failure::Refused { .. })) {
            self.link = None;
        }
        done
    }
}

#[async_trait]
impl Lookout for MySqlLookout {
    async fn signalled(&mut self, run: &str) -> Result<Option<Signal>, Failure> {
        let done = journal::signalled(&mut self.link().await?.0, run).await;
        self.judged(done)
    }

    async fn cancel(&mut self, session: &Session) -> Result<(), Failure> {
        let done = lease::cancel(&mut self.link().await?.0, session).await;
        self.judged(done)
    }

    async fn sample(&mut self, asks: &Asks, own: &[Session]) -> Result<Sample, Failure> {
        let (link, flavor) = self.link().await?;
        let done = sample::sample(link, flavor, asks, own).await;
        self.judged(done)
    }
}
