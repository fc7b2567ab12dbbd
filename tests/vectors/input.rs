//! Reading the inputs of a case; what is missing is an error with its name.

use crate::compare::{is_remark, number};
use rollout_judge::stats::mixture::Side;
use rollout_judge::stats::two_arm::Counts;
use serde_json::Value;

/// The computed outputs of a case, or why there are none.
pub(crate) type Outcome = Result<Value, String>;

/// A place in the input of a case.
pub(crate) struct In<'a> {
    pub(crate) case: &'a Value,
    pub(crate) at: &'a Value,
}

impl<'a> In<'a> {
    pub(crate) fn get(&self, key: &str) -> Result<&'a Value, String> {
        self.at
            .get(key)
            .ok_or_else(|| format!("input has no {key}"))
    }

    pub(crate) fn inside(&self, key: &str) -> Result<In<'a>, String> {
        Ok(In {
            case: self.case,
            at: self.get(key)?,
        })
    }

    pub(crate) fn f(&self, key: &str) -> Result<f64, String> {
        number(self.get(key)?).ok_or_else(|| format!("input {key} is not a number"))
    }

    /// A number with a default, which also stands for null.
    pub(crate) fn f_or(&self, key: &str, otherwise: f64) -> Result<f64, String> {
        if self.has(key) {
            self.f(key)
        } else {
            Ok(otherwise)
        }
    }

    /// Whether the field is there and not null.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.at.get(key).is_some_and(|value| !value.is_null())
    }

    /// The keys that the case expects, remarks aside.
    pub(crate) fn expected_keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let expected = self.case.get("expected").and_then(Value::as_object);
        let keys = expected.into_iter().flat_map(|map| map.keys());
        keys.map(String::as_str).filter(|key| !is_remark(key))
    }

    /// Adds the expected outputs whose keys carry a parameter: `output` reads the key and computes, or does not know it.
    pub(crate) fn complete(
        &self,
        answer: Value,
        output: impl Fn(&str) -> Option<Value>,
    ) -> Outcome {
        let Value::Object(mut answer) = answer else {
            return Err("the answer is not a map".to_owned());
        };
        for key in self.expected_keys() {
            if !answer.contains_key(key)
                && let Some(value) = output(key)
            {
                answer.insert(key.to_owned(), value);
            }
        }
        Ok(Value::Object(answer))
    }

    pub(crate) fn text(&self, key: &str) -> Result<&'a str, String> {
        self.get(key)?
            .as_str()
            .ok_or_else(|| format!("input {key} is not a text"))
    }

    pub(crate) fn items(&self, key: &str) -> Result<Vec<In<'a>>, String> {
        let list = self
            .get(key)?
            .as_array()
            .ok_or_else(|| format!("input {key} is not a list"))?;
        Ok(list
            .iter()
            .map(|at| In {
                case: self.case,
                at,
            })
            .collect())
    }

    pub(crate) fn list(&self, key: &str) -> Result<Vec<f64>, String> {
        numbers(self.get(key)?)
            .ok_or_else(|| format!("input {key} is not a list of numbers or edges"))
    }

    /// Two lists that belong together.
    pub(crate) fn lists(&self, one: &str, other: &str) -> Result<(Vec<f64>, Vec<f64>), String> {
        let (first, second) = (self.list(one)?, self.list(other)?);
        if first.len() == second.len() {
            Ok((first, second))
        } else {
            Err(format!("input {one} and {other} differ in length"))
        }
    }

    pub(crate) fn side(&self) -> Result<Side, String> {
        match self.text("direction")? {
            "greater" => Ok(Side::Greater),
            "less" => Ok(Side::Less),
            other => Err(format!("unknown direction {other}")),
        }
    }

    pub(crate) fn counts(&self) -> Result<Counts, String> {
        Ok(Counts {
            x_c: self.f("x_c")?,
            n_c: self.f("n_c")?,
            x_s: self.f("x_s")?,
            n_s: self.f("n_s")?,
        })
    }
}

pub(crate) fn numbers(value: &Value) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(number).collect()
}

pub(crate) fn undefined<T>(value: Option<T>, what: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("{what} is undefined here"))
}
