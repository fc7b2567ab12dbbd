//! Cursors: where the next page begins. Opaque to callers; a cursor of one list means nothing in another.

use crate::http::{loose::cut, problem::Problem};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

const VERDICT: u8 = b'v';
const ROLLOUT: u8 = b'r';
const PLACE: u8 = b't';
const DELIVERY: u8 = b'd';

fn write(kind: u8, bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode([&[kind], bytes].concat())
}

fn read(kind: u8, text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (first, rest) = bytes.split_first()?;
    (*first == kind).then(|| rest.to_vec())
}

fn broken(text: &str) -> Problem {
    Problem::new(
        "invalid-query",
        format!(
            "`cursor`: `{}` is not a cursor of this list; pass `next` of the page before as it is, or leave it out to begin anew",
            cut(text)
        ),
    )
    .at("cursor")
}

/// After this verdict.
pub fn of_verdict(id: Uuid) -> String {
    write(VERDICT, id.as_bytes())
}

/// The verdict of a cursor.
pub fn verdict(text: &str) -> Result<Uuid, Problem> {
    let bytes = read(VERDICT, text).ok_or_else(|| broken(text))?;
    Uuid::from_slice(&bytes).map_err(|_| broken(text))
}

/// After this rollout.
pub fn of_rollout(namespace: &str, name: &str) -> String {
    write(ROLLOUT, format!("{namespace}/{name}").as_bytes())
}

/// The rollout of a cursor: namespace and name.
pub fn rollout(text: &str) -> Result<(String, String), Problem> {
    let bytes = read(ROLLOUT, text).ok_or_else(|| broken(text))?;
    let words = String::from_utf8(bytes).map_err(|_| broken(text))?;
    let (namespace, name) = words.split_once('/').ok_or_else(|| broken(text))?;
    Ok((namespace.to_owned(), name.to_owned()))
}

/// After this place of the log.
pub fn of_place(seq: i64) -> String {
    write(PLACE, &seq.to_be_bytes())
}

/// The place of a cursor.
pub fn place(text: &str) -> Result<i64, Problem> {
    let bytes = read(PLACE, text).ok_or_else(|| broken(text))?;
    let bytes: [u8; 8] = bytes.try_into().map_err(|_| broken(text))?;
    Ok(i64::from_be_bytes(bytes))
}

/// Before this place of the outbox.
pub fn of_delivery(place: i64) -> String {
    write(DELIVERY, &place.to_be_bytes())
}

/// The place in the outbox of a cursor.
pub fn delivery(text: &str) -> Result<i64, Problem> {
    let bytes = read(DELIVERY, text).ok_or_else(|| broken(text))?;
    let bytes: [u8; 8] = bytes.try_into().map_err(|_| broken(text))?;
    Ok(i64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_and_a_broken_one_nowhere() {
        let id = Uuid::from_u128(7);
        assert_eq!(verdict(&of_verdict(id)).unwrap(), id);
        assert_eq!(
            rollout(&of_rollout("shop", "a.b")).unwrap(),
            ("shop".into(), "a.b".into())
        );
        assert_eq!(place(&of_place(-3)).unwrap(), -3);
        assert_eq!(delivery(&of_delivery(9)).unwrap(), 9);
        assert!(delivery(&of_place(9)).is_err());
        for bad in [
            "",
            "?",
            "dg",
            "bm9uc2Vuc2U",
            &of_place(1),
            &of_rollout("a", "b"),
        ] {
            let problem = verdict(bad).unwrap_err();
            assert_eq!((problem.code, problem.status), ("invalid-query", 400));
            assert!(problem.detail.contains("begin anew"), "{problem:?}");
        }
        assert!(rollout(&of_verdict(id)).is_err() && place(&of_verdict(id)).is_err());
    }
}
