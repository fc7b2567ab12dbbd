//! Collects what one reading has closed until the store has it: compressed at once, bounded.

use super::{blocks::WireBlocks, pack};
use crate::{domain::Chunk, evidence::Block};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Parts of raw answers begin here: one hundred for each objective.
pub const SAMPLES: u32 = 1000;
/// Places of one objective's answers.
const ANSWERS: u32 = 100;
/// Bytes of one objective that may wait for the store.
const WAITING: usize = 256 << 10;
/// The same where raw samples are kept.
const WAITING_SAMPLES: usize = 4 << 20;

/// Names of pods in one chunk, and the letters of one: Kubernetes gives a name at most 253.
const POD_NAMES: usize = 1000;
const POD_NAME: usize = 253;

/// What tells chunks apart.
pub type ChunkKey = (Uuid, u32, i64);

/// The key of a chunk.
pub fn chunk_key(chunk: &Chunk) -> ChunkKey {
    (chunk.run, chunk.part, chunk.first)
}

/// What is recorded while a rollout is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capture {
    /// Closed blocks: needed wherever verdicts are kept.
    pub blocks: bool,
    /// Raw samples too (`keepSamples`).
    pub samples: bool,
}

/// The payload of a chunk of blocks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Payload {
    pub v: u32,
    pub blocks: WireBlocks,
    /// Names of the pods that are met here for the first time, by number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pods: BTreeMap<u32, String>,
}

/// The recorder of one objective. It records nothing until it has a run.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    run: Option<Uuid>,
    part: u32,
    capture: Capture,
    pending: Vec<Arc<Chunk>>,
    lost: bool,
}

impl Recorder {
    /// Records objective number `part` of a reading.
    pub fn new(run: Uuid, part: u32, capture: Capture) -> Self {
        Self {
            run: Some(run),
            part,
            capture,
            ..Self::default()
        }
    }

    /// Are raw samples wanted?
    pub fn wants_samples(&self) -> bool {
        self.capture.samples && self.run.is_some()
    }

    /// Notes a closed stretch, and the pods that it met for the first time.
    pub fn blocks<'a>(
        &mut self,
        blocks: &[(i64, Block)],
        new_pods: impl Iterator<Item = (u32, &'a str)>,
    ) {
        let (Some(first), Some(last), true) = (blocks.first(), blocks.last(), self.capture.blocks)
        else {
            return;
        };
        let payload = pack::payload(&Payload {
            v: 1,
            blocks: WireBlocks::write(blocks.iter().map(|(_, block)| block)),
            pods: new_pods
                .take(POD_NAMES)
                .map(|(number, name)| (number, name.chars().take(POD_NAME).collect()))
                .collect(),
        });
        self.push(self.part, first.0, last.0, payload);
    }

    /// Notes a raw answer that such a stretch was made of.
    pub fn samples(&mut self, answer: u32, first: i64, last: i64, payload: Vec<u8>) {
        let part = SAMPLES + ANSWERS * self.part + answer.min(ANSWERS - 1);
        self.push(part, first, last, payload);
    }

    fn push(&mut self, part: u32, first: i64, last: i64, payload: Vec<u8>) {
        let Some(run) = self.run.filter(|_| !self.lost) else {
            return;
        };
        self.pending.push(Arc::new(Chunk {
            run,
            part,
            first,
            last,
            payload,
        }));
    }

    /// What the store does not have yet.
    pub fn pending(&self) -> impl Iterator<Item = Chunk> + '_ {
        self.pending.iter().map(|chunk| Chunk::clone(chunk))
    }

    /// The store has these.
    pub fn kept(&mut self, keys: &[ChunkKey]) {
        self.pending
            .retain(|chunk| !keys.contains(&chunk_key(chunk)));
    }

    /// Gives up where more waits than may: this reading's verdicts can no longer be kept with their blocks.
    pub fn bound(&mut self) {
        let most = if self.capture.samples {
            WAITING_SAMPLES
        } else {
            WAITING
        };
        let waiting: usize = self.pending.iter().map(|chunk| chunk.payload.len()).sum();
        if waiting > most {
            self.pending = Vec::new();
            self.lost = true;
        }
    }

    /// Was something given up?
    pub fn lost(&self) -> bool {
        self.lost
    }
}
