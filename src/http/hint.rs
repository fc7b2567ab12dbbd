//! "Did you mean": the nearest known word.

/// The known word that `word` most likely meant, if one is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let simple = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    known
        .into_iter()
        .map(|candidate| {
            let distance = strsim::osa_distance(&simple(&lower), &simple(candidate));
            (distance, candidate)
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .map(|(_, candidate)| candidate)
}

/// `; did you mean ...?`, or the list of what there is.
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(best) => format!("; did you mean `{best}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; there is: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        let known = ["canaryHash", "stableHash", "weight", "namespace"];
        for (word, expected) in [
            ("canary_hash", Some("canaryHash")),
            ("canaryhash", Some("canaryHash")),
            ("weigth", Some("weight")),
            ("namespcae", Some("namespace")),
            ("query", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
