//! Tells those who wait for new events on this replica that there are some.

use tokio::sync::watch;

/// Poked after each write; who waits wakes up and reads the log. Nothing is queued: a poke that nobody waits for is lost,
/// and the log still has it. Other replicas' writes are found by looking at the log from time to time.
#[derive(Debug)]
pub struct Pulse(watch::Sender<u64>);

impl Default for Pulse {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Pulse {
    /// There is something new in the log.
    pub fn poke(&self) {
        self.0.send_modify(|beats| *beats = beats.wrapping_add(1));
    }

    /// Waits for pokes from now on.
    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

/// One who waits.
#[derive(Debug)]
pub struct Listener(watch::Receiver<u64>);

impl Listener {
    /// Resolves at the first poke since the last time; never, once the [`Pulse`] is gone.
    pub async fn poked(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
