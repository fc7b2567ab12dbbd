//! Two texts, line by line.

/// One line of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// In both.
    Same(&'a str),
    /// Only in the former.
    Gone(&'a str),
    /// Only in the latter.
    New(&'a str),
}

/// More lines than this are not compared; the work grows with their product.
const MOST: usize = 2000;

/// The shortest way from one text to the other; `None` where they are too long.
pub fn lines<'a>(former: &'a str, latter: &'a str) -> Option<Vec<Line<'a>>> {
    let a: Vec<&str> = former.lines().collect();
    let b: Vec<&str> = latter.lines().collect();
    if a.len() > MOST || b.len() > MOST {
        return None;
    }
    // common[i][j]: length of the longest common part of a[i..] and b[j..]
    let width = b.len() + 1;
    let mut common = vec![0_u16; (a.len() + 1) * width];
    let at = |i: usize, j: usize| i * width + j;
    let get = |common: &[u16], i: usize, j: usize| common.get(at(i, j)).copied().unwrap_or(0);
    for (i, x) in a.iter().enumerate().rev() {
        for (j, y) in b.iter().enumerate().rev() {
            let best = if x == y {
                get(&common, i + 1, j + 1) + 1
            } else {
                get(&common, i + 1, j).max(get(&common, i, j + 1))
            };
            if let Some(slot) = common.get_mut(at(i, j)) {
                *slot = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut found = Vec::new();
    loop {
        match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) if x == y => {
                found.push(Line::Same(x));
                (i, j) = (i + 1, j + 1);
            }
            (Some(x), y) if y.is_none() || get(&common, i + 1, j) >= get(&common, i, j + 1) => {
                found.push(Line::Gone(x));
                i += 1;
            }
            (_, Some(y)) => {
                found.push(Line::New(y));
                j += 1;
            }
            _ => return Some(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_way() {
        for (former, latter, expected) in [
            ("", "", ""),
            ("a\nb\nc", "a\nb\nc", " a b c"),
            ("a\nb\nc", "a\nx\nc", " a-b+x c"),
            ("a", "", "-a"),
            ("", "a", "+a"),
            ("a\nb", "b\nc", "-a b+c"),
        ] {
            let found = lines(former, latter).unwrap();
            let text: String = found
                .iter()
                .map(|line| match line {
                    Line::Same(t) => format!(" {t}"),
                    Line::Gone(t) => format!("-{t}"),
                    Line::New(t) => format!("+{t}"),
                })
                .collect();
            assert_eq!(text, expected);
        }
        assert!(lines(&"a\n".repeat(3000), "a").is_none());
    }
}
