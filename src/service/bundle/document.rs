//! The bundle: one JSON document, gzip, with a digest over everything else in it.

use super::{
    blocks::WireBlocks,
    inputs::Inputs,
    pack::{BundleError, gunzip, gzip_well},
    samples::Samples,
};
use crate::domain::{Millis, Question};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What every bundle says it is.
pub const FORMAT: &str = "rollout-judge-bundle";
/// The version that this program writes, and the newest that it reads.
pub const VERSION: u32 = 1;
/// Bytes of the largest bundle, unpacked.
pub const LARGEST: u64 = 64 << 20;

/// Everything that one verdict was made of, and the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`] of the program that wrote it.
    pub version: u32,
    /// Version of the program that judged.
    pub program: String,
    /// The policy.
    pub policy: PolicyText,
    /// The question.
    pub question: Question,
    /// What else the verdict was made of.
    pub inputs: Inputs,
    /// The folded blocks, one entry for each objective that has some.
    pub blocks: Vec<PartBlocks>,
    /// Raw answers that the blocks were made of, where they are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Samples>,
    /// Why kept samples are not in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_left_out: Option<String>,
    /// The verdict as it was kept.
    pub verdict: Value,
    /// When it was kept.
    pub kept_at: Millis,
    /// `sha256:` and 64 hex digits of all other keys, in canonical form.
    pub digest: String,
}

/// The policy as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyText {
    /// Its name.
    pub name: String,
    /// Digest of the document.
    pub revision: String,
    /// The document.
    pub text: String,
}

/// Consecutive blocks of one objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartBlocks {
    /// Place of the objective in the policy.
    pub part: u32,
    /// Number of the first block.
    pub first: i64,
    /// The blocks.
    pub blocks: WireBlocks,
}

impl Bundle {
    /// Fills in the digest.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.digest = digest(&serde_json::to_value(&self).unwrap_or_default());
        self
    }

    /// Leaves out the samples where the bundle would be larger than any that can be read.
    #[must_use]
    pub fn bounded(mut self, limit: u64) -> Self {
        let size = serde_json::to_vec(&self).map_or(0, |json| json.len());
        if size as u64 > limit - (1 << 10) {
            self.samples = Vec::new();
            self.samples_left_out = Some(format!(
                "with the raw samples it would be {} MiB unpacked, and a bundle has at most {} MiB; the blocks that were made of them are all here",
                size >> 20,
                limit >> 20
            ));
        }
        self
    }

    /// The file: the same bundle gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).unwrap_or_default();
        gzip_well(&json)
    }

    /// Reads a file and holds it against its digest.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleError> {
        let json = gunzip(bytes, LARGEST)?;
        let odd = |detail: String| BundleError::NotABundle { detail };
        let value: Value = serde_json::from_slice(&json).map_err(|e| odd(e.to_string()))?;
        if value.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(odd(format!("there is no `\"format\": \"{FORMAT}\"` in it")));
        }
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let version = value.get("version").and_then(Value::as_u64);
        if let Some(version) = version.filter(|v| *v > u64::from(VERSION)) {
            return Err(BundleError::TooNew {
                version,
                program: text("program").to_owned(),
                own: env!("CARGO_PKG_VERSION"),
                known: VERSION,
            });
        }
        let found = digest(&value);
        if text("digest") != found {
            return Err(BundleError::Altered {
                written: text("digest").to_owned(),
                found,
            });
        }
        serde_json::from_value(value).map_err(|e| odd(e.to_string()))
    }
}

/// Digest of a document without its key `digest`.
fn digest(document: &Value) -> String {
    let mut text = String::new();
    match document.as_object() {
        Some(map) => write_map(map.iter().filter(|(key, _)| *key != "digest"), &mut text),
        None => write(document, &mut text),
    }
    let sum = Sha256::digest(text.as_bytes());
    let mut out = String::from("sha256:");
    for byte in &sum {
        for digit in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    out
}

/// Canonical JSON: sorted keys, no white space.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => write_map(map.iter(), out),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn write_map<'a>(entries: impl Iterator<Item = (&'a String, &'a Value)>, out: &mut String) {
    let sorted: BTreeMap<&String, &Value> = entries.collect();
    out.push('{');
    for (i, (key, value)) in sorted.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(key.as_str()).to_string());
        out.push(':');
        write(value, out);
    }
    out.push('}');
}
