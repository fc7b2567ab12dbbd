//! Query strings: every name is known, each is given once, every value can be what it must be.

use super::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::{
    domain::{EventKind, Filter, Millis, Outcome},
    http::{
        auth::Caller,
        hint::did_you_mean,
        limits::{MAX_NAME, MAX_PARAM_VALUE, MAX_PARAMS, is_hash, is_param_name},
        loose,
        problem::Problem,
        request::{check_name, check_namespace},
    },
};
use axum::{extract::Query, http::Uri};
use serde_json::Value;
use std::collections::BTreeMap;

/// Words that may stand before the name of a label: a caller need not remember which of the two it was.
const PREFIXES: [&str; 2] = ["label.", "param."];

/// The pairs of a query string.
#[derive(Debug)]
pub struct Params {
    pairs: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
}

impl Params {
    /// Reads the query of `uri`; `known` are the names that this path takes, `label.` among them where it takes labels.
    pub fn read(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let Query(given) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| invalid("the query string cannot be read; percent-encode its values"))?;
        let (mut pairs, mut labels) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in given {
            let prefix = PREFIXES.iter().find_map(|p| name.strip_prefix(p));
            let label = prefix.filter(|_| known.contains(&PREFIXES[0]));
            let earlier = match label {
                Some(key) => labels.insert(label_name(&name, key)?, label_value(&name, &value)?),
                None if known.contains(&name.as_str()) && !PREFIXES.contains(&name.as_str()) => {
                    pairs.insert(name.clone(), value)
                }
                None => return Err(unknown(&name, known)),
            };
            if earlier.is_some() {
                let shown = loose::cut(&name);
                return Err(invalid(format!("`{shown}` is given twice; give it once")).at(shown));
            }
        }
        if labels.len() > MAX_PARAMS {
            let count = labels.len();
            return Err(invalid(format!("{count} labels; give at most {MAX_PARAMS}")).at("label"));
        }
        Ok(Self { pairs, labels })
    }

    /// Text; an empty value was not given.
    pub fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        let value = self.pairs.get(name).map(|v| Value::from(v.as_str()));
        loose::text(name, value.as_ref()).map_err(of_query)
    }

    /// RFC 3339 or Unix seconds.
    pub fn moment(&self, name: &str) -> Result<Option<Millis>, Problem> {
        let value = self.pairs.get(name).map(|v| Value::from(v.as_str()));
        loose::moment(name, value.as_ref()).map_err(of_query)
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, Problem> {
        let value = self.pairs.get(name).map(|v| Value::from(v.as_str()));
        let flag = loose::flag(name, value.as_ref()).map_err(of_query)?;
        Ok(flag.unwrap_or(default))
    }

    /// Rows of the page.
    pub fn limit(&self) -> Result<u32, Problem> {
        self.limit_up_to(DEFAULT_LIMIT, MAX_LIMIT)
    }

    /// Rows of the page, where it may not have as many as elsewhere.
    pub fn limit_up_to(&self, default: u32, most: u32) -> Result<u32, Problem> {
        let Some(text) = self.text("limit")? else {
            return Ok(default);
        };
        let number = text.parse().ok().filter(|n| (1..=most).contains(n));
        number.ok_or_else(|| {
            let shown = loose::cut(&text);
            invalid(format!(
                "`limit`: `{shown}` is out of range; give 1 to {most}"
            ))
            .at("limit")
        })
    }

    /// `pass`, `fail` or `inconclusive`.
    pub fn outcome(&self, name: &str) -> Result<Option<Outcome>, Problem> {
        let text = self.text(name)?;
        text.map(|t| outcome(name, &t).map_err(of_query))
            .transpose()
    }

    /// Kinds of events, with commas between.
    pub fn kinds(&self) -> Result<Option<Vec<EventKind>>, Problem> {
        let Some(text) = self.text("kinds")? else {
            return Ok(None);
        };
        let known: Vec<&str> = EventKind::ALL.iter().map(|k| k.as_str()).collect();
        let words = text.split(',').map(str::trim).filter(|w| !w.is_empty());
        let kinds = words.map(|word| {
            EventKind::parse(word).ok_or_else(|| {
                let (shown, hint) = (loose::cut(word), did_you_mean(word, &known));
                invalid(format!("`kinds`: no event is called `{shown}`{hint}")).at("kinds")
            })
        });
        kinds.collect::<Result<_, _>>().map(Some)
    }

    /// The labels.
    pub fn has_labels(&self) -> bool {
        !self.labels.is_empty()
    }

    /// Part of a name, and no longer than one.
    fn part(&self) -> Result<Option<String>, Problem> {
        let part = self.text("q")?.map(|q| q.to_lowercase());
        if part.as_ref().is_some_and(|q| q.chars().count() > MAX_NAME) {
            let text = format!(
                "`q` is longer than {MAX_NAME} characters, and so than any name; shorten it"
            );
            return Err(invalid(text).at("q"));
        }
        Ok(part)
    }

    /// What all lists are narrowed by. A name that this path does not take is absent anyway.
    pub fn filter(&self, caller: &Caller) -> Result<Filter, Problem> {
        let filter = Filter {
            visible: caller.visible().map(<[String]>::to_vec),
            namespace: self.text("namespace")?,
            rollout: self.text("rollout")?,
            part: self.part()?,
            policy: self.text("policy")?,
            canary_hash: self.text("canaryHash")?,
            outcome: self.outcome("verdict")?,
            since: self.moment("since")?,
            until: self.moment("until")?,
            labels: self.labels.clone(),
        };
        if let Some(namespace) = &filter.namespace {
            check_namespace(namespace).map_err(of_query)?;
            caller.may_see(namespace)?;
        }
        if let Some(rollout) = &filter.rollout {
            check_name(rollout).map_err(of_query)?;
        }
        if let Some(hash) = filter.canary_hash.as_ref().filter(|h| !is_hash(h)) {
            let shown = loose::cut(hash);
            let text = format!(
                "`canaryHash`: `{shown}` is not a pod-template hash ([a-z0-9], 1 to 63 characters)"
            );
            return Err(invalid(text).at("canaryHash"));
        }
        if let (Some(since), Some(until)) = (filter.since, filter.until)
            && since >= until
        {
            return Err(invalid("`since` is not before `until`; exchange them").at("since"));
        }
        Ok(filter)
    }
}

/// The outcome of a word.
pub fn outcome(field: &str, word: &str) -> Result<Outcome, Problem> {
    let all = [Outcome::Pass, Outcome::Fail, Outcome::Inconclusive];
    let found = all.into_iter().find(|o| o.as_str() == word);
    found.ok_or_else(|| {
        let shown = loose::cut(word);
        Problem::invalid(
            field,
            format!("`{shown}` is not a verdict; give `pass`, `fail` or `inconclusive`"),
        )
    })
}

/// A refusal of the query string.
pub fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new("invalid-query", detail)
}

/// The same refusal, of the query string instead of a body.
fn of_query(problem: Problem) -> Problem {
    let field = problem.field.clone().unwrap_or_default();
    invalid(problem.detail).at(field)
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let shown = loose::cut(name);
    let names: Vec<String> = known
        .iter()
        .map(|n| match *n {
            "label." => "label.NAME".to_owned(),
            other => other.to_owned(),
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hint = did_you_mean(name, &names);
    invalid(format!("unknown parameter `{shown}`{hint}")).at(shown)
}

fn label_name(name: &str, key: &str) -> Result<String, Problem> {
    if is_param_name(key) {
        return Ok(key.to_owned());
    }
    let shown = loose::cut(name);
    let text = format!(
        "`{shown}` is not the name of a label: a letter or `_`, then letters, digits and `_`, at most 64; give `label.modelVersion=7`"
    );
    Err(invalid(text).at(shown))
}

fn label_value(name: &str, value: &str) -> Result<String, Problem> {
    if value.chars().count() <= MAX_PARAM_VALUE && !value.chars().any(char::is_control) {
        return Ok(value.to_owned());
    }
    let shown = loose::cut(name);
    let text = format!("`{shown}`: give printable text of at most {MAX_PARAM_VALUE} characters");
    Err(invalid(text).at(shown))
}
