//! From the arguments to an exit code.

use super::{
    args::{Command, Program},
    check, demo, healthcheck, judge, paint, replay, serve,
};
use crate::policy;
use clap::{CommandFactory, Parser};
use std::{io::Write, process::ExitCode};

/// Why a command stopped: what to say, and with which code to exit.
#[derive(Debug)]
pub(super) struct Stop {
    /// For standard error; may be empty.
    pub message: String,
    /// Exit code.
    pub code: u8,
}

impl Stop {
    /// The command was used wrongly.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 2,
        }
    }

    /// Something is wrong with the world.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 1,
        }
    }
}

/// The whole program.
pub fn run() -> ExitCode {
    let program = Program::parse();
    let outcome = match program.command {
        Command::Serve(args) => serve::run(&args),
        Command::Judge(args) => judge::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Healthcheck(args) => healthcheck::run(&args.url),
        Command::Schema => schema(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Program::command(), "rollout-judge", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(stop) => {
            if !stop.message.is_empty() {
                let head = paint::bad("error:");
                let _ = writeln!(anstream::stderr(), "{head} {}", stop.message);
            }
            ExitCode::from(stop.code)
        }
    }
}

fn schema() -> Result<u8, Stop> {
    let text =
        serde_json::to_string_pretty(&policy::schema()).map_err(|e| Stop::failed(e.to_string()))?;
    print(&format!("{text}\n"))
}

/// Writes a result; a closed pipe is no error.
pub(super) fn print(text: &str) -> Result<u8, Stop> {
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Stop::failed(error.to_string()))
        }
        _ => Ok(0),
    }
}
