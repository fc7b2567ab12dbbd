//! A scene on stage: a simulated service whose pods listen on loopback ports.

use super::{pace::Pace, papers::NAMESPACE};
use crate::demo::{Arm, Chance, Identity, Scene, Shop, host::Host};
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

/// Requests are answered in portions of this length.
const TICK: Duration = Duration::from_millis(50);
/// Letters of a pod-template hash.
const HASH: usize = 10;

/// The service of a scene, with its pods' ports.
pub struct Stage {
    /// What is played.
    pub scene: Scene,
    /// Pod-template hash of the old version.
    pub stable_hash: String,
    /// Pod-template hash of the new one.
    pub canary_hash: String,
    shop: Arc<Mutex<Shop>>,
    stable: Vec<(Identity, Host)>,
    canary: Vec<(Identity, Host)>,
    clock: Option<JoinHandle<()>>,
}

impl Stage {
    /// Sets a scene up: the old version runs. `names` makes the hashes, which should be new each time.
    pub async fn open(scene: Scene, chance: Chance, names: &mut Chance) -> io::Result<Self> {
        let (stable_hash, canary_hash) = (names.letters(HASH), names.letters(HASH));
        let shop = Shop::new(scene, NAMESPACE, (&stable_hash, &canary_hash), chance);
        let mut stage = Self {
            scene,
            stable_hash,
            canary_hash,
            shop: Arc::new(Mutex::new(shop)),
            stable: Vec::new(),
            canary: Vec::new(),
            clock: None,
        };
        stage.stable = stage.start(Arm::Stable).await?;
        Ok(stage)
    }

    /// Lets requests come from now on.
    pub fn run(&mut self, pace: Pace) {
        let shop = Arc::clone(&self.shop);
        self.clock = Some(tokio::spawn(async move {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut last = Instant::now();
            loop {
                ticks.tick().await;
                let now = Instant::now();
                lock(&shop).advance(pace.shop(now - last));
                last = now;
            }
        }));
    }

    /// Starts the new version's pods, without traffic.
    pub async fn deploy(&mut self) -> io::Result<()> {
        lock(&self.shop).deploy();
        self.canary = self.start(Arm::Canary).await?;
        Ok(())
    }

    /// Takes the new version away.
    pub fn withdraw(&mut self) {
        lock(&self.shop).withdraw();
        self.canary.clear();
    }

    /// Percent of the traffic that goes to the new version.
    pub fn set_weight(&self, percent: f64) {
        lock(&self.shop).set_weight(percent);
    }

    /// Does a dependency of both versions fail now?
    pub fn outage(&self) -> bool {
        lock(&self.shop).outage()
    }

    /// The pods that run, and where they answer.
    pub fn running(&self) -> impl Iterator<Item = (&Identity, SocketAddr)> {
        let pods = self.stable.iter().chain(&self.canary);
        pods.map(|(identity, host)| (identity, host.address()))
    }

    async fn start(&self, arm: Arm) -> io::Result<Vec<(Identity, Host)>> {
        let identities = lock(&self.shop).identities(arm);
        let mut pods = Vec::with_capacity(identities.len());
        for (pod, identity) in identities.into_iter().enumerate() {
            pods.push((
                identity,
                Host::open(Arc::clone(&self.shop), arm, pod).await?,
            ));
        }
        Ok(pods)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(clock) = &self.clock {
            clock.abort();
        }
    }
}

fn lock(shop: &Mutex<Shop>) -> MutexGuard<'_, Shop> {
    shop.lock().unwrap_or_else(PoisonError::into_inner)
}
