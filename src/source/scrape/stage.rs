//! From the rows of one scrape to samples with all their labels.

use super::{
    exposition::{self, Row},
    shard::{Place, Shard, Staged},
};
use crate::domain::{Labels, LabelsDigest, Millis};

/// A target's timestamps may be so far ahead of our clock, as for Prometheus.
const AHEAD: Millis = 600_000;

/// How rows become samples.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The target's own labels win.
    pub honor_labels: bool,
    /// The target's own timestamps count.
    pub honor_timestamps: bool,
    /// Most samples in one scrape.
    pub sample_limit: usize,
    /// How long samples are kept.
    pub retention: Millis,
}

/// Takes rows; nothing is kept before the scrape is whole.
pub struct Stage<'a> {
    shard: &'a Shard,
    target: &'a Labels,
    rules: Rules,
    at: Millis,
    /// What was taken so far.
    pub staged: Vec<Staged>,
    /// How many of them are of series that may be new.
    pub fresh: u64,
    /// Samples that the target wrote.
    pub scraped: u64,
    /// Samples too old or too far ahead to be kept.
    pub out_of_bounds: u64,
    /// More samples than allowed came.
    pub over: bool,
}

impl<'a> Stage<'a> {
    /// For a scrape that began at `at`.
    pub fn new(shard: &'a Shard, target: &'a Labels, rules: Rules, at: Millis) -> Self {
        Self {
            shard,
            target,
            rules,
            at,
            staged: Vec::new(),
            fresh: 0,
            scraped: 0,
            out_of_bounds: 0,
            over: false,
        }
    }

    /// Takes one row.
    pub fn row(&mut self, row: Row<'_>) -> Result<(), &'static str> {
        self.scraped += 1;
        if self.scraped > self.rules.sample_limit as u64 {
            self.over = true;
            return Err("is one too many (`sampleLimit`)");
        }
        let text = LabelsDigest::of(row.series);
        let place = if let Some(slot) = self.shard.by_text(text) {
            Place::Known(slot)
        } else {
            let scraped = exposition::labels(row.series)?;
            let labels = merge(&scraped, self.target, self.rules.honor_labels);
            self.place(text, labels)
        };
        let at = row.at.filter(|_| self.rules.honor_timestamps);
        let at = at.unwrap_or(self.at);
        if at > self.at + AHEAD || at <= self.at - self.rules.retention {
            self.out_of_bounds += 1;
            return Ok(());
        }
        self.fresh += u64::from(matches!(place, Place::New(..)));
        let value = row.value;
        self.staged.push(Staged { place, at, value });
        Ok(())
    }

    /// A sample of ours about the target: `up` and its like.
    pub fn own(&mut self, name: &str, value: f64) {
        let text = LabelsDigest::of(format!("{{}} {name}").as_bytes()); // nothing a target can write
        let place = if let Some(slot) = self.shard.by_text(text) {
            Place::Known(slot)
        } else {
            let mut labels = self.target.clone();
            labels.set("__name__", name);
            self.place(text, labels)
        };
        self.fresh += u64::from(matches!(place, Place::New(..)));
        let at = self.at;
        self.staged.push(Staged { place, at, value });
    }

    fn place(&self, text: LabelsDigest, labels: Labels) -> Place {
        match self.shard.by_labels(text, &labels) {
            Some(slot) => Place::Known(slot),
            None => Place::New(text, labels),
        }
    }
}

/// The labels of a series with those of its target. On a clash the scraped one becomes `exported_NAME`, or wins if it is honoured.
fn merge(scraped: &Labels, target: &Labels, honor: bool) -> Labels {
    let mut pairs: Vec<(String, &str)> = Vec::new();
    for (name, value) in target.iter() {
        if !honor || scraped.get(name).is_none() {
            pairs.push((name.to_owned(), value));
        }
    }
    for (name, value) in scraped.iter() {
        let mut name = name.to_owned();
        if !honor && target.get(&name).is_some() {
            name.insert_str(0, "exported_");
            while scraped.get(&name).is_some() || target.get(&name).is_some() {
                name.insert_str(0, "exported_");
            }
        }
        pairs.push((name, value));
    }
    Labels::new(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clashes() {
        let target = Labels::new([("job", "shop"), ("instance", "a:1")]);
        for (scraped, honor, expected) in [
            (
                &[("code", "5")][..],
                false,
                r#"{code="5",instance="a:1",job="shop"}"#,
            ),
            (
                &[("job", "x")],
                false,
                r#"{exported_job="x",instance="a:1",job="shop"}"#,
            ),
            (
                &[("job", "x"), ("exported_job", "y")],
                false,
                r#"{exported_exported_job="x",exported_job="y",instance="a:1",job="shop"}"#,
            ),
            (&[("job", "x")], true, r#"{instance="a:1",job="x"}"#),
        ] {
            let merged = merge(&Labels::new(scraped.iter().copied()), &target, honor);
            assert_eq!(merged.to_string(), expected);
        }
    }
}
