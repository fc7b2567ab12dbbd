//! A kept policy document, read again.

use crate::{
    domain::{SourceKind, StoreError, VerdictStore},
    policy::{self, Policy},
};

/// The policy `name` of a text, as this program reads it. What a source understands was settled when it judged.
pub fn read(name: &str, text: &str) -> Result<Policy, String> {
    let any = |_: &str| Some(SourceKind::VictoriaMetrics);
    let documents = policy::load(name, text, Some(&any)).map_err(|problems| {
        format!(
            "policy `{name}` cannot be loaded by this program any more:\n{}",
            problems.render(false)
        )
    })?;
    documents
        .into_iter()
        .map(|document| document.policy)
        .find(|policy| policy.name == *name)
        .ok_or_else(|| format!("the text of policy `{name}` holds no policy of this name"))
}

/// The policy of a revision; `None` where it is not kept any more or cannot be read.
pub async fn of_revision(
    store: &dyn VerdictStore,
    revision: &str,
) -> Result<Option<Policy>, StoreError> {
    let kept = store.policy(revision).await?;
    Ok(kept.and_then(|kept| read(&kept.name, &kept.text).ok()))
}
