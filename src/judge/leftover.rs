//! What is left of stable beside a canary that has taken over its traffic: is it enough to compare with?
//!
//! Probes, scrapes and forgotten clients keep on asking stable. Their few requests would show a break of the canary only
//! after many minutes, so blocks with no more than these count as blocks of the canary alone.

/// Stable may be a leftover where it has fewer requests than this share of the canary's.
const SHARE: f64 = 0.1;
/// It is one where fewer events than this are expected of it in a block: even a break by a factor takes minutes to show.
const EVENTS: f64 = 1.0;
/// So many blocks in a row with more of stable are no burst: it is back.
const BACK: usize = 3;

/// Requests of both arms in a block; of what is not counted 1 where there is a value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Arms {
    /// The canary's.
    pub canary: f64,
    /// Stable's.
    pub stable: f64,
}

impl Arms {
    /// Has the canary requests, and stable none or next to none? `rate`: of stable's events; `blocks`: how many these are.
    fn lonely(self, rate: f64, blocks: f64) -> bool {
        self.stable < SHARE * self.canary && rate * self.stable < EVENTS * blocks
    }

    /// Is the canary compared with stable in this block?
    pub fn compared(self, rate: f64) -> bool {
        self.canary > 0.0 && self.stable > 0.0 && !self.lonely(rate, 1.0)
    }

    /// Is the canary alone, or nearly so?
    pub fn alone(self, rate: f64) -> bool {
        self.canary > 0.0 && !self.compared(rate)
    }
}

/// Both arms over several blocks.
pub fn sum(blocks: &[Arms]) -> Arms {
    blocks.iter().fold(Arms::default(), |sum, block| Arms {
        canary: sum.canary + block.canary,
        stable: sum.stable + block.stable,
    })
}

/// The last block that compares, before the newest blocks of the canary alone: a single request or a burst of stable
/// among these does not end them.
pub fn last_compared(blocks: &[Arms], rate: f64) -> Option<usize> {
    let (mut sum, mut seen, mut more, mut start) = (Arms::default(), 0.0, 0, blocks.len());
    for (at, block) in blocks.iter().enumerate().rev() {
        sum.canary += block.canary;
        sum.stable += block.stable;
        seen += f64::from(u8::from(block.canary > 0.0));
        if block.alone(rate) {
            more = 0;
            if sum.lonely(rate, seen) {
                start = at;
            }
        } else if block.stable > 0.0 {
            more += 1;
            if more == BACK {
                break;
            }
        }
    }
    let before = blocks.get(..start)?;
    before.iter().rposition(|block| block.compared(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trickle_of_stable_is_not_compared_with_and_a_return_is() {
        // five percent, then all of the traffic with so many requests left on stable in each block
        let walk = |left: &[f64]| {
            let before = Arms {
                canary: 150.0,
                stable: 2850.0,
            };
            let mut blocks = vec![before; 20];
            blocks.extend(left.iter().map(|&stable| Arms {
                canary: 3000.0,
                stable,
            }));
            last_compared(&blocks, 0.01)
        };
        let rows: [(&[f64], usize); 10] = [
            (&[], 19),
            (&[0.0; 3], 19),
            (&[0.0, 1.0, 0.0, 0.0, 2.0], 19),
            (&[6.0; 40], 19),
            // a burst of two blocks, and one at the end
            (&[0.0, 0.0, 0.0, 250.0, 250.0, 0.0, 0.0, 0.0, 0.0, 0.0], 19),
            (&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 250.0], 19),
            // as much as shows a break within minutes
            (&[150.0; 10], 29),
            (&[600.0; 10], 29),
            // it comes back, and goes again
            (&[0.0, 0.0, 0.0, 0.0, 2000.0, 2000.0, 2000.0], 26),
            (&[0.0, 0.0, 0.0, 2000.0, 2000.0, 2000.0, 0.0, 0.0, 0.0], 25),
        ];
        for (left, expected) in rows {
            assert_eq!(walk(left), Some(expected), "{left:?}");
        }
        // never anything else
        assert_eq!(
            last_compared(
                &[Arms {
                    canary: 3000.0,
                    stable: 2.0
                }; 9],
                0.01
            ),
            None
        );
    }
}
