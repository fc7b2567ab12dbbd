//! Stand-in for `crate::query` until both are merged.

use crate::{domain::SourceKind, query::Tracks};

#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("{message}")]
    Parse {
        message: String,
        offset: Option<usize>,
    },
    #[error("{message}")]
    Conflict { message: String },
    #[error("{message}")]
    Unsupported { message: String },
}

impl QueryError {
    pub fn offset(&self) -> Option<usize> {
        match self {
            Self::Parse { offset, .. } => *offset,
            _ => None,
        }
    }
}

pub struct SelectorInfo {
    pub opaque: bool,
    pub variables: Vec<String>,
}

pub struct Scope(Vec<String>);

impl Scope {
    pub fn parse(_tracks: &Tracks, match_text: Option<&str>) -> Result<Self, QueryError> {
        let text = match_text.unwrap_or("{}");
        if !text.starts_with('{') {
            return Err(QueryError::Parse {
                message: "matchers are written in braces".into(),
                offset: None,
            });
        }
        parse(&format!("x{text}"))?;
        Ok(Self(vars(text)))
    }
    pub fn variables(&self) -> &[String] {
        &self.0
    }
}

fn vars(text: &str) -> Vec<String> {
    text.split('$')
        .skip(1)
        .map(|t| {
            t.chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect()
        })
        .filter(|t: &String| !t.is_empty())
        .collect()
}

fn parse(text: &str) -> Result<(), QueryError> {
    if text.len() > 8192 {
        return Err(QueryError::Parse {
            message: "too long".into(),
            offset: None,
        });
    }
    promql_parser::parser::parse(&text.replace("$track", "t=\"\""))
        .map(|_| ())
        .map_err(|message| QueryError::Parse {
            message,
            offset: None,
        })
}

pub fn check_selector(text: &str, _kind: Option<SourceKind>) -> Result<SelectorInfo, QueryError> {
    parse(text)?;
    Ok(SelectorInfo {
        opaque: false,
        variables: vars(text),
    })
}

pub fn check_expression(text: &str, kind: Option<SourceKind>) -> Result<SelectorInfo, QueryError> {
    match parse(text) {
        Ok(()) => Ok(SelectorInfo {
            opaque: false,
            variables: vars(text),
        }),
        Err(_) if kind == Some(SourceKind::VictoriaMetrics) => Ok(SelectorInfo {
            opaque: true,
            variables: vars(text),
        }),
        Err(error) => Err(error),
    }
}

pub fn check_scope(_scope: &Scope, _selector: &str) -> Result<(), QueryError> {
    Ok(())
}
