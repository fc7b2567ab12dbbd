//! One measurement of the `web` provider.

use super::{condition::Condition, go_json, json_path};
use crate::support::http::{Answer, Call};
use serde_json::{Map, Value};
use std::{fmt, time::Duration};

/// Phase of a measurement, of a metric or of a run; the worst is the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Successful,
    Running,
    Inconclusive,
    Error,
    Failed,
}

/// What a metric measured once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measurement {
    pub phase: Phase,
    /// JSON of the selected value; empty after an error.
    pub value: String,
    /// Only errors have one.
    pub message: String,
}

/// An answer that must never be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The body is `null`: with the default path the controller's process dies, and again after each restart.
    NullBody,
    /// 2xx, but not JSON: Successful whatever the conditions say, up to 1.10.
    NotJson(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NullBody => f.write_str("a 2xx body of `null` kills the controller"),
            Self::NotJson(why) => write!(f, "a 2xx body that is not JSON always passes: {why}"),
        }
    }
}

/// The `web` provider of a metric, with its conditions.
#[derive(Debug, Clone)]
pub struct Template {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// `jsonBody`; none with GET.
    pub json_body: Option<Map<String, Value>>,
    /// Default `{$}`.
    pub json_path: String,
    pub success_condition: String,
    pub failure_condition: String,
    /// Covers connection and body; 10 s when zero.
    pub timeout: Duration,
}

impl Template {
    /// POST of arguments. Arguments of a jsonBody are always strings.
    pub fn post(url: impl Into<String>, arguments: &[(&str, &str)]) -> Self {
        let strings = arguments.iter();
        let strings = strings.map(|(n, v)| ((*n).to_owned(), Value::String((*v).to_owned())));
        Self {
            method: "POST".to_owned(),
            url: url.into(),
            headers: Vec::new(),
            json_body: Some(strings.collect()),
            json_path: "{$.verdict}".to_owned(),
            success_condition: "result == \"pass\"".to_owned(),
            failure_condition: "result == \"fail\"".to_owned(),
            timeout: Duration::ZERO,
        }
    }

    /// Another path and other conditions.
    pub fn reading(mut self, path: &str, success: &str, failure: &str) -> Self {
        path.clone_into(&mut self.json_path);
        success.clone_into(&mut self.success_condition);
        failure.clone_into(&mut self.failure_condition);
        self
    }

    /// One more header; the last of a name counts.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Measures once.
    pub fn measure(&self) -> Result<Measurement, Violation> {
        self.measure_with_answer().1
    }

    /// Measures once; also what came over the wire, if anything did.
    pub fn measure_with_answer(&self) -> (Option<Answer>, Result<Measurement, Violation>) {
        if self.json_body.is_some() && self.method == "GET" {
            return (None, Ok(Measurement::error("body with GET")));
        }
        let mut headers = self.headers.clone();
        if self.json_body.is_some() {
            headers.retain(|(n, _)| !n.eq_ignore_ascii_case("content-type"));
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let body = self
            .json_body
            .as_ref()
            .map_or_else(Vec::new, |map| serde_json::to_vec(map).unwrap_or_default());
        let timeout = if self.timeout.is_zero() {
            Duration::from_secs(10)
        } else {
            self.timeout
        };
        let call = Call {
            method: &self.method,
            url: &self.url,
            headers: &headers,
            body,
            timeout,
        };
        match call.send() {
            Ok(answer) => {
                let read = self.read(answer.status, &answer.body);
                (Some(answer), read)
            }
            Err(error) => (None, Ok(Measurement::error(error))),
        }
    }

    /// What the provider makes of an answer.
    pub fn read(&self, status: u16, body: &[u8]) -> Result<Measurement, Violation> {
        if !(200..300).contains(&status) {
            let message = format!("received non 2xx response code: {status}");
            return Ok(Measurement::error(message));
        }
        let json: Value =
            serde_json::from_slice(body).map_err(|e| Violation::NotJson(e.to_string()))?;
        if json.is_null() {
            return Err(Violation::NullBody);
        }
        let path = if self.json_path.is_empty() {
            "{$}"
        } else {
            &self.json_path
        };
        Ok(match json_path::first(path, &json) {
            Ok(result) => self.judge(&result),
            Err(error) => Measurement::error(error),
        })
    }

    fn judge(&self, result: &Value) -> Measurement {
        match phase(result, &self.success_condition, &self.failure_condition) {
            Ok(phase) => Measurement {
                phase,
                value: go_json::text(result),
                message: String::new(),
            },
            Err(error) => Measurement::error(error),
        }
    }
}

impl Measurement {
    fn error(message: impl Into<String>) -> Self {
        Self {
            phase: Phase::Error,
            value: String::new(),
            message: message.into(),
        }
    }
}

/// The truth table of the two conditions.
pub fn phase(result: &Value, success: &str, failure: &str) -> Result<Phase, String> {
    let holds = |text: &str| match text {
        "" => Ok(None),
        text => Condition::parse(text)?.holds(result).map(Some),
    };
    let success = holds(success)?;
    let failure = holds(failure)?;
    Ok(match (success, failure) {
        (_, Some(true)) | (Some(false), None) => Phase::Failed,
        (Some(true) | None, None | Some(false)) => Phase::Successful,
        (Some(false), Some(false)) => Phase::Inconclusive,
    })
}
