//! The binary: parse, run, exit code.

fn main() -> std::process::ExitCode {
    rollout_judge::cli::run()
}
