//! Ends children and removes folders once this process is gone, however it ended: what is static is never dropped.

use std::{
    fmt::Write,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Mutex,
};

/// Shells that wait for the end of their input, whose other end is held by this process while it lives.
static HELD: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Kills these processes with their children, and removes these folders, when this process ends.
pub fn hold(processes: &[u32], folders: &[&Path]) {
    // Ctrl-C reaches the whole group; the shell stays to clean up
    let mut script = "trap '' INT TERM HUP; cat >/dev/null\n".to_owned();
    for id in processes {
        let children = format!("$(cat /proc/{id}/task/*/children 2>/dev/null)");
        writeln!(script, "kill -9 {id} {children} 2>/dev/null").unwrap();
    }
    for folder in folders {
        let path = folder.to_str().unwrap();
        assert!(
            path.starts_with('/') && path.len() > 5 && !path.contains('\''),
            "{path}"
        );
        // a browser that dies may still write
        writeln!(
            script,
            "for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- '{path}' 2>/dev/null && break; sleep 0.2; done"
        )
        .unwrap();
    }
    let shell = Command::new("/bin/sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    HELD.lock().unwrap().push(shell);
}
