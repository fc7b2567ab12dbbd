//! An override as it arrives, and its way to a [`Ruling`].

use super::params::outcome;
use crate::{
    domain::{
        Millis, Outcome,
        text::is_invisible,
        time::rfc3339,
        units::{duration_text, millis},
    },
    http::{hint::did_you_mean, limits::is_hash, loose, problem::Problem, schema},
    service::Ruling,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;
use utoipa::ToSchema;

/// Longest `reason`, in characters.
pub const MAX_WHY: usize = 500;

/// The keys that an override may have.
pub const FIELDS: &[&str] = &["verdict", "reason", "expires", "canaryHash"];

/// What `POST /v1/rollouts/{namespace}/{name}/override` takes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OverrideRequest {
    /// What every answer says while it is in force: `pass`, `fail` or `inconclusive`.
    #[schema(value_type = String, required = true, example = "pass")]
    verdict: Option<Value>,
    /// Why, for everybody who reads the history: 1 to 500 characters.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 500, example = "the errors are a known bug of the test client")]
    reason: Option<Value>,
    /// Until when: RFC 3339, Unix seconds, or a length of time from now such as `2h`; at most `server.maxOverride` ahead.
    #[schema(value_type = schema::LooseTime, required = true, example = "2h")]
    expires: Option<Value>,
    /// The canary that it is about. Absent: the one that was judged last. Another version is judged again.
    #[schema(value_type = String, required = false, pattern = "^[a-z0-9]{1,63}$", example = "6c9f8d7b5")]
    canary_hash: Option<Value>,
}

impl OverrideRequest {
    /// Reads a body.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        let whole = "send `{\"verdict\": \"pass\", \"reason\": \"why\", \"expires\": \"2h\"}`";
        let map: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
            Problem::new(
                "malformed-json",
                format!("not a JSON object: {error}; {whole}"),
            )
        })?;
        if let Some(key) = map.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            let (shown, hint) = (loose::cut(key), did_you_mean(key, FIELDS));
            let text = format!("unknown field `{shown}`{hint}");
            return Err(Problem::new("unknown-field", text).at(shown));
        }
        // once more from the text: a map would take a key that is given twice
        serde_json::from_slice(body)
            .map_err(|error| Problem::new("malformed-json", format!("{error}; {whole}")))
    }

    /// Checks every field; `now` is our clock's. The first that is wrong is told.
    pub fn ruling(
        &self,
        rollout: (String, String),
        author: &str,
        now: Millis,
        longest: Duration,
    ) -> Result<Ruling, Problem> {
        self.check(rollout, author, now, longest)
            .map_err(|all| all.into_iter().next().unwrap_or_else(unsaid))
    }

    /// Checks every field, and tells everything that is wrong.
    pub fn check(
        &self,
        (namespace, name): (String, String),
        author: &str,
        now: Millis,
        longest: Duration,
    ) -> Result<Ruling, Vec<Problem>> {
        let verdict = self.verdict();
        let reason = self.why();
        let canary_hash = self.canary();
        let expires = expires(self.expires.as_ref(), now, longest);
        match (verdict, reason, canary_hash, expires) {
            (Ok(outcome), Ok(reason), Ok(canary_hash), Ok(expires)) => Ok(Ruling {
                namespace,
                name,
                canary_hash,
                outcome,
                reason,
                expires,
                author: author.to_owned(),
            }),
            (verdict, reason, canary, expires) => {
                Err([verdict.err(), reason.err(), canary.err(), expires.err()]
                    .into_iter()
                    .flatten()
                    .collect())
            }
        }
    }

    fn verdict(&self) -> Result<Outcome, Problem> {
        let verdict = loose::text("verdict", self.verdict.as_ref())?
            .ok_or_else(|| Problem::missing("verdict", "give `pass`, `fail` or `inconclusive`"))?;
        outcome("verdict", &verdict)
    }

    fn why(&self) -> Result<String, Problem> {
        let missing = || Problem::missing("reason", "say why, for everybody who reads the history");
        let reason = loose::text("reason", self.reason.as_ref())?.ok_or_else(missing)?;
        if let Some(c) = reason.chars().find(|c| is_invisible(*c)) {
            let text = format!(
                "has a character that cannot be seen or turns the direction of writing (U+{:04X}); take it out",
                u32::from(c)
            );
            return Err(Problem::invalid("reason", text));
        }
        if reason.chars().count() > MAX_WHY {
            let text = format!("longer than {MAX_WHY} characters; shorten it");
            return Err(Problem::invalid("reason", text));
        }
        Ok(reason)
    }

    fn canary(&self) -> Result<Option<String>, Problem> {
        let canary_hash = loose::text("canaryHash", self.canary_hash.as_ref())?;
        if let Some(hash) = canary_hash.as_ref().filter(|h| !is_hash(h)) {
            let text = format!(
                "`{}` is not a pod-template hash ([a-z0-9], 1 to 63 characters)",
                loose::cut(hash)
            );
            return Err(Problem::invalid("canaryHash", text));
        }
        Ok(canary_hash)
    }
}

fn unsaid() -> Problem {
    Problem::new("internal", "the override was refused without a reason")
}

fn expires(value: Option<&Value>, now: Millis, longest: Duration) -> Result<Millis, Problem> {
    let span = loose::given(value)
        .and_then(Value::as_str)
        .and_then(|text| millis(text.trim()).ok());
    let until = match span {
        Some(span) => now.saturating_add(span),
        None => loose::moment("expires", value)
            .map_err(|mut problem| {
                problem
                    .detail
                    .push_str(", or a length of time such as `2h`");
                problem
            })?
            .ok_or_else(|| {
                Problem::missing("expires", "give a moment, or a length of time such as `2h`")
            })?,
    };
    if until <= now {
        let text = format!(
            "{} is not in the future; give for example `2h`",
            rfc3339(until)
        );
        return Err(Problem::invalid("expires", text));
    }
    let longest = longest.as_millis() as Millis;
    if until > now.saturating_add(longest) {
        let text = format!(
            "{} is more than {} ahead; give an earlier end or raise `server.maxOverride`",
            rfc3339(until),
            duration_text(longest)
        );
        return Err(Problem::invalid("expires", text));
    }
    Ok(until)
}
