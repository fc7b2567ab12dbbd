//! Secrets are never written in a configuration: it names the file or the variable that holds them.

use super::env;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};
use std::{fmt, path::PathBuf};

/// Where a secret is kept: `{ file: PATH }` or `{ env: NAME }`. Neither place nor value is ever printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Secret {
    /// A file, read anew at each use, so that it may be rotated.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

/// Why a secret could not be read. Names the place, never the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read secret file `{path}`: {detail}")]
    File {
        /// Its path.
        path: String,
        /// What the system said.
        detail: String,
    },
    /// The variable is not set.
    #[error("environment variable `{0}` is not set")]
    Env(String),
    /// Nothing but white space.
    #[error("secret {0} is empty")]
    Empty(String),
}

impl Secret {
    /// The secret as of now, white space around it trimmed.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let (text, place) = match self {
            Self::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| SecretError::File {
                    path: path.display().to_string(),
                    detail: e.to_string(),
                })?;
                (text, format!("file `{}`", path.display()))
            }
            Self::Env(name) => (
                env::var(name).ok_or_else(|| SecretError::Env(name.clone()))?,
                format!("variable `{name}`"),
            ),
        };
        match text.trim() {
            "" => Err(SecretError::Empty(place)),
            trimmed => Ok(SecretString::from(trimmed)),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_file_is_trimmed_and_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let secret = Secret::File(path.clone());
        assert!(matches!(secret.read(), Err(SecretError::File { .. })));
        std::fs::write(&path, " one\n").unwrap();
        assert_eq!(secret.read().unwrap().expose_secret(), "one");
        std::fs::write(&path, "two\n").unwrap();
        assert_eq!(secret.read().unwrap().expose_secret(), "two");
        std::fs::write(&path, " \n").unwrap();
        assert!(matches!(secret.read(), Err(SecretError::Empty(_))));
    }

    #[test]
    fn only_a_place_is_accepted_and_nothing_is_printed() {
        let secret: Secret = serde_json::from_str(r#"{"env":"NO_SUCH_VARIABLE_HERE"}"#).unwrap();
        assert!(matches!(secret.read(), Err(SecretError::Env(_))));
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
        for bad in [
            r#""clear text""#,
            r#"{"value":"x"}"#,
            r#"{"file":"a","env":"b"}"#,
        ] {
            assert!(serde_json::from_str::<Secret>(bad).is_err(), "{bad}");
        }
    }
}
