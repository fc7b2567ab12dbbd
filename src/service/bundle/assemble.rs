//! From what is kept to a bundle.

use super::{
    blocks::WireBlocks,
    document::{Bundle, FORMAT, LARGEST, PartBlocks, PolicyText, VERSION},
    inputs::Inputs,
    pack::{self, BundleError},
    recorder::{Payload, SAMPLES},
    samples::Samples,
};
use crate::{
    domain::{Chunk, Record, Revision},
    evidence::Block,
};
use std::collections::BTreeMap;

/// Why a kept verdict has no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssembleError {
    /// Retention removed them, or they were never kept.
    #[error(
        "blocks {first} to {last} of objective number {part} are not kept any more; raise the retention of the store to replay older verdicts"
    )]
    BlocksGone {
        /// Place of the objective, from 0.
        part: u32,
        /// First missing block.
        first: i64,
        /// Last one that is needed.
        last: i64,
    },
    /// What is kept cannot be read.
    #[error(transparent)]
    Unreadable(#[from] BundleError),
}

/// Puts everything together. `chunks` may hold more than this verdict needs: the reading has gone on.
pub fn assemble(
    record: &Record,
    revision: &Revision,
    chunks: &[Chunk],
) -> Result<Bundle, AssembleError> {
    let inputs = Inputs::from_bytes(&record.inputs)?;
    let mut blocks = Vec::new();
    for (part, seen) in (0_u32..).zip(&inputs.observed) {
        if let Some((first, last)) = seen.blocks {
            let found = part_blocks(part, (first, last), chunks)?;
            blocks.push(PartBlocks {
                part,
                first,
                blocks: WireBlocks::write(&found),
            });
        }
    }
    let folded = |part: u32| {
        let seen = inputs.observed.get(part as usize);
        seen.and_then(|seen| seen.blocks).map(|(_, last)| last)
    };
    let mut samples = Vec::new();
    for chunk in chunks.iter().filter(|c| c.part >= SAMPLES) {
        let mut answer = Samples::read(&chunk.payload)?;
        answer
            .takers
            .retain(|taker| folded(taker.objective).is_some_and(|last| taker.last <= last));
        if !answer.takers.is_empty() {
            samples.push(answer);
        }
    }
    Ok(Bundle {
        format: FORMAT.to_owned(),
        version: VERSION,
        program: inputs.program.clone(),
        policy: PolicyText {
            name: revision.name.clone(),
            revision: revision.revision.clone(),
            text: revision.text.clone(),
        },
        question: record.question.clone(),
        inputs,
        blocks,
        samples,
        samples_left_out: None,
        verdict: serde_json::to_value(&record.verdict).unwrap_or_default(),
        kept_at: record.kept_at,
        digest: String::new(),
    }
    .bounded(LARGEST)
    .sealed())
}

/// The names of one objective's pods by number, as far as they were kept.
pub(super) fn part_names(
    part: u32,
    chunks: &[Chunk],
) -> Result<BTreeMap<u32, String>, AssembleError> {
    let mut names = BTreeMap::new();
    for chunk in chunks.iter().filter(|chunk| chunk.part == part) {
        let payload: Payload = pack::read_payload(&chunk.payload)?;
        names.extend(payload.pods);
    }
    Ok(names)
}

/// The blocks `first..=last` of one objective, without a gap.
pub fn part_blocks(
    part: u32,
    (first, last): (i64, i64),
    chunks: &[Chunk],
) -> Result<Vec<Block>, AssembleError> {
    let mut own: Vec<&Chunk> = chunks.iter().filter(|c| c.part == part).collect();
    own.sort_by_key(|chunk| chunk.first);
    let mut next = first;
    let mut found = Vec::new();
    for chunk in own {
        if next > last || chunk.first != next {
            break;
        }
        let payload: Payload = pack::read_payload(&chunk.payload)?;
        let blocks = payload.blocks.read();
        if blocks.len() as i64 != chunk.last - chunk.first + 1 {
            return Err(BundleError::Inconsistent {
                detail: format!(
                    "a chunk of objective number {part} holds {} blocks for {} to {}",
                    blocks.len(),
                    chunk.first,
                    chunk.last
                ),
            }
            .into());
        }
        next = chunk.last + 1;
        found.extend(blocks);
    }
    if next <= last {
        return Err(AssembleError::BlocksGone {
            part,
            first: next,
            last,
        });
    }
    found.truncate(usize::try_from(last - first + 1).unwrap_or(0));
    Ok(found)
}
