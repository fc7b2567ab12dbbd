//! What it came to.

use crate::{
    rollout::{Rollout, Stage, minutes},
    screen::{Screen, style},
    services::Services,
};
use anyhow::Result;

/// Tells what became of each rollout; returns whether that is what their truth files say.
pub fn print(
    screen: &mut Screen,
    services: &Services,
    rollouts: &[Rollout],
    kept: bool,
) -> Result<bool> {
    let mut as_expected = true;
    for rollout in rollouts {
        let Some((clock, _, answer)) = &rollout.last else {
            continue;
        };
        let word = match rollout.stage {
            Stage::Promoted => "promoted",
            Stage::Aborted => "aborted",
            Stage::Walking | Stage::Stranded => "not promoted",
        };
        let weight = rollout.steps()[rollout.step(*clock)].weight;
        let word = screen.paint(style(&answer.verdict), &format!("{word:<8}"));
        screen.say(&format!(
            "{:<13}  {word}  at {} with {weight} % of the traffic, after {} questions",
            rollout.name(),
            minutes(*clock),
            rollout.questions,
        ))?;
        screen.say(&format!("{:15}{}", "", screen.indented(15, &answer.reason)))?;
        if let Some(complaint) = rollout.complaint() {
            as_expected = false;
            screen.say(&format!("{:15}NOT AS EXPECTED: {complaint}", ""))?;
        }
    }
    let asked = rollouts.iter().filter_map(|r| r.last.as_ref());
    if let Some((_, question, _)) = asked.max_by_key(|(clock, _, _)| *clock) {
        screen.say("\nThe last question, by hand:")?;
        screen.say(&format!(
            "curl -sS {} -H 'content-type: application/json' \\\n  -d '{question}'",
            services.verdicts()
        ))?;
    }
    if !kept {
        screen.say(
            "\nThe service has ended; `./demo --keep` leaves it running for such questions.",
        )?;
    }
    Ok(as_expected)
}

/// Tells what can be opened while everything is left running.
pub async fn keep(screen: &mut Screen, services: &Services) -> Result<()> {
    screen.say("\nStill running, until Ctrl-C:")?;
    for (name, url) in services.pages().await {
        screen.say(&format!("{name:<9}  {url}"))?;
    }
    Ok(())
}
