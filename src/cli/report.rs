//! The verdict for a terminal.

use super::{paint, serve::wiring::Point, spark};
use crate::domain::{Finding, Verdict, time::rfc3339};
use comfy_table::{ContentArrangement, Table, presets::UTF8_BORDERS_ONLY};
use std::fmt::Write;

/// Verdict, table of objectives, lines of the blocks, warnings. `trails` has the blocks of each objective.
pub fn text(verdict: &Verdict, trails: &[Vec<Point>], width: u16) -> String {
    let mut out = String::new();
    let word = verdict.outcome.as_str().to_uppercase();
    let _ = writeln!(
        out,
        "{}  {}",
        paint::outcome(verdict.outcome, &word),
        verdict.reason
    );
    let _ = writeln!(
        out,
        "score {}  {} {} % → {} %  {}/{}  canary {}  stable {}",
        number(verdict.score),
        verdict.action.as_str(),
        number(verdict.weight),
        number(verdict.next_weight),
        verdict.rollout.namespace,
        verdict.rollout.name,
        verdict.rollout.canary_hash,
        verdict.rollout.stable_hash,
    );
    let window = format!(
        "policy {} {}  {} to {}",
        verdict.policy,
        verdict.revision,
        rfc3339(verdict.window.start),
        rfc3339(verdict.window.end)
    );
    let _ = writeln!(out, "{}", paint::dim(&window));
    out.push_str(&table(&verdict.findings, width));
    lines(&mut out, &verdict.findings, trails);
    for warning in &verdict.warnings {
        let _ = writeln!(out, "{} {warning}", paint::odd("warning:"));
    }
    out
}

fn table(findings: &[Finding], width: u16) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(["", "objective", "canary", "stable", "change", "why"]);
    for finding in findings {
        table.add_row([
            finding.outcome.as_str().to_owned(),
            name(finding),
            value(finding.canary.value, &finding.unit),
            value(finding.stable.value, &finding.unit),
            finding
                .effect
                .relative
                .filter(|r| r.is_finite())
                .map_or_else(String::new, |r| format!("{:+.1} %", r * 100.0)),
            finding.reason.clone(),
        ]);
    }
    // colours last: the table counts them as width
    let mut out = String::new();
    let mut rest = findings.iter().peekable();
    for line in table.to_string().lines() {
        let word = rest
            .peek()
            .map(|f| (f.outcome, format!(" {} ", f.outcome.as_str())));
        match word {
            Some((outcome, word))
                if line.starts_with('│') && line.get(3..).is_some_and(|l| l.starts_with(&word)) =>
            {
                let _ = writeln!(
                    out,
                    "{}",
                    line.replacen(&word, &paint::outcome(outcome, &word), 1)
                );
                rest.next();
            }
            _ => {
                let _ = writeln!(out, "{line}");
            }
        }
    }
    out
}

fn name(finding: &Finding) -> String {
    let note = if finding.watch {
        " (watched)"
    } else if finding.critical {
        ""
    } else {
        " (not critical)"
    };
    format!("{}{note}", finding.name)
}

fn lines(out: &mut String, findings: &[Finding], trails: &[Vec<Point>]) {
    let longest = findings
        .iter()
        .map(|f| f.name.chars().count())
        .max()
        .unwrap_or_default();
    for (finding, trail) in findings.iter().zip(trails) {
        if trail.is_empty() {
            continue;
        }
        let canary: Vec<_> = trail.iter().map(|p| p.canary).collect();
        let stable: Vec<_> = trail.iter().map(|p| p.stable).collect();
        let (canary, stable) = spark::pair(&canary, &stable);
        let _ = writeln!(
            out,
            "{:longest$}  canary {}",
            finding.name,
            paint::outcome(finding.outcome, &canary)
        );
        let _ = writeln!(out, "{:longest$}  stable {stable}", "");
    }
}

fn value(value: Option<f64>, unit: &str) -> String {
    let Some(value) = value.filter(|v| v.is_finite()) else {
        return "–".to_owned();
    };
    match unit {
        "ratio" => format!("{} %", number(value * 100.0)),
        "seconds" if value.abs() < 1.0 => format!("{} ms", number(value * 1000.0)),
        "seconds" => format!("{} s", number(value)),
        "bytes" => bytes(value),
        _ => number(value),
    }
}

fn bytes(value: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let step = (value.abs().max(1.0).log2() / 10.0).floor().clamp(0.0, 4.0);
    let unit = units.get(step as usize).copied().unwrap_or("B");
    format!("{} {unit}", number(value / 1024_f64.powf(step)))
}

/// At most three significant digits after the point's place.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        v if v == 0.0 || v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        v => (2.0 - v.log10().floor()).min(9.0) as usize,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (v, unit, expected) in [
            (0.001_23, "ratio", "0.123 %"),
            (0.25, "seconds", "250 ms"),
            (1.5, "seconds", "1.5 s"),
            (1536.0, "bytes", "1.5 KiB"),
            (0.0, "", "0"),
            (1234.5, "", "1234"),
        ] {
            assert_eq!(value(Some(v), unit), expected);
        }
        assert_eq!(value(Some(f64::NAN), ""), "–");
    }
}
