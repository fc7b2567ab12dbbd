//! Opens a page in the browser of whoever sits in front of this machine.

use crate::config::env;
use std::process::{Command, Stdio};

/// Opens it, or says why not.
pub fn open(url: &str) -> Result<(), String> {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| env::var(name).is_some())
    {
        "xdg-open"
    } else {
        return Err("there is no display; open the address above".to_owned());
    };
    Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
        .map_err(|error| format!("`{program}` cannot be started: {error}"))
}
