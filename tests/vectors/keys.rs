//! Parameters that the keys of outputs carry: `margin_0.25`, `ci_two_sided_alpha_0.05`, `ratio_ci_90`.

/// The number after a beginning.
pub(crate) fn after(key: &str, beginning: &str) -> Option<f64> {
    number(key.strip_prefix(beginning)?)
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The level of an interval after a beginning: `95` and `99.9` are per cent, `0.95` a share, `alpha_0.05` what is left out.
pub(crate) fn level(key: &str, beginning: &str) -> Option<f64> {
    let rest = key.strip_prefix(beginning)?;
    if let Some(alpha) = rest.strip_prefix("alpha_") {
        return number(alpha).map(|alpha| 1.0 - alpha);
    }
    let stated = number(rest.strip_prefix("level_").unwrap_or(rest))?;
    let level = if stated > 1.0 { stated / 100.0 } else { stated };
    (level > 0.0 && level < 1.0).then_some(level)
}

/// What is left out by an interval, from the same keys.
pub(crate) fn alpha(key: &str, beginning: &str) -> Option<f64> {
    let stated = key.strip_prefix(beginning)?.strip_prefix("alpha_");
    stated.map_or_else(|| level(key, beginning).map(|l| 1.0 - l), number)
}

/// Splits `log_e_greater_margin_0.1` into its output and its margin; the output is empty in `margin_0.1`.
pub(crate) fn margin(key: &str) -> Option<(&str, f64)> {
    let (output, margin) = key.rsplit_once("margin_")?;
    let output = match output {
        "" => "",
        other => other.strip_suffix('_')?,
    };
    Some((output, number(margin)?))
}

#[test]
fn parameters_are_read_from_keys() {
    assert_eq!(after("margin_-0.25", "margin_"), Some(-0.25));
    assert_eq!(after("margin_1e-3", "margin_"), Some(1e-3));
    assert_eq!(after("margin_x", "margin_"), None);
    assert_eq!(level("ratio_ci_99.5", "ratio_ci_"), Some(0.995));
    assert_eq!(level("ratio_ci_0.9", "ratio_ci_"), Some(0.9));
    assert_eq!(level("ci_alpha_0.25", "ci_"), Some(0.75));
    assert_eq!(level("ci_level_0.9", "ci_"), Some(0.9));
    assert_eq!(level("ci_100", "ci_"), None);
    assert_eq!(alpha("ci_alpha_0.2", "ci_"), Some(0.2));
    assert_eq!(alpha("ci_75", "ci_"), Some(0.25));
    assert_eq!(margin("margin_0.0"), Some(("", 0.0)));
    assert_eq!(margin("sign_count_margin_0.5"), Some(("sign_count", 0.5)));
    assert_eq!(margin("decrease_margin_0.05"), Some(("decrease", 0.05)));
    assert_eq!(margin("nomargin_0.05"), None);
}
