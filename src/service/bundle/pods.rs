//! What each pod gave to a verdict, from the kept blocks. A pod is a number there; its name stands in the chunk that met it first.

use super::{
    assemble::{AssembleError, part_blocks, part_names},
    inputs::Inputs,
};
use crate::{domain::Chunk, evidence::Block};
use std::collections::BTreeMap;

/// One pod's part of one objective, since the canary's start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PodSums {
    /// Its number.
    pub pod: u32,
    /// Its name, where the series had one.
    pub name: Option<String>,
    /// Events, where they are counted.
    pub events: Option<f64>,
    /// Trials or observations.
    pub trials: f64,
    /// Blocks with data of it.
    pub blocks: u64,
}

/// The pods of one objective: canary, stable.
pub type PodArms = [Vec<PodSums>; 2];

/// The pods of each objective; `None` for one that knows no pods (means and levels), or none yet.
pub fn pods(inputs: &Inputs, chunks: &[Chunk]) -> Result<Vec<Option<PodArms>>, AssembleError> {
    let mut all = Vec::new();
    for (part, seen) in (0_u32..).zip(&inputs.observed) {
        let Some((first, last)) = seen.blocks else {
            all.push(None);
            continue;
        };
        let blocks = part_blocks(part, (first, last), chunks)?;
        let mut arms: [BTreeMap<u32, PodSums>; 2] = Default::default();
        let mut known = false;
        for (_, block) in (first..).zip(&blocks).filter(|(index, _)| *index >= 0) {
            let [canary, stable] = &mut arms;
            match block {
                Block::Counts(counts) => {
                    known = true;
                    for (arm, pods) in [(canary, &counts.canary), (stable, &counts.stable)] {
                        for pod in pods {
                            add(arm, pod.pod, Some(pod.events), pod.trials);
                        }
                    }
                }
                Block::Histograms(histograms) => {
                    known = true;
                    let both = [(canary, &histograms.canary), (stable, &histograms.stable)];
                    for (arm, pods) in both {
                        for pod in pods {
                            let trials = pod.cumulative.last().copied().unwrap_or_default();
                            add(arm, pod.pod, None, trials);
                        }
                    }
                }
                Block::Means(_) | Block::Gauges(_) => {}
            }
        }
        let mut names = part_names(part, chunks)?;
        for sums in arms.iter_mut().flat_map(BTreeMap::values_mut) {
            sums.name = names.remove(&sums.pod).filter(|name| !name.is_empty());
        }
        all.push(known.then(|| arms.map(|arm| arm.into_values().collect())));
    }
    Ok(all)
}

fn add(arm: &mut BTreeMap<u32, PodSums>, pod: u32, events: Option<f64>, trials: f64) {
    let sums = arm.entry(pod).or_default();
    sums.pod = pod;
    if let Some(events) = events {
        sums.events = Some(sums.events.unwrap_or_default() + events);
    }
    sums.trials += trials;
    sums.blocks += 1;
}
