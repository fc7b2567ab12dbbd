//! Closed sets on the wire: one word each.

use super::shape::Shape;
use crate::domain::{Action, Code, EventKind, Outcome, Scale};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A thing that is written as one word.
pub trait Worded: Copy + 'static {
    /// What the set is of, for messages.
    const WHAT: &'static str;
    /// The set.
    const SET: &'static [Self];
    /// Its word.
    fn word(self) -> &'static str;
    /// The thing of a word.
    fn find(word: &str) -> Option<Self> {
        Self::SET.iter().copied().find(|one| one.word() == word)
    }
}

macro_rules! worded {
    ($($thing:ty, $what:literal: $set:expr;)+) => {$(
        impl Worded for $thing {
            const WHAT: &'static str = $what;
            const SET: &'static [Self] = $set;
            fn word(self) -> &'static str {
                self.as_str()
            }
        }
    )+};
}

worded! {
    Outcome, "outcome": &[Outcome::Pass, Outcome::Fail, Outcome::Inconclusive];
    Action, "action": &[Action::Advance, Action::Hold, Action::Abort];
    Code, "code": Code::ALL;
    EventKind, "kind of event": EventKind::ALL;
    Scale, "scale": &[Scale::Ratio, Scale::Complements, Scale::Difference];
}

/// One word of a closed set.
#[derive(Debug, Clone, Copy)]
pub struct Word<T>(T);

impl<T: Worded> Shape for Word<T> {
    type Meaning = T;

    fn of(meaning: &T) -> Self {
        Self(*meaning)
    }

    fn back(self) -> T {
        self.0
    }
}

impl<T: Worded> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<'de, T: Worded> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        T::find(&word)
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("`{word}` is no {} known here", T::WHAT)))
    }
}
