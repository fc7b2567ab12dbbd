//! From raw samples to blocks again: the same condenser, the same stretches, so the same blocks.

use super::{inputs::Inputs, pack::BundleError, samples::Samples};
use crate::{
    domain::Question,
    evidence::{Block, Condenser, Grid, Identity},
    policy::{Objective, Policy},
    service::read,
};
use std::collections::BTreeMap;

/// Place among the answers of a stretch, place among its takers, the answer.
type Answer<'a> = (u32, usize, &'a Samples);

/// The blocks of objective number `part`; `None` where no samples of it were kept.
pub(super) fn blocks(
    policy: &Policy,
    question: &Question,
    inputs: &Inputs,
    (part, objective): (u32, &Objective),
    samples: &[Samples],
) -> Result<Option<Vec<(i64, Block)>>, BundleError> {
    let odd = |detail: String| BundleError::Inconsistent {
        detail: format!("samples of objective `{}`: {detail}", objective.name),
    };
    let mut stretches: BTreeMap<(i64, i64), Vec<Answer<'_>>> = BTreeMap::new();
    for answer in samples {
        for (i, taker) in answer.takers.iter().enumerate() {
            if taker.objective == part {
                let stretch = stretches.entry((taker.first, taker.last)).or_default();
                stretch.push((answer.order, i, answer));
            }
        }
    }
    let (Some(anchor), Some(known)) = (
        inputs.start,
        stretches.values().flatten().next().map(|s| &s.2.identity),
    ) else {
        return Ok(None);
    };
    let identity = Identity {
        track_label: known.track_label.clone(),
        canary_hash: question.rollout.canary_hash.clone(),
        stable_hash: question.rollout.stable_hash.clone(),
        pod_label: known.pod_label.clone(),
        replica_labels: known.replica_labels.clone(),
    };
    let grid = Grid {
        anchor,
        length: inputs.block,
    };
    let mut condenser = Condenser::new(read::kind(policy, objective), grid, identity);
    let mut blocks = Vec::new();
    for ((first, last), mut answers) in stretches {
        answers.sort_by_key(|(order, i, _)| (*order, *i));
        let mut pieces = Vec::new();
        for (_, i, answer) in answers {
            let taker = answer.takers.get(i);
            let (role, arm) = taker
                .and_then(|taker| Some((taker.role()?, taker.arm)))
                .ok_or_else(|| odd("an answer stands for nothing that is known here".to_owned()))?;
            let mut piece = condenser.piece(role, arm, first, last);
            answer.play(&mut piece);
            pieces.push(piece);
        }
        let closed = condenser
            .close(pieces)
            .map_err(|error| odd(error.to_string()))?;
        blocks.extend(closed.blocks);
    }
    Ok(Some(blocks))
}
