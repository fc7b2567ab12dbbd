//! The demonstration from the first port to the last signal.

use super::{
    browser,
    client::Caller,
    folder::Folder,
    news::{Event, News},
    pace::Pace,
    papers::Papers,
    rollout::Rollout,
    screen::Screen,
    stage::Stage,
    summary,
    walk::{Walk, World},
};
use crate::{
    cli::{
        args::{DemoArgs, Output},
        run::Stop,
        serve,
    },
    config,
    demo::{Chance, Scene, ear::Ear},
};
use serde_json::Value;
use std::{
    io::{IsTerminal, stdout},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::{
        Mutex,
        mpsc::{UnboundedReceiver, unbounded_channel},
        oneshot,
    },
    task::{JoinError, JoinSet},
    time::{Instant, interval, sleep, sleep_until, timeout},
};

/// Where the dashboard is, when nobody says and nobody else is there.
const USUAL: &str = "127.0.0.1:8080";
/// The service must be ready after this long, and must end after this long.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the table is drawn without news.
const REDRAW: Duration = Duration::from_millis(500);
/// So long the receiver listens after the last verdict.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// What a shell expects after Ctrl-C.
const INTERRUPTED: u8 = 130;
/// Bytes of the key that signs messages.
const KEY: usize = 24;

/// Plays all scenes; the exit code.
pub async fn play(args: &DemoArgs, folder: &Folder) -> Result<u8, Stop> {
    let mut stop = Stopped::watch()?;
    let pace = Pace(args.speed);
    let scenes = args.scenes();
    let mut screen = Screen::new(args.output, scenes.len())?;
    let listener = listen(args.listen.as_deref()).await?;
    let address = listener.local_addr().map_err(|error| broken(&error))?;
    if !address.ip().is_loopback() {
        let asked = args.listen.as_deref().unwrap_or(USUAL);
        return Err(Stop::usage(format!(
            "`{asked}` can be reached from elsewhere, and the demo asks nobody for a token; give a loopback address"
        )));
    }
    let seed = args.seed.unwrap_or_else(Chance::any_seed);
    let mut stages = Vec::new();
    for (scene, seed) in scenes.iter().zip(seed..) {
        let stage = Stage::open(*scene, Chance::new(seed), &mut names()).await;
        stages.push(stage.map_err(|error| broken(&error))?);
    }
    let (speak, hear) = unbounded_channel();
    let ear = Ear::open(speak).await.map_err(|error| broken(&error))?;
    let key = names().letters(KEY);
    let papers = Papers::write(folder.path(), pace, address, &ear.url(), key.as_bytes())?;
    papers.list_targets(stages.iter())?;
    let settings =
        config::load(Some(&papers.config())).map_err(|error| Stop::failed(error.to_string()))?;
    let (tell, told) = oneshot::channel::<()>();
    let mut service = tokio::spawn(async move {
        let told = async {
            // a teller that is gone has told
            let _ = told.await;
        };
        serve::serve(&settings, Some(listener), told).await
    });
    let caller = Caller::new(address).map_err(Stop::failed)?;
    let (show, shown) = unbounded_channel();
    let rollouts: Vec<Rollout> = stages.iter().map(rollout).collect();
    let world = World {
        stages: Arc::new(Mutex::new(stages)),
        papers,
        caller: caller.clone(),
        pace,
        begun: Instant::now(),
        screen: show,
    };
    let mut theatre = Theatre {
        screen: &mut screen,
        rollouts,
        shown,
        hear,
        begun: world.begun,
    };
    let played = tokio::select! {
        code = theatre.perform(world, args, folder, seed, &mut stop) => code,
        ended = &mut service => return Err(ended_wrongly(ended)),
    };
    drop(tell);
    // the store is closed and messages are sent before the folder goes
    let ended = timeout(PATIENCE, service).await;
    let code = played?;
    match ended {
        Ok(Ok(Ok(()))) => Ok(code),
        Ok(ended) => Err(ended_wrongly(ended)),
        Err(_) => Err(Stop::failed("the service did not end")),
    }
}

/// What is seen while scenes are played.
struct Theatre<'a> {
    screen: &'a mut Screen,
    rollouts: Vec<Rollout>,
    shown: UnboundedReceiver<(usize, Rollout, Vec<News>)>,
    hear: UnboundedReceiver<Value>,
    begun: Instant,
}

impl Theatre<'_> {
    async fn perform(
        &mut self,
        world: World,
        args: &DemoArgs,
        folder: &Folder,
        seed: u64,
        stop: &mut Stopped,
    ) -> Result<u8, Stop> {
        let caller = world.caller.clone();
        let begin = Instant::now();
        while !caller.ready().await {
            if begin.elapsed() > PATIENCE {
                return Err(Stop::failed("the service was not ready in time"));
            }
            tokio::select! {
                () = sleep(Duration::from_millis(50)) => {}
                () = stop.heard() => return Ok(INTERRUPTED),
            }
        }
        self.opening(&world, args, folder, seed)?;
        for stage in world.stages.lock().await.iter_mut() {
            stage.run(world.pace);
        }
        let mut walks = JoinSet::new();
        for (index, rollout) in self.rollouts.iter().cloned().enumerate() {
            let world = world.clone();
            walks.spawn(
                Walk {
                    index,
                    rollout,
                    world,
                }
                .go(),
            );
        }
        let mut redraw = interval(REDRAW);
        loop {
            tokio::select! {
                () = stop.heard() => return Ok(INTERRUPTED),
                Some((index, rollout, news)) = self.shown.recv() => self.show(index, rollout, &news)?,
                Some(message) = self.hear.recv() => self.told(&message)?,
                ended = walks.join_next() => match ended {
                    None => break,
                    Some(Ok(done)) => done?,
                    Some(Err(error)) => return Err(Stop::failed(format!("a walk broke: {error}"))),
                },
                _ = redraw.tick() => self.screen.table(&self.rollouts, self.begun.elapsed())?,
            }
        }
        while let Ok((index, rollout, news)) = self.shown.try_recv() {
            self.show(index, rollout, &news)?;
        }
        self.last_words(stop).await?;
        self.screen.finish()?;
        let right = summary::print(self.screen, &self.rollouts)?;
        let stays = args.keep || stdout().is_terminal();
        if stays {
            summary::try_out(self.screen, &caller, folder, &self.rollouts)?;
        }
        let text = if right {
            "every scene ended as it should"
        } else {
            "not every scene ended as it should"
        };
        self.news(Event::End, text)?;
        if stays {
            self.screen.say("\nIt all stays as it is until Ctrl-C.")?;
            self.stay(stop).await?;
        } else {
            self.screen
                .say("it ends now; with --keep it stays, dashboard and all")?;
        }
        Ok(u8::from(!right))
    }

    /// What the service has to tell about the last verdict is on its way.
    async fn last_words(&mut self, stop: &mut Stopped) -> Result<(), Stop> {
        let end = Instant::now() + LAST_WORDS;
        loop {
            tokio::select! {
                () = stop.heard() => return Ok(()),
                Some(message) = self.hear.recv() => self.told(&message)?,
                () = sleep_until(end) => return Ok(()),
            }
        }
    }

    async fn stay(&mut self, stop: &mut Stopped) -> Result<(), Stop> {
        loop {
            tokio::select! {
                () = stop.heard() => return Ok(()),
                Some(message) = self.hear.recv() => self.told(&message)?,
            }
        }
    }

    fn opening(
        &mut self,
        world: &World,
        args: &DemoArgs,
        folder: &Folder,
        seed: u64,
    ) -> Result<(), Stop> {
        let url = format!("{}/", world.caller.base());
        let kept = if folder.temporary() {
            ", removed at the end"
        } else {
            ""
        };
        self.screen.say(&format!("dashboard  {url}"))?;
        self.screen
            .say(&format!("files      {}/{kept}", folder.path().display()))?;
        self.screen
            .say(&format!("seed       {seed}, speed {}\n", world.pace.0))?;
        if args.output == Output::Json {
            let mut news = self.line(Event::Ready, "the service answers");
            news.url = Some(url.clone());
            news.data_dir = Some(folder.path().display().to_string());
            self.screen.tell(&news)?;
        }
        if args.open
            && let Err(problem) = browser::open(&url)
        {
            self.screen.say(&format!("--open: {problem}"))?;
        }
        Ok(())
    }

    fn show(&mut self, index: usize, rollout: Rollout, news: &[News]) -> Result<(), Stop> {
        if let Some(slot) = self.rollouts.get_mut(index) {
            *slot = rollout;
        }
        for one in news {
            self.screen.tell(one)?;
        }
        self.screen.table(&self.rollouts, self.begun.elapsed())
    }

    /// What the service has told its receiver.
    fn told(&mut self, message: &Value) -> Result<(), Stop> {
        let word = |key: &str| message["data"][key].as_str().unwrap_or_default();
        let told = word("rollout");
        let rollout = Scene::ALL.into_iter().find(|scene| scene.service() == told);
        let news = News {
            rollout: rollout.map(Scene::service),
            scenario: rollout.map(Scene::name),
            ..self.line(Event::Told, &format!("webhook: {}", word("title")))
        };
        self.screen.tell(&news)?;
        Ok(())
    }

    fn news(&mut self, event: Event, text: &str) -> Result<(), Stop> {
        let news = self.line(event, text);
        self.screen.tell(&news)
    }

    fn line(&self, event: Event, text: &str) -> News {
        News {
            event,
            seconds: (self.begun.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            rollout: None,
            scenario: None,
            weight: None,
            verdict: None,
            text: text.to_owned(),
            url: None,
            data_dir: None,
        }
    }
}

/// Ctrl-C, `kill`, or the end of the terminal.
struct Stopped([tokio::signal::unix::Signal; 3]);

impl Stopped {
    fn watch() -> Result<Self, Stop> {
        let watch =
            |kind| signal(kind).map_err(|error| Stop::failed(format!("no signals: {error}")));
        Ok(Self([
            watch(SignalKind::interrupt())?,
            watch(SignalKind::terminate())?,
            watch(SignalKind::hangup())?,
        ]))
    }

    async fn heard(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// The asked address; else the usual one, or any free port where that is taken.
async fn listen(asked: Option<&str>) -> Result<TcpListener, Stop> {
    if let Some(address) = asked {
        return serve::listen(address).await.map_err(|stop| {
            Stop::failed(format!(
                "{}; give another `--listen`, port 0 takes any free one",
                stop.message
            ))
        });
    }
    match serve::listen(USUAL).await {
        Ok(listener) => Ok(listener),
        Err(_) => serve::listen("127.0.0.1:0").await,
    }
}

fn rollout(stage: &Stage) -> Rollout {
    let hashes = (stage.stable_hash.clone(), stage.canary_hash.clone());
    Rollout::new(stage.scene, hashes)
}

/// Names are new in every run: a fail stays with its hash.
fn names() -> Chance {
    Chance::new(Chance::any_seed())
}

/// Why the service ended although nobody asked it to.
fn ended_wrongly(ended: Result<Result<(), Stop>, JoinError>) -> Stop {
    match ended {
        Ok(Ok(())) => Stop::failed("the service ended by itself"),
        Ok(Err(stop)) => stop,
        Err(error) => Stop::failed(format!("the service broke: {error}")),
    }
}

fn broken(error: &std::io::Error) -> Stop {
    Stop::failed(format!("no loopback port: {error}"))
}
