//! Reading the inputs of a case; what is missing is an error with its name.

use crate::compare::number;
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
    let edge = |v: &Value| {
        if v == "+Inf" {
            Some(f64::INFINITY)
        } else {
            number(v)
        }
    };
    value.as_array()?.iter().map(edge).collect()
}

pub(crate) fn undefined<T>(value: Option<T>, what: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("{what} is undefined here"))
}
