//! Values while a condition runs, and how they compare.

use serde_json::Value as Json;

/// Numbers are floats; NaN and infinities exist here, though not in JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Nil,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(map) => {
                Self::Map(map.iter().map(|(k, v)| (k.clone(), v.into())).collect())
            }
        }
    }
}

impl Value {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    pub fn truth(&self) -> Result<bool, String> {
        match self {
            Self::Bool(flag) => Ok(*flag),
            other => Err(format!("expected bool, but got {}", other.kind())),
        }
    }

    pub fn number(&self) -> Result<f64, String> {
        match self {
            Self::Number(number) => Ok(*number),
            other => Err(format!("expected number, but got {}", other.kind())),
        }
    }

    /// `asFloat`: numbers and texts of numbers.
    pub fn as_float(&self) -> Result<f64, String> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Text(text) => text
                .parse()
                .map_err(|_| format!("{text:?} is not a number")),
            other => Err(format!("{} is not a number", other.kind())),
        }
    }

    /// Nil equals nothing but nil; other kinds never meet.
    pub fn equals(&self, other: &Self) -> Result<bool, String> {
        if *self == Self::Nil || *other == Self::Nil || self.kind() == other.kind() {
            return Ok(self == other);
        }
        Err(format!(
            "invalid operation: == (mismatched types {} and {})",
            self.kind(),
            other.kind()
        ))
    }

    pub fn less(&self, other: &Self) -> Result<bool, String> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Ok(a < b),
            (Self::Text(a), Self::Text(b)) => Ok(a < b),
            _ => Err(format!(
                "invalid operation: < (mismatched types {} and {})",
                self.kind(),
                other.kind()
            )),
        }
    }

    /// `value.name`: nil where a map lacks it, an error on anything else.
    pub fn member(&self, name: &str) -> Result<Self, String> {
        match self {
            Self::Map(pairs) => {
                let pair = pairs.iter().find(|(key, _)| key == name);
                Ok(pair.map_or(Self::Nil, |(_, value)| value.clone()))
            }
            other => Err(format!("cannot fetch {name} from {}", other.kind())),
        }
    }

    /// `value[index]`.
    pub fn item(&self, index: &Self) -> Result<Self, String> {
        match (self, index) {
            (Self::List(items), Self::Number(at)) => {
                let at = if *at < 0.0 {
                    at + items.len() as f64
                } else {
                    *at
                };
                let item = (at >= 0.0).then(|| items.get(at as usize)).flatten();
                item.cloned()
                    .ok_or_else(|| format!("slice index out of range: {at}"))
            }
            (Self::Map(_), Self::Text(name)) => self.member(name),
            _ => Err(format!(
                "cannot index {} with {}",
                self.kind(),
                index.kind()
            )),
        }
    }
}
