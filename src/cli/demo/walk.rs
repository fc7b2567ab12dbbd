//! Walks one rollout from the start of its pods to its end.

use super::{
    client::Caller,
    news::{Event, News},
    pace::Pace,
    papers::Papers,
    rollout::{Phase, Rollout},
    stage::Stage,
};
use crate::{
    cli::run::Stop,
    domain::{Clock, SystemClock},
};
use std::sync::Arc;
use tokio::{
    sync::{Mutex, mpsc::UnboundedSender},
    time::{Instant, MissedTickBehavior, interval, sleep},
};

/// Errors in a row after which Argo Rollouts aborts.
const ERRORS: usize = 5;

/// All scenes: who changes one writes the list of running pods anew.
pub type Stages = Arc<Mutex<Vec<Stage>>>;

/// What the walks share.
#[derive(Clone)]
pub struct World {
    /// The simulated services.
    pub stages: Stages,
    /// Their files.
    pub papers: Papers,
    /// The way to the judge.
    pub caller: Caller,
    /// How fast everything goes.
    pub pace: Pace,
    /// When the demonstration began.
    pub begun: Instant,
    /// Where news go: index of the rollout, how it stands, what is new.
    pub screen: UnboundedSender<(usize, Rollout, Vec<News>)>,
}

/// One rollout among others.
pub struct Walk {
    /// Its place among the stages.
    pub index: usize,
    /// How it stands.
    pub rollout: Rollout,
    /// What it has in common with the others.
    pub world: World,
}

impl Walk {
    /// Walks to the end.
    pub async fn go(mut self) -> Result<(), Stop> {
        sleep(self.world.pace.before()).await;
        self.deploy().await?;
        let mut ticks = interval(self.world.pace.question());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let end = Instant::now() + self.world.pace.patience();
        let mut errors = 0;
        while self.rollout.goes_on() {
            ticks.tick().await;
            let question = self.rollout.question();
            match self.world.caller.ask(&question).await {
                Ok(answer) => {
                    errors = 0;
                    let outage = self.stage(|stage| stage.outage()).await.unwrap_or(false);
                    let news = self.rollout.take(answer, outage);
                    self.follow().await?;
                    self.tell(news);
                }
                Err(error) => {
                    errors += 1;
                    tracing::warn!(rollout = self.rollout.scene.service(), %error, "no verdict");
                    if errors == ERRORS {
                        self.strand(&format!("no verdict {ERRORS} times in a row: {error}"));
                    }
                }
            }
            if self.rollout.goes_on() && Instant::now() > end {
                self.strand("no end was found in time");
            }
        }
        Ok(())
    }

    async fn deploy(&mut self) -> Result<(), Stop> {
        self.rollout.since = SystemClock.now();
        self.rollout.phase = Phase::Walking;
        let weight = self.rollout.weight();
        if let Some(stage) = self.world.stages.lock().await.get_mut(self.index) {
            stage.set_weight(weight);
            let deployed = stage.deploy().await;
            deployed.map_err(|error| Stop::failed(format!("no port for a pod: {error}")))?;
        }
        self.list().await?;
        let story = format!(
            "{weight} % to a new version: {}",
            self.rollout.scene.story()
        );
        self.tell(vec![(Event::Deployed, story)]);
        Ok(())
    }

    /// Brings the pods to what the rollout has become.
    async fn follow(&self) -> Result<(), Stop> {
        if self.rollout.phase == Phase::Aborted {
            self.stage(Stage::withdraw).await;
            return self.list().await;
        }
        let weight = self.rollout.weight();
        self.stage(|stage| stage.set_weight(weight)).await;
        Ok(())
    }

    fn strand(&mut self, why: &str) {
        self.rollout.phase = Phase::Stranded;
        self.tell(vec![(Event::Stranded, why.to_owned())]);
    }

    async fn stage<T>(&self, act: impl FnOnce(&mut Stage) -> T) -> Option<T> {
        self.world.stages.lock().await.get_mut(self.index).map(act)
    }

    async fn list(&self) -> Result<(), Stop> {
        let stages = self.world.stages.lock().await;
        self.world.papers.list_targets(stages.iter())
    }

    fn tell(&self, news: Vec<(Event, String)>) {
        let rollout = &self.rollout;
        let news = news
            .into_iter()
            .map(|(event, text)| News {
                event,
                seconds: (self.world.begun.elapsed().as_secs_f64() * 10.0).round() / 10.0,
                rollout: Some(rollout.scene.service()),
                scenario: Some(rollout.scene.name()),
                weight: Some(rollout.weight()),
                verdict: rollout.last.as_ref().map(|answer| answer.verdict.clone()),
                text,
                url: rollout.last.as_ref().map(|answer| answer.url.clone()),
                data_dir: None,
            })
            .collect();
        // nobody looks any more: the demonstration ends
        let _ = self.world.screen.send((self.index, rollout.clone(), news));
    }
}
