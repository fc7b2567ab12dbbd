//! What it came to, and what can be looked at.

use super::{
    client::Caller,
    folder::Folder,
    rollout::{Phase, Rollout},
    screen::{Screen, style},
};
use crate::{cli::run::Stop, config::env};

/// Tells what became of each rollout; returns whether all is as it should be.
pub fn print(screen: &mut Screen, rollouts: &[Rollout]) -> Result<bool, Stop> {
    let mut right = true;
    for rollout in rollouts {
        let word = match rollout.phase {
            Phase::Promoted => "promoted",
            Phase::Aborted => "aborted",
            _ => "stranded",
        };
        let word = screen.paint(style(word), &format!("{word:<8}"));
        let reason = rollout.last.as_ref().map_or("", |answer| &answer.reason);
        screen.say(&format!(
            "{:<9}  {word}  {} questions  {}",
            rollout.scene.service(),
            rollout.questions,
            screen.indented(37, reason),
        ))?;
        if let Some(complaint) = rollout.complaint() {
            right = false;
            let text = format!("NOT AS EXPECTED: {} {complaint}", rollout.scene.name());
            screen.say(&format!("{:11}{text}", ""))?;
        }
    }
    Ok(right)
}

/// Tells what can be tried while the service runs.
pub fn try_out(
    screen: &mut Screen,
    caller: &Caller,
    folder: &Folder,
    rollouts: &[Rollout],
) -> Result<(), Stop> {
    let (base, path) = (caller.base(), folder.path().display());
    let program = env::program();
    screen.say(&format!("\nTry, while it runs (dashboard {base}/):"))?;
    let last = rollouts.iter().rev().find(|rollout| rollout.last.is_some());
    if let Some((rollout, answer)) = last.and_then(|r| Some((r, r.last.as_ref()?))) {
        let (service, id) = (rollout.scene.service(), &answer.id);
        let policy = super::papers::policy_of(rollout.scene.workload());
        for line in [
            format!("curl -s {base}/v1/rollouts/shop/{service}"),
            format!("curl -s {base}/v1/verdicts/{id}/bundle | {program} replay -"),
            format!("{program} check --source-kind scrape {path}/policies/{policy}.yaml"),
        ] {
            screen.say(&format!("  {line}"))?;
        }
    }
    screen.say(&format!(
        "  {path}/  configuration, policies (a change is taken in at once), targets, log, store"
    ))
}
