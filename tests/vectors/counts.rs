//! Evidence from counts.

use crate::compare::{num, number, nums, optional};
use crate::input::{In, Outcome};
use crate::keys;
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
    /// A process for a case with this many looks. Without starts there is a single one, without phi it is 1.
    fn new(side: Side, input: &In<'_>, looks: usize) -> Result<Self, String> {
        let starts = if input.has("starts") {
            let starts = input.items("starts")?;
            starts
                .iter()
                .map(|s| Ok((s.f("block")?, s.f("weight")?)))
                .collect::<Result<_, String>>()?
        } else {
            vec![(0.0, 1.0)]
        };
        Ok(Self {
            process: BinomialProcess::new(side),
            starts,
            phi: phi_of(input, looks)?,
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
        self.log_e.push(self.process.log_e(self.phi[now]));
    }

    fn max(&self) -> f64 {
        self.log_e.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    fn report(&self) -> Map<String, Value> {
        Map::from_iter([
            ("log_e".to_owned(), nums(&self.log_e)),
            ("log_e_running_max".to_owned(), num(self.max())),
            ("anytime_p".to_owned(), num(anytime_p(self.max()))),
        ])
    }

    /// `first_block_e_ge_X` for any X.
    fn crossed(&self, key: &str) -> Option<Value> {
        let limit = keys::after(key, "first_block_e_ge_")?.ln();
        Some(json!(self.log_e.iter().position(|l| *l >= limit)))
    }
}

/// The dispersion of each look: one number for all of them, or a list.
fn phi_of(input: &In<'_>, looks: usize) -> Result<Vec<f64>, String> {
    if !input.has("phi") {
        return Ok(vec![1.0; looks]);
    }
    let listed = match number(input.get("phi")?) {
        Some(phi) => vec![phi],
        None => input.list("phi")?,
    };
    match listed.as_slice() {
        [phi] => Ok(vec![*phi; looks]),
        _ if listed.len() == looks => Ok(listed),
        _ => Err(format!("input phi has {} of {looks} looks", listed.len())),
    }
}

pub(crate) fn binomial_eprocess(input: &In<'_>) -> Outcome {
    let blocks = input.items("blocks")?;
    let mut track = Track::new(input.side()?, input, blocks.len())?;
    for block in blocks {
        track.look(Some(BinomialBlock {
            x: block.f("x")?,
            m: block.f("m")?,
            pi0: block.f("pi0")?,
        }));
    }
    input.complete(Value::Object(track.report()), |key| track.crossed(key))
}

pub(crate) fn two_arm_evidence(input: &In<'_>) -> Outcome {
    let side = input.side()?;
    let relative = input.f_or("margin_relative", 0.0)?;
    let absolute = input.f_or("margin_absolute", 0.0)?;
    let mut reference = Reference::default();
    if input.has("lookback_stable") {
        let lookback = input.inside("lookback_stable")?;
        reference.push(lookback.f("x")?, lookback.f("n")?);
    }
    let blocks = input.items("blocks")?;
    let mut track = Track::new(side, input, blocks.len())?;
    let (mut ratios, mut modes, mut ms, mut shares) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for block in blocks {
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
    input.complete(Value::Object(report), |key| track.crossed(key))
}

pub(crate) fn ratio_confidence_sequence(input: &In<'_>) -> Outcome {
    let blocks: Vec<Counts> = input
        .items("blocks")?
        .iter()
        .map(In::counts)
        .collect::<Result<_, _>>()?;
    // the limits of the last look
    let phi = phi_of(input, blocks.len())?.last().copied().unwrap_or(1.0);
    let (lower, upper) = invert(&blocks, phi, input.f_or("alpha", 0.05)?, 1e-10);
    Ok(json!({"lower": num(lower), "upper": num(upper)}))
}

pub(crate) fn quantile_exceedance(input: &In<'_>) -> Outcome {
    let le = input.list("le")?;
    let (q, margin) = (input.f("q")?, input.f_or("margin_relative", 0.0)?);
    let enough = input.f_or("min_reference", 100.0)?;
    let mut reference = if input.has("lookback_stable_cumulative") {
        input.list("lookback_stable_cumulative")?
    } else {
        vec![0.0; le.len()]
    };
    let blocks = input.items("blocks")?;
    let track = |side| Track::new(side, input, blocks.len());
    let mut fail = [track(Side::Greater)?, track(Side::Greater)?];
    let mut pass = track(Side::Less)?;
    let mut per_block = Vec::new();
    for block in &blocks {
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
