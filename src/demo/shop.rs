//! One service of the shop with its two versions: requests arrive, and are split by weight.

use super::{
    Arm, Chance, Identity, Scene,
    page::page,
    pod::{Counters, Pod},
};
use std::f64::consts::TAU;

/// Pods of the old version.
pub const STABLE_PODS: usize = 4;
/// Pods of the new one.
pub const CANARY_PODS: usize = 2;

/// Traffic swings by this share around its mean, once in so many seconds.
const SWING: (f64, f64) = (0.15, 45.0);
/// Pods of the old version have run for so long.
const OLD: f64 = 3600.0;

/// A simulated service. Time is in seconds of the shop, from 0.
#[derive(Debug, Clone)]
pub struct Shop {
    scene: Scene,
    chance: Chance,
    now: f64,
    next: f64,
    weight: f64,
    deployed: Option<f64>,
    stable: Vec<Pod>,
    canary: Vec<Pod>,
    coming: Vec<Identity>,
}

impl Shop {
    /// The service of a scene, all traffic on the old version. `hashes`: stable, canary.
    pub fn new(scene: Scene, namespace: &str, hashes: (&str, &str), mut chance: Chance) -> Self {
        let mut named = |hash: &str, count| -> Vec<Identity> {
            (0..count)
                .map(|_| Identity {
                    namespace: namespace.to_owned(),
                    service: scene.service().to_owned(),
                    pod: format!("{}-{hash}-{}", scene.service(), chance.letters(5)),
                    hash: hash.to_owned(),
                })
                .collect()
        };
        let stable = named(hashes.0, STABLE_PODS).into_iter();
        let coming = named(hashes.1, CANARY_PODS);
        Self {
            scene,
            chance,
            now: 0.0,
            next: 0.0,
            weight: 0.0,
            deployed: None,
            stable: stable.map(|identity| Pod::new(identity, -OLD)).collect(),
            canary: Vec::new(),
            coming,
        }
    }

    /// Who the pods of a version are, or will be.
    pub fn identities(&self, arm: Arm) -> Vec<Identity> {
        match arm {
            Arm::Stable => self.stable.iter().map(|pod| pod.identity.clone()).collect(),
            Arm::Canary => self.coming.clone(),
        }
    }

    /// Starts the pods of the new version.
    pub fn deploy(&mut self) {
        let now = self.now;
        self.deployed = Some(now);
        let pods = self.coming.iter().cloned();
        self.canary = pods.map(|identity| Pod::new(identity, now)).collect();
    }

    /// Takes the new version away.
    pub fn withdraw(&mut self) {
        self.weight = 0.0;
        self.canary.clear();
    }

    /// Percent of the traffic that goes to the new version.
    pub fn set_weight(&mut self, percent: f64) {
        self.weight = percent;
    }

    /// Lets time pass: requests arrive and are answered.
    pub fn advance(&mut self, seconds: f64) {
        let end = self.now + seconds;
        while self.next < end {
            self.now = self.now.max(self.next);
            let swing = 1.0 + SWING.0 * (TAU * self.now / SWING.1).sin();
            self.next = self.now + self.chance.wait(self.scene.rate() * swing);
            self.answer();
        }
        self.now = end;
    }

    fn answer(&mut self) {
        let since = self.deployed.map_or(f64::NEG_INFINITY, |at| self.now - at);
        let to_canary = !self.canary.is_empty() && self.chance.happens(self.weight / 100.0);
        let (arm, pods) = if to_canary {
            (Arm::Canary, &mut self.canary)
        } else {
            (Arm::Stable, &mut self.stable)
        };
        let chosen = self.chance.pick(pods.len());
        if let Some(pod) = pods.get_mut(chosen) {
            pod.answer(
                self.scene.workload(),
                &self.scene.behaviour(arm, since),
                self.scene.outage(since),
                self.now,
                &mut self.chance,
            );
        }
    }

    /// Does a dependency of both versions fail now?
    pub fn outage(&self) -> bool {
        self.deployed
            .is_some_and(|at| self.scene.outage(self.now - at))
    }

    /// The `/metrics` page of a pod; `None` where it does not run.
    pub fn page(&self, arm: Arm, pod: usize) -> Option<String> {
        let workload = self.scene.workload();
        let pod = self.pods(arm).get(pod)?;
        Some(page(workload, workload.version(arm), &pod.counters))
    }

    /// What the pods of a version have counted.
    pub fn counters(&self, arm: Arm) -> impl Iterator<Item = &Counters> {
        self.pods(arm).iter().map(|pod| &pod.counters)
    }

    fn pods(&self, arm: Arm) -> &[Pod] {
        match arm {
            Arm::Stable => &self.stable,
            Arm::Canary => &self.canary,
        }
    }
}
