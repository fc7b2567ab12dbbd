//! One native histogram sample: `{"count":"7","sum":"1.5","buckets":[[0,"0.5","1","3"],..]}`.

use super::cursor::{Cursor, Take};
use super::number::quoted_float;
use crate::domain::NativeHistogram;

/// Takes the object.
pub(super) fn histogram(cursor: &mut Cursor<'_>) -> Take<NativeHistogram> {
    let mut out = NativeHistogram::default();
    let (mut count, mut sum) = (false, false);
    cursor.eat(b'{')?;
    let start = cursor.at;
    loop {
        let key = cursor.string()?;
        cursor.eat(b':')?;
        match key.bytes {
            b"count" => {
                out.count = quoted_float(cursor)?;
                count = true;
            }
            b"sum" => {
                out.sum = quoted_float(cursor)?;
                sum = true;
            }
            b"buckets" => out.buckets = buckets(cursor)?,
            _ => return Err(Cursor::bad(key.at, "expected `count`, `sum` or `buckets`")),
        }
        if !cursor.eat_if(b',')? {
            break;
        }
    }
    cursor.eat(b'}')?;
    if count && sum {
        Ok(out)
    } else {
        Err(Cursor::bad(start, "a histogram without `count` and `sum`"))
    }
}

/// Takes the list of `[rule, "lower", "upper", "count"]`.
fn buckets(cursor: &mut Cursor<'_>) -> Take<Vec<(f64, f64, f64)>> {
    let mut out: Vec<(f64, f64, f64)> = Vec::new();
    cursor.eat(b'[')?;
    if cursor.eat_if(b']')? {
        return Ok(out);
    }
    loop {
        cursor.eat(b'[')?;
        let at = cursor.at;
        if !matches!(cursor.peek()?, b'0'..=b'3') {
            return Err(cursor.expected("a boundary rule from 0 to 3"));
        }
        cursor.at += 1;
        let mut numbers = [0.0; 3];
        for number in &mut numbers {
            cursor.eat(b',')?;
            *number = quoted_float(cursor)?;
        }
        cursor.eat(b']')?;
        let [lower, upper, count] = numbers;
        let ascending = out.last().is_none_or(|(_, last, _)| *last <= lower);
        if !(ascending && lower <= upper) {
            return Err(Cursor::bad(at, "histogram buckets out of order"));
        }
        out.push((lower, upper, count));
        if !cursor.eat_if(b',')? {
            break;
        }
    }
    cursor.eat(b']')?;
    Ok(out)
}
