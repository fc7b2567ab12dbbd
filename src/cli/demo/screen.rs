//! What is shown: news as lines, and on a terminal a table below them that is redrawn in place.

use super::{
    news::{Event, News},
    rollout::{Phase, Rollout, STEPS},
};
use crate::{
    cli::{args::Output, run::Stop},
    config::env,
};
use owo_colors::{OwoColorize, Style};
use std::{
    fmt::Write as _,
    io::{IsTerminal, Write, stdout},
    process::{Command, Stdio},
    time::Duration,
};

/// Columns where the terminal does not say.
const WIDTH: usize = 100;
/// The table needs so many rows and columns.
const LEAST: (usize, usize) = (16, 80);

const HIDE_CURSOR: &str = "\x1b[?25l";
const SHOW_CURSOR: &str = "\x1b[?25h";

/// Standard output.
pub struct Screen {
    output: Output,
    live: bool,
    /// Lines of the table that stand on the terminal now.
    drawn: usize,
    width: usize,
}

impl Screen {
    /// A table on a terminal of that size, else lines.
    pub fn new(output: Output, rollouts: usize) -> Result<Self, Stop> {
        let dumb = env::var("TERM").is_none_or(|term| term == "dumb");
        let no_color = env::var("NO_COLOR").is_some_and(|v| !v.is_empty());
        let size = size().unwrap_or((LEAST.0, WIDTH));
        let fits = size.0 >= LEAST.0.max(4 * rollouts) && size.1 >= LEAST.1;
        let screen = Self {
            output,
            live: output == Output::Text && fits && !dumb && !no_color && stdout().is_terminal(),
            drawn: 0,
            width: size.1,
        };
        if screen.live {
            screen.write(HIDE_CURSOR)?;
        }
        Ok(screen)
    }

    /// A line for people.
    pub fn say(&mut self, text: &str) -> Result<(), Stop> {
        if self.output == Output::Json {
            return Ok(());
        }
        let lines = self.clear() + text + "\n";
        self.write(&lines)
    }

    /// One piece of news, above the table.
    pub fn tell(&mut self, news: &News) -> Result<(), Stop> {
        if self.output == Output::Json {
            let line = serde_json::to_string(news).map_err(|e| Stop::failed(e.to_string()))?;
            return self.write(&(line + "\n"));
        }
        let Some(rollout) = news.rollout else {
            return self.say(&news.text);
        };
        let clock = minutes(Duration::from_secs_f64(news.seconds));
        let head = format!("{clock}  {rollout:<9}  ");
        let word = match (news.event, &news.verdict) {
            (Event::Verdict, Some(verdict)) => verdict,
            (event, _) => event.as_str(),
        };
        let painted = self.paint(style(word), &format!("{word:<12}"));
        let text = self.indented(head.len() + 14, &news.text);
        self.say(&format!("{head}{painted}  {text}"))
    }

    /// Broken to the width of a terminal; lines after the first begin in that column.
    pub fn indented(&self, column: usize, text: &str) -> String {
        let width = if self.live { self.width } else { usize::MAX };
        let lines = wrap(text, width.saturating_sub(column + 1));
        lines.join(&format!("\n{:column$}", ""))
    }

    /// All rollouts as they stand.
    pub fn table(&mut self, rollouts: &[Rollout], elapsed: Duration) -> Result<(), Stop> {
        if !self.live {
            return Ok(());
        }
        let table = self.draw(rollouts, elapsed);
        let frame = self.clear() + &table;
        self.drawn = table.matches('\n').count();
        self.write(&frame)
    }

    /// The table stays as it is; what follows goes below.
    pub fn finish(&mut self) -> Result<(), Stop> {
        self.drawn = 0;
        if self.output == Output::Json {
            return Ok(());
        }
        self.write("\n")
    }

    /// In colour, where there is a terminal.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if self.live {
            text.style(style).to_string()
        } else {
            text.to_owned()
        }
    }

    fn draw(&self, rollouts: &[Rollout], elapsed: Duration) -> String {
        let dim = Style::new().dimmed();
        let head = format!(
            "{:<9}  {:<13}  {:<19}  {:<12}  {:>5}  {:<16}{:>6}",
            "ROLLOUT",
            "SCENE",
            "WEIGHT",
            "VERDICT",
            "SCORE",
            "ADVICE",
            minutes(elapsed),
        );
        let rule = "-".repeat(self.width.saturating_sub(1));
        let mut out = format!("{}\n{}\n", self.paint(dim, &rule), self.paint(dim, &head));
        for rollout in rollouts {
            let last = rollout.last.as_ref();
            let verdict = last.map_or("", |answer| &answer.verdict);
            let score = last.map_or_else(String::new, |answer| format!("{:.1}", answer.score));
            // writing into a string cannot fail
            let _ = writeln!(
                out,
                "{:<9}  {:<13}  {}  {}  {score:>5}  {}",
                rollout.scene.service(),
                rollout.scene.name(),
                self.track(rollout),
                self.paint(style(verdict), &format!("{verdict:<12}")),
                self.advice(rollout),
            );
            let reason = last.map_or("the old version runs alone", |answer| &answer.reason);
            let mut reason = wrap(reason, self.width.saturating_sub(3));
            // the same height whatever the reason
            reason.resize(2, String::new());
            for line in reason {
                let _ = writeln!(out, "  {}", self.paint(dim, &line));
            }
        }
        out
    }

    fn advice(&self, rollout: &Rollout) -> String {
        match (rollout.phase, &rollout.last) {
            (Phase::Promoted, _) => self.paint(style("promoted"), "promoted"),
            (Phase::Aborted, _) => self.paint(style("aborted"), "aborted"),
            (Phase::Stranded, _) => "not promoted".to_owned(),
            (_, Some(answer)) if answer.next_weight > rollout.weight() => {
                format!("advance to {} %", answer.next_weight)
            }
            (_, Some(answer)) => answer.action.clone(),
            (_, None) => String::new(),
        }
    }

    /// `5 > [25] > 50 > 100`, as wide as its column.
    fn track(&self, rollout: &Rollout) -> String {
        let mut out = String::new();
        let mut drawn = 0;
        for (i, weight) in STEPS.iter().enumerate() {
            if i > 0 {
                out.push_str(" > ");
                drawn += 3;
            }
            let here = i == rollout.step && rollout.phase != Phase::Before;
            let text = if here {
                format!("[{weight}]")
            } else {
                weight.to_string()
            };
            drawn += text.len();
            let style = match rollout.phase {
                Phase::Aborted if here => style("fail"),
                Phase::Promoted => style("pass"),
                _ if i < rollout.step => style("pass"),
                _ if here => Style::new().bold(),
                _ => Style::new().dimmed(),
            };
            out.push_str(&self.paint(style, &text));
        }
        out + &" ".repeat(19_usize.saturating_sub(drawn))
    }

    /// Takes the table away.
    fn clear(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\r\x1b[J"),
        }
    }

    #[expect(clippy::unused_self, reason = "the screen owns standard output")]
    fn write(&self, text: &str) -> Result<(), Stop> {
        let mut out = stdout().lock();
        let done = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        done.map_err(|error| Stop::failed(format!("standard output: {error}")))
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

/// Colour of a verdict or an event.
pub fn style(word: &str) -> Style {
    match word {
        "pass" | "promoted" => Style::new().green().bold(),
        "fail" | "aborted" | "stranded" => Style::new().red().bold(),
        "inconclusive" => Style::new().yellow(),
        "told" | "" => Style::new().dimmed(),
        _ => Style::new().bold(),
    }
}

/// `mm:ss`
pub fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Scene;

    #[test]
    fn tables_have_straight_columns() {
        let screen = Screen {
            output: Output::Text,
            live: false,
            drawn: 0,
            width: 100,
        };
        let mut rollout = Rollout::new(Scene::Healthy, (String::new(), String::new()));
        let tracks: Vec<String> = (0..4)
            .map(|step| {
                rollout.step = step;
                rollout.phase = Phase::Walking;
                screen.track(&rollout)
            })
            .collect();
        assert_eq!(tracks[1], "5 > [25] > 50 > 100");
        assert!(tracks.iter().all(|track| track.len() == 19), "{tracks:?}");
        let table = screen.draw(&[rollout], Duration::from_secs(61));
        assert_eq!(table.lines().count(), 5);
        assert!(table.contains(" 01:01\n"), "{table}");
    }

    #[test]
    fn words_stay_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), [""]);
        assert_eq!(minutes(Duration::from_secs(3700)), "61:40");
    }
}
