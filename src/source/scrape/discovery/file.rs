//! Targets from a file, JSON or YAML.

use super::{LONGEST, group::Group};
use std::path::Path;

/// Reads it anew.
pub(super) async fn look(path: &Path) -> Result<Vec<Group>, String> {
    let shown = path.display();
    let size = tokio::fs::metadata(path)
        .await
        .map_err(|error| format!("file `{shown}`: {error}"))?
        .len();
    if size > LONGEST {
        return Err(format!(
            "file `{shown}` has {size} bytes, more than {LONGEST}"
        ));
    }
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|error| format!("file `{shown}`: {error}"))?;
    read(&text).map_err(|why| format!("file `{shown}`: {why}"))
}

fn read(text: &str) -> Result<Vec<Group>, String> {
    if text.trim_start().starts_with(['[', '{'])
        && let Ok(groups) = serde_json::from_str(text)
    {
        return Ok(groups);
    }
    // YAML's flow form is nearly JSON too, so its message is the one to show
    serde_saphyr::from_str(text).map_err(|error| {
        let words = error.to_string();
        words.lines().next().unwrap_or_default().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let json = r#"[{"targets": ["a:1", "b:2"], "labels": {"pod": "x"}}, {"targets": []}]"#;
        let yaml = "- targets: [a:1, b:2]\n  labels: { pod: x }\n- targets: []\n";
        let read_json = read(json).unwrap();
        assert_eq!(read_json, read(yaml).unwrap());
        assert_eq!(read_json[0].targets, ["a:1", "b:2"]);
        assert_eq!(read_json[0].labels["pod"], "x");
        for bad in [
            "targets: [a]",
            r#"[{"target": ["a"]}]"#,
            r#"[{"targets": "a"}]"#,
            r#"[{"targets": ["a"], "labels": ["b"]}]"#,
            "[",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
