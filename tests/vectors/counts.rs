//! Evidence from counts.

use crate::compare::{num, number, nums, optional};
use crate::input::{In, Outcome};
use rollout_judge::stats::mixture::{BinomialBlock, BinomialProcess, Side};
use rollout_judge::stats::multiplicity::anytime_p;
use rollout_judge::stats::ratio_cs::ratio_confidence_sequence as invert;
use rollout_judge::stats::two_arm::{
    Boundary, Counts, Mode, Reference, conditional_share, two_arm_block,
};
use rollout_judge::stats::{exceedance, histogram, special};
use serde_json::{Map, Value, json};

/// A process that opens its starts as the blocks arrive and keeps the log of its evidence.
struct Track {
    process: BinomialProcess,
    starts: Vec<(f64, f64)>,
    phi: Vec<f64>,
    log_e: Vec<f64>,
}

impl Track {
    fn new(side: Side, input: &In<'_>, single_start: bool) -> Result<Self, String> {
        let starts = if single_start {
            vec![(0.0, 1.0)]
        } else {
            let starts = input.items("starts")?;
            starts
                .iter()
                .map(|s| Ok((s.f("block")?, s.f("weight")?)))
                .collect::<Result<_, String>>()?
        };
        let phi = match number(input.get("phi")?) {
            Some(phi) => vec![phi],
            None => input.list("phi")?,
        };
        Ok(Self {
            process: BinomialProcess::new(side),
            starts,
            phi,
            log_e: Vec::new(),
        })
    }

    fn look(&mut self, block: Option<BinomialBlock>) {
        let now = self.log_e.len();
        for (_, weight) in self.starts.iter().filter(|(block, _)| *block == now as f64) {
            self.process.open(*weight);
        }
        if let Some(block) = block {
            self.process.push(block);
        }
        let phi = if self.phi.len() == 1 {
            self.phi[0]
        } else {
            self.phi[now]
        };
        self.log_e.push(self.process.log_e(phi));
    }

    fn report(&self) -> Map<String, Value> {
        let max = self.log_e.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let first = self.log_e.iter().position(|l| *l >= 100_f64.ln());
        Map::from_iter([
            ("log_e".to_owned(), nums(&self.log_e)),
            ("log_e_running_max".to_owned(), num(max)),
            ("anytime_p".to_owned(), num(anytime_p(max))),
            ("first_block_e_ge_100".to_owned(), json!(first)),
        ])
    }
}

pub(crate) fn binomial_eprocess(input: &In<'_>) -> Outcome {
    let mut track = Track::new(input.side()?, input, false)?;
    for block in input.items("blocks")? {
        track.look(Some(BinomialBlock {
            x: block.f("x")?,
            m: block.f("m")?,
            pi0: block.f("pi0")?,
        }));
    }
    Ok(Value::Object(track.report()))
}

pub(crate) fn two_arm_evidence(input: &In<'_>) -> Outcome {
    let side = input.side()?;
    let (relative, absolute) = (input.f("margin_relative")?, input.f("margin_absolute")?);
    let lookback = input.inside("lookback_stable")?;
    let mut reference = Reference {
        events: lookback.f("x")?,
        trials: lookback.f("n")?,
    };
    let mut track = Track::new(side, input, false)?;
    let (mut ratios, mut modes, mut ms, mut shares) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for block in input.items("blocks")? {
        let counts = block.counts()?;
        let boundary = Boundary::new(reference.rate(), relative, absolute);
        let block = two_arm_block(
            side,
            reference.rate(),
            boundary.ratio,
            relative,
            absolute,
            counts,
        );
        track.look(block);
        reference.push(counts.x_s, counts.n_s);
        ratios.push(optional(block.map(|_| boundary.ratio)));
        modes.push(match (block, boundary.mode) {
            (None, _) => "skipped",
            (Some(_), Mode::Conditional) => "conditional",
            (Some(_), Mode::OneSample) => "one_sample",
        });
        ms.push(block.map_or(0.0, |b| b.m));
        shares.push(optional(block.map(|b| b.pi0)));
    }
    let mut report = track.report();
    report.insert("boundary_ratio".into(), json!(ratios));
    report.insert("mode".into(), json!(modes));
    report.insert("m".into(), nums(&ms));
    report.insert("pi0".into(), json!(shares));
    Ok(Value::Object(report))
}

pub(crate) fn ratio_confidence_sequence(input: &In<'_>) -> Outcome {
    let blocks: Vec<Counts> = input
        .items("blocks")?
        .iter()
        .map(In::counts)
        .collect::<Result<_, _>>()?;
    let (lower, upper) = invert(&blocks, input.f("phi")?, input.f("alpha")?, 1e-10);
    Ok(json!({"lower": num(lower), "upper": num(upper)}))
}

pub(crate) fn quantile_exceedance(input: &In<'_>) -> Outcome {
    let le = input.list("le")?;
    let (q, margin) = (input.f("q")?, input.f("margin_relative")?);
    let enough = input.f("min_reference")?;
    let mut reference = input.list("lookback_stable_cumulative")?;
    let mut fail = [
        Track::new(Side::Greater, input, true)?,
        Track::new(Side::Greater, input, true)?,
    ];
    let mut pass = Track::new(Side::Less, input, true)?;
    let mut per_block = Vec::new();
    for block in input.items("blocks")? {
        let (canary, stable) = (
            block.list("canary_cumulative")?,
            block.list("stable_cumulative")?,
        );
        let (n_c, n_s) = (histogram::total(&canary), histogram::total(&stable));
        let ready = histogram::total(&reference) >= enough && n_c > 0.0 && n_s > 0.0;
        let edges = exceedance::choose_edges(&le, &reference, q, margin).filter(|_| ready);
        per_block.push(edges.map_or(Value::Null, |edges| {
            let ratio = |edge| num(exceedance::exceedance_ratio(&le, &reference, edge, margin));
            json!({
                "stable_quantile": num(edges.quantile),
                "edges": [num(edges.edge1), num(edges.edge2)],
                "boundary_ratio": [ratio(edges.edge1), ratio(edges.edge2)],
            })
        }));
        let at = |edge: f64| {
            let ratio = exceedance::exceedance_ratio(&le, &reference, edge, margin);
            let x = exceedance::count_above(&le, &canary, edge);
            let m = x + exceedance::count_above(&le, &stable, edge);
            BinomialBlock {
                x,
                m,
                pi0: conditional_share(ratio, n_c, n_s),
            }
        };
        let (first, second) = (edges.map(|e| at(e.edge1)), edges.map(|e| at(e.edge2)));
        let [track1, track2] = &mut fail;
        track1.look(first);
        track2.look(second);
        pass.look(first);
        reference
            .iter_mut()
            .zip(&stable)
            .for_each(|(sum, count)| *sum += count);
    }
    let [track1, track2] = &fail;
    let both: Vec<f64> = track1
        .log_e
        .iter()
        .zip(&track2.log_e)
        .map(|(a, b)| special::ln_add_exp(*a, *b) - std::f64::consts::LN_2)
        .collect();
    Ok(json!({
        "per_block": per_block,
        "log_e_fail_track1": nums(&track1.log_e),
        "log_e_fail_track2": nums(&track2.log_e),
        "log_e_fail": nums(&both),
        "log_e_pass_track1": nums(&pass.log_e),
    }))
}
