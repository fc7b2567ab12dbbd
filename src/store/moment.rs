//! Ids of verdicts begin with the moment of their question: bounds of time are bounds of ids.

use crate::domain::Millis;
use uuid::Uuid;

/// The lowest id of a moment.
pub fn first_id(moment: Millis) -> Uuid {
    const LAST: i64 = (1 << 48) - 1;
    let moment = moment.clamp(0, LAST) as u64;
    Uuid::from_u128(u128::from(moment) << 80)
}

/// The moment of an id.
pub fn of_id(id: Uuid) -> Millis {
    (id.as_u128() >> 80) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_their_moments() {
        let ids = [-5, 0, 1, 1_767_225_600_123, i64::MAX].map(first_id);
        assert!(ids.is_sorted());
        assert_eq!(of_id(first_id(1_767_225_600_123)), 1_767_225_600_123);
        assert_eq!(first_id(-5), Uuid::nil());
    }
}
