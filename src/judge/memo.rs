//! What a reading has computed for the blocks folded so far.

use std::sync::OnceLock;

/// The limits of an interval at one coverage, until the next block: they can be computed while other objectives are still
/// being read.
#[derive(Debug, Clone, Default)]
pub struct Memo(OnceLock<(f64, (f64, f64))>);

impl Memo {
    /// The limits at this coverage. The same blocks give the same limits, remembered or not.
    pub fn limits(&self, alpha: f64, make: impl FnOnce() -> (f64, f64)) -> (f64, f64) {
        match self.0.get() {
            Some((known, limits)) if *known == alpha => *limits,
            _ => {
                let limits = make();
                // a second coverage is not remembered
                let _ = self.0.set((alpha, limits));
                limits
            }
        }
    }

    /// Another block is folded.
    pub fn forget(&mut self) {
        self.0.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_coverage_of_the_same_blocks_is_remembered() {
        let mut memo = Memo::default();
        assert_eq!(memo.limits(0.05, || (1.0, 2.0)), (1.0, 2.0));
        assert_eq!(memo.limits(0.05, || (3.0, 4.0)), (1.0, 2.0));
        assert_eq!(memo.limits(0.01, || (3.0, 4.0)), (3.0, 4.0));
        memo.forget();
        assert_eq!(memo.limits(0.05, || (5.0, 6.0)), (5.0, 6.0));
    }
}
