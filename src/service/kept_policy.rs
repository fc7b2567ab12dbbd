//! A kept policy document, read again.

use crate::{
    domain::{StoreError, VerdictStore},
    policy::Policy,
    service::bundle::load_kept,
};

/// The policy of a revision; `None` where it is not kept any more or cannot be read.
pub async fn of_revision(
    store: &dyn VerdictStore,
    revision: &str,
) -> Result<Option<Policy>, StoreError> {
    let kept = store.policy(revision).await?;
    Ok(kept.and_then(|kept| load_kept(&kept.name, &kept.text).ok()))
}
