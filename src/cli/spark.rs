//! A line of bars, one for each block.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Blocks shown: the newest.
const WIDTH: usize = 40;

/// Two lines on one scale, so that they can be compared. A block without a value is a dot.
pub fn pair(canary: &[Option<f64>], stable: &[Option<f64>]) -> (String, String) {
    let (canary, stable) = (newest(canary), newest(stable));
    let top = canary
        .iter()
        .chain(stable)
        .flatten()
        .filter(|v| v.is_finite())
        .fold(0.0_f64, |top, v| top.max(*v));
    (line(canary, top), line(stable, top))
}

fn newest(values: &[Option<f64>]) -> &[Option<f64>] {
    values
        .get(values.len().saturating_sub(WIDTH)..)
        .unwrap_or_default()
}

fn line(values: &[Option<f64>], top: f64) -> String {
    values
        .iter()
        .map(|value| match value.filter(|v| v.is_finite()) {
            None => '·',
            Some(value) if top <= 0.0 || value <= 0.0 => BARS[0],
            Some(value) => {
                let step = (value / top * 8.0).ceil() as usize;
                BARS.get(step.clamp(1, 8) - 1).copied().unwrap_or('█')
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn one_scale_for_both() {
        let (canary, stable) = pair(
            &[Some(8.0), None, Some(0.0)],
            &[Some(1.0), Some(4.0), Some(f64::NAN)],
        );
        assert_eq!((canary.as_str(), stable.as_str()), ("█·▁", "▁▄·"));
        assert_eq!(pair(&[], &[]), (String::new(), String::new()));
    }
}
