//! A document with its version: `{"v": 1, "body": ...}`.

use super::shape::Shape;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The version that is written.
const VERSION: u32 = 1;

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Written by a newer program.
    #[error("version {0} of a document is not known here")]
    Newer(u32),
    /// Not what any version wrote.
    #[error("{0}")]
    Damaged(String),
}

#[derive(Deserialize)]
struct Head {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct Paper<T> {
    v: u32,
    body: T,
}

/// The text of a thing.
pub fn write<S: Shape + Serialize>(meaning: &S::Meaning) -> Result<String, Unreadable> {
    let paper = Paper {
        v: VERSION,
        body: S::of(meaning),
    };
    serde_json::to_string(&paper).map_err(|error| Unreadable::Damaged(error.to_string()))
}

/// The thing of a text.
pub fn read<S: Shape + DeserializeOwned>(text: &str) -> Result<S::Meaning, Unreadable> {
    let damaged = |error: serde_json::Error| Unreadable::Damaged(error.to_string());
    let head: Head = serde_json::from_str(text).map_err(damaged)?;
    if head.v != VERSION {
        return Err(Unreadable::Newer(head.v));
    }
    let paper: Paper<S> = serde_json::from_str(text).map_err(damaged)?;
    Ok(paper.body.back())
}
