//! A shape on the wire and the thing of the domain that it means.

use std::collections::BTreeMap;
use uuid::Uuid;

/// How a thing is written.
pub trait Shape: Sized {
    /// The thing.
    type Meaning;
    /// The shape of a thing.
    fn of(meaning: &Self::Meaning) -> Self;
    /// The thing of a shape.
    fn back(self) -> Self::Meaning;
}

macro_rules! plain {
    ($($thing:ty),+) => {$(
        impl Shape for $thing {
            type Meaning = Self;
            fn of(meaning: &Self) -> Self {
                meaning.clone()
            }
            fn back(self) -> Self {
                self
            }
        }
    )+};
}

plain!(bool, i64, u32, u64, String, Uuid);

impl<S: Shape> Shape for Option<S> {
    type Meaning = Option<S::Meaning>;
    fn of(meaning: &Self::Meaning) -> Self {
        meaning.as_ref().map(S::of)
    }
    fn back(self) -> Self::Meaning {
        self.map(S::back)
    }
}

impl<S: Shape> Shape for Vec<S> {
    type Meaning = Vec<S::Meaning>;
    fn of(meaning: &Self::Meaning) -> Self {
        meaning.iter().map(S::of).collect()
    }
    fn back(self) -> Self::Meaning {
        self.into_iter().map(S::back).collect()
    }
}

impl<S: Shape> Shape for BTreeMap<String, S> {
    type Meaning = BTreeMap<String, S::Meaning>;
    fn of(meaning: &Self::Meaning) -> Self {
        meaning
            .iter()
            .map(|(name, one)| (name.clone(), S::of(one)))
            .collect()
    }
    fn back(self) -> Self::Meaning {
        self.into_iter()
            .map(|(name, one)| (name, one.back()))
            .collect()
    }
}

impl<A: Shape, B: Shape> Shape for (A, B) {
    type Meaning = (A::Meaning, B::Meaning);
    fn of(meaning: &Self::Meaning) -> Self {
        (A::of(&meaning.0), B::of(&meaning.1))
    }
    fn back(self) -> Self::Meaning {
        (self.0.back(), self.1.back())
    }
}

/// A struct on the wire with the fields of the domain's struct of the same name. Keys are camelCase, unknown ones are
/// passed over, an absent `Option` is `None`; any other field that is added later needs `#[serde(default)]`.
macro_rules! shapes {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[$attribute:meta])* $field:ident: $shape:ty,)+ })+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($(#[$attribute])* $field: $shape,)+ }

        impl $crate::store::wire::shape::Shape for $name {
            type Meaning = $crate::domain::$name;

            fn of(meaning: &Self::Meaning) -> Self {
                Self { $($field: $crate::store::wire::shape::Shape::of(&meaning.$field),)+ }
            }

            fn back(self) -> Self::Meaning {
                $crate::domain::$name { $($field: $crate::store::wire::shape::Shape::back(self.$field),)+ }
            }
        }
    )+};
}

pub(super) use shapes;
