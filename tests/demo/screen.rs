//! What is shown: news as lines, and on a terminal a table below them that is redrawn in place.

use crate::rollout::{News, Rollout, Stage, minutes};
use anyhow::Result;
use owo_colors::{OwoColorize, Style};
use std::{
    env,
    fmt::Write as _,
    io::{IsTerminal, Write, stdout},
    process::{Command, Stdio},
};

/// Columns where the terminal does not say.
const WIDTH: usize = 100;

/// The table needs this much.
const LEAST: (usize, usize) = (20, 80);

const HIDE_CURSOR: &str = "\x1b[?25l";
const SHOW_CURSOR: &str = "\x1b[?25h";

/// Standard output.
pub struct Screen {
    live: bool,
    /// Lines of the table that stand on the terminal now.
    drawn: usize,
    width: usize,
}

impl Screen {
    pub fn new(plain: bool) -> Result<Self> {
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        let no_color = env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let size = size().unwrap_or((LEAST.0, WIDTH));
        let fits = size.0 >= LEAST.0 && size.1 >= LEAST.1;
        let screen = Self {
            live: fits && !plain && !dumb && !no_color && stdout().is_terminal(),
            drawn: 0,
            width: size.1,
        };
        if screen.live {
            screen.write(HIDE_CURSOR)?;
        }
        Ok(screen)
    }

    /// A line of text.
    pub fn say(&mut self, text: &str) -> Result<()> {
        let lines = self.clear() + text + "\n";
        self.write(&lines)
    }

    /// One piece of news, above the table.
    pub fn event(&mut self, news: &News) -> Result<()> {
        let head = format!("{}  {:<13}  ", news.clock, news.rollout);
        let verdict = self.paint(style(&news.verdict), &format!("{:<12}", news.verdict));
        let text = self.indented(head.len() + 14, &news.text);
        self.say(&format!("{head}{verdict}  {text}"))
    }

    /// Broken to the width of a terminal; lines after the first begin in that column.
    pub fn indented(&self, column: usize, text: &str) -> String {
        let width = if self.live { self.width } else { usize::MAX };
        let lines = wrap(text, width.saturating_sub(column + 1));
        lines.join(&format!("\n{:column$}", ""))
    }

    /// All rollouts as they stand.
    pub fn table(&mut self, rollouts: &[Rollout]) -> Result<()> {
        if !self.live {
            return Ok(());
        }
        let table = self.draw(rollouts);
        let frame = self.clear() + &table;
        self.drawn = table.matches('\n').count();
        self.write(&frame)
    }

    /// The table stays as it is; what follows goes below.
    pub fn finish(&mut self) -> Result<()> {
        self.drawn = 0;
        self.write("\n")
    }

    pub fn paint(&self, style: Style, text: &str) -> String {
        if self.live {
            text.style(style).to_string()
        } else {
            text.to_owned()
        }
    }

    fn draw(&self, rollouts: &[Rollout]) -> String {
        let dim = Style::new().dimmed();
        let head = format!(
            "{:<13}  {:<5}  {:<19}  {:<12}  {:>5}  ADVICE",
            "ROLLOUT", "CLOCK", "WEIGHT", "VERDICT", "SCORE"
        );
        let rule = "-".repeat(self.width - 1);
        let mut out = format!("{}\n{}\n", self.paint(dim, &rule), self.paint(dim, &head));
        for rollout in rollouts {
            let Some((clock, _, answer)) = &rollout.last else {
                continue;
            };
            let verdict = style(&answer.verdict);
            let present = rollout.step(*clock);
            let weight = rollout.steps()[present].weight;
            let (track, drawn) = self.track(rollout, present);
            let advice = match rollout.stage {
                Stage::Promoted => self.paint(verdict, "promoted"),
                Stage::Aborted => self.paint(verdict, "aborted"),
                Stage::Stranded => "not promoted".to_owned(),
                Stage::Walking if answer.action == "advance" && answer.next_weight > weight => {
                    format!("advance to {} %", answer.next_weight)
                }
                Stage::Walking => answer.action.clone(),
            };
            // writing into a string cannot fail
            let _ = writeln!(
                out,
                "{:<13}  {}  {track}{:pad$}  {}  {:>5.1}  {advice}",
                rollout.name(),
                minutes(*clock),
                "",
                self.paint(verdict, &format!("{:<12}", answer.verdict)),
                answer.score,
                pad = 19_usize.saturating_sub(drawn),
            );
            let mut reason = wrap(&answer.reason, self.width - 3);
            // the same height whatever the reason
            reason.resize(reason.len().max(2), String::new());
            for line in reason {
                let _ = writeln!(out, "  {}", self.paint(dim, &line));
            }
        }
        out
    }

    /// `5 > [25] > 50 > 100` and its length without colours.
    fn track(&self, rollout: &Rollout, present: usize) -> (String, usize) {
        let mut out = String::new();
        let mut drawn = 0;
        for (i, step) in rollout.steps().iter().enumerate() {
            if i > 0 {
                out.push_str(" > ");
                drawn += 3;
            }
            let here = i == present;
            let text = if here {
                format!("[{}]", step.weight)
            } else {
                step.weight.to_string()
            };
            drawn += text.len();
            let style = match rollout.step_ends.get(i) {
                Some(verdict) => style(verdict),
                None if rollout.stage == Stage::Aborted && here => style("fail"),
                None if here => Style::new().bold(),
                None => Style::new().dimmed(),
            };
            out.push_str(&self.paint(style, &text));
        }
        (out, drawn)
    }

    /// Takes the table away.
    fn clear(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\r\x1b[J"),
        }
    }

    #[expect(clippy::unused_self, reason = "the screen owns standard output")]
    fn write(&self, text: &str) -> Result<()> {
        let mut out = stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.live {
            // nobody is left to tell
            let _ = self.write(SHOW_CURSOR);
        }
    }
}

/// Colour of a verdict.
pub fn style(verdict: &str) -> Style {
    match verdict {
        "pass" => Style::new().green().bold(),
        "fail" => Style::new().red().bold(),
        _ => Style::new().yellow(),
    }
}

/// Rows and columns of the terminal.
fn size() -> Option<(usize, usize)> {
    let stty = Command::new("stty")
        .arg("size")
        .stdin(Stdio::inherit())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(stty.stdout).ok()?;
    let (rows, columns) = text.trim().split_once(' ')?;
    Some((rows.parse().ok()?, columns.parse().ok()?)).filter(|size| *size != (0, 0))
}

/// Breaks between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
