//! `replay`: the same verdict again, from a bundle.

use super::{
    args::{Output, ReplayArgs},
    paint,
    run::{Stop, print},
};
use crate::service::bundle::{Bundle, BundleError, LARGEST, Replay, replay};
use serde::Serialize;
use std::{fmt::Write, fs::File, io::Read, path::Path};

#[derive(Serialize)]
struct Report {
    equal: bool,
    files: Vec<FileReport>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct FileReport {
    file: String,
    equal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    judged_by: Option<String>,
    replayed_by: &'static str,
    blocks: u64,
    resampled: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples_left_out: Option<String>,
    differences: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Exit 0 when every verdict is the same byte for byte, 1 when one differs, 2 when a file cannot be used.
pub fn run(args: &ReplayArgs) -> Result<u8, Stop> {
    let files: Vec<FileReport> = args.files.iter().map(|path| file(path)).collect();
    let unreadable = files.iter().any(|one| one.error.is_some());
    let report = Report {
        equal: files.iter().all(|one| one.equal),
        files,
    };
    match args.output {
        Output::Json => {
            let text = serde_json::to_string_pretty(&report)
                .map_err(|error| Stop::failed(error.to_string()))?;
            print(&format!("{text}\n"))?;
        }
        Output::Text => {
            print(&text(&report))?;
        }
    }
    Ok(match (unreadable, report.equal) {
        (true, _) => 2,
        (false, true) => 0,
        (false, false) => 1,
    })
}

fn file(path: &Path) -> FileReport {
    let name = path.display().to_string();
    let done = read(path).and_then(|bytes| {
        let bundle = Bundle::from_bytes(&bytes);
        bundle
            .and_then(|bundle| replay(&bundle))
            .map_err(|error: BundleError| error.to_string())
    });
    match done {
        Ok(replay) => FileReport {
            file: name,
            equal: replay.equal(),
            differences: lines(&replay),
            id: Some(replay.id),
            verdict: Some(replay.outcome),
            judged_by: Some(replay.judged_by),
            replayed_by: replay.replayed_by,
            blocks: replay.blocks,
            resampled: replay.resampled,
            samples_left_out: replay.samples_left_out,
            error: None,
        },
        Err(error) => FileReport {
            file: name,
            replayed_by: env!("CARGO_PKG_VERSION"),
            error: Some(error),
            ..FileReport::default()
        },
    }
}

/// A file or, for `-`, standard input. A packed file is never larger than an unpacked one may be.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = LARGEST + 1;
    let done = if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    done.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(BundleError::TooLarge { limit: LARGEST }.to_string());
    }
    Ok(bytes)
}

/// What differs, and why that may be.
fn lines(replay: &Replay) -> Vec<String> {
    let mut lines = replay.differences.clone();
    if !replay.equal() {
        let (then, now) = (&replay.judged_by, replay.replayed_by);
        lines.push(if replay.other_version() {
            format!("it was judged by version {then} and replayed by {now}: the change of version changed the answer; replay it with {then} to see the same bytes")
        } else {
            format!("it was judged and replayed by the same version {now}: this is a defect, or the bundle was made by hand")
        });
    }
    lines
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    for one in &report.files {
        let file = &one.file;
        if let Some(error) = &one.error {
            let _ = writeln!(out, "{} {file}: {error}", paint::bad("unusable"));
            continue;
        }
        let word = if one.equal {
            paint::good("equal")
        } else {
            paint::bad("differs")
        };
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let _ = write!(
            out,
            "{word} {file}: verdict {} {}, {} blocks",
            part(&one.id),
            part(&one.verdict),
            one.blocks
        );
        if one.resampled > 0 {
            let _ = write!(
                out,
                ", {} of them made anew from raw samples",
                one.resampled
            );
        }
        let _ = writeln!(out, ", judged by {}", part(&one.judged_by));
        if let Some(why) = &one.samples_left_out {
            let _ = writeln!(out, "  no raw samples: {why}");
        }
        for line in &one.differences {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}
