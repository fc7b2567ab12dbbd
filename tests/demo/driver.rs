//! The demonstration behind `./demo`: a real VictoriaMetrics with recorded rollouts, the real service, and a caller that asks
//! as Argo Rollouts does, faster than the clock.

mod child;
mod rollout;
mod screen;
mod services;
mod summary;

#[path = "../it/support/recording.rs"]
#[expect(
    clippy::unwrap_used,
    dead_code,
    reason = "shared with the integration tests"
)]
mod recording;
#[path = "../it/support/truth.rs"]
#[expect(dead_code, reason = "shared with the integration tests")]
mod truth;

use anyhow::Result;
use clap::Parser;
use futures_util::future::try_join_all;
use rollout::Rollout;
use screen::Screen;
use services::Services;
use std::{process::ExitCode, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep_until},
};

/// Replays recorded rollouts against the real service
#[derive(Debug, Parser)]
#[command(name = "demo", max_term_width = 100)]
struct Options {
    /// How many times faster than the recorded clock
    #[arg(long, value_name = "FACTOR", default_value_t = 80.0, value_parser = factor)]
    speed: f64,
    /// Lines instead of a table that is redrawn
    #[arg(long)]
    plain: bool,
    /// Leave the service and the database running until Ctrl-C
    #[arg(long)]
    keep: bool,
}

fn factor(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if speed.is_finite() && speed > 0.0 {
        Ok(speed)
    } else {
        Err("must be above 0".to_owned())
    }
}

/// Recordings, from good to bad.
const SHOWN: [&str; 3] = ["healthy_basic", "error_step", "latency_tail"];

/// Seconds of recorded time between two questions.
const EVERY: i64 = 30;

/// What a shell expects after Ctrl-C.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    // dropping the run drops its children, which kills them
    let done = tokio::select! {
        // with --keep the run hears Ctrl-C itself, and its code counts
        biased;
        done = run(&options) => done,
        stopped = stop() => stopped.map(|()| INTERRUPTED),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Ctrl-C, `kill`, or the end of the terminal.
async fn stop() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

async fn run(options: &Options) -> Result<u8> {
    let mut screen = Screen::new(options.plain)?;
    screen.say("starting VictoriaMetrics and rollout-judge")?;
    let mut rollouts: Vec<Rollout> = SHOWN.map(Rollout::load).into();
    let services = Services::start(rollouts.iter().map(|r| &r.recording)).await?;
    let samples: usize = rollouts.iter().map(Rollout::samples).sum();
    screen.say(&format!(
        "{} recorded rollouts with {samples} samples are in VictoriaMetrics; asking rollout-judge every",
        rollouts.len(),
    ))?;
    screen.say(&format!(
        "{EVERY} s of their time, {} times as fast as they were: POST {}\n",
        options.speed,
        services.verdicts(),
    ))?;
    walk(&mut screen, &services, &mut rollouts, options.speed).await?;
    let as_expected = summary::print(&mut screen, &services, &rollouts, options.keep)?;
    if options.keep {
        summary::keep(&mut screen, &services).await?;
        stop().await?;
    }
    Ok(u8::from(!as_expected))
}

/// Asks about all rollouts at once, at every moment of the recordings, until each has come to its end.
async fn walk(
    screen: &mut Screen,
    services: &Services,
    rollouts: &mut [Rollout],
    speed: f64,
) -> Result<()> {
    let begin = Instant::now();
    let mut clock = 0;
    while rollouts.iter().any(Rollout::goes_on) {
        clock += EVERY;
        sleep_until(begin + Duration::from_secs_f64(clock as f64 / speed)).await;
        let open = rollouts.iter_mut().filter(|r| r.goes_on());
        let asked = open.map(|rollout| async move {
            let answer = services.ask(&rollout.question(clock)).await?;
            rollout.take(clock, answer)
        });
        for news in try_join_all(asked).await?.into_iter().flatten() {
            screen.event(&news)?;
        }
        screen.table(rollouts)?;
    }
    screen.finish()
}
