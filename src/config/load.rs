//! File and environment become checked settings.

use super::{
    check::check,
    env, environment,
    error::{Places, SettingsError, SettingsErrors, explain},
    file, prune,
    settings::Settings,
};
use config::{Config, ConfigError, Map, Source, Value};
use std::path::Path;

/// Reads the file, if there is one, and the environment over it. Relative paths of policies and
/// secrets count from the folder of the process.
pub fn load(path: Option<&Path>) -> Result<Settings, SettingsErrors> {
    let file = match path {
        None => None,
        Some(path) => {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| SettingsError {
                key: String::new(),
                place: name.clone(),
                message: format!(
                    "the configuration cannot be read: {error}; check the path of `--config`"
                ),
            })?;
            Some((name, text))
        }
    };
    let file = file
        .as_ref()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    load_from(file, &env::vars(environment::PREFIX))
}

/// The same from texts: `(name, text)` of the file, and `(name, value)` of each variable.
pub fn load_from(
    file: Option<(&str, &str)>,
    variables: &[(String, String)],
) -> Result<Settings, SettingsErrors> {
    let mut places = Places::new();
    let base = match file {
        Some((name, text)) => file::parse(name, text, &mut places)?,
        None => Map::new(),
    };
    let over = environment::tree(variables, &base, &mut places);
    let whole = Config::builder()
        .add_source(Layer(base))
        .add_source(Layer(over))
        .build()
        .and_then(|config| config.collect());
    let mut tree = whole.map_err(|error| explain(&places, &error))?;
    let (mut found, mut removed) = (Vec::new(), Vec::new());
    // what cannot be read is noted and left out, so that one start tells everything
    let settings: Settings = loop {
        let read = Config::builder()
            .add_source(Layer(tree.clone()))
            .build()
            .and_then(Config::try_deserialize);
        let error = match read {
            Ok(settings) => break settings,
            Err(error) => explain(&places, &error),
        };
        let cut = prune::cut(&mut tree, &error.key);
        if !prune::follows(&error, &removed) {
            found.push(error);
        }
        match cut.filter(|_| removed.len() < MOST) {
            Some(key) => removed.push(key),
            None => return Err(SettingsErrors::new(found)),
        }
    };
    let checked = check(&settings, &places);
    let own = |error: &SettingsError| !prune::touches(&error.key, &removed);
    found.extend(checked.into_iter().filter(own));
    if found.is_empty() {
        Ok(settings)
    } else {
        Err(SettingsErrors::new(found))
    }
}

/// More mistakes than this are told at the next start.
const MOST: usize = 50;

#[derive(Debug, Clone)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}
