//! The form of an override: what was typed, and what is wrong with it.

use super::super::super::{
    form::Form,
    parts::{badge, moment, text},
    view::View,
};
use crate::{
    domain::Outcome,
    http::{
        history::ruling::{MAX_WHY, OverrideRequest},
        problem::Problem,
        state::App,
    },
};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Ends that are one click away, and how they read.
const PRESETS: [(&str, &str); 4] = [
    ("30m", "30\u{202f}min"),
    ("2h", "2\u{202f}h"),
    ("8h", "8\u{202f}h"),
    ("1d", "1\u{202f}d"),
];
/// The fields that a person fills in, in their order.
const FIELDS: [&str; 3] = ["verdict", "reason", "expires"];

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Typed {
    /// The verdict, one of three words.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// One of the ends that are offered, or `other`.
    pub preset: String,
    /// The other end.
    pub expires: String,
    /// The canary that the form was about.
    pub canary: String,
}

impl Typed {
    /// Nothing was typed yet.
    pub fn fresh() -> Self {
        Self {
            preset: "2h".to_owned(),
            ..Self::default()
        }
    }

    /// What a form holds.
    pub fn of(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            verdict: text("verdict"),
            reason: text("reason"),
            preset: text("preset"),
            expires: text("expires"),
            canary: text("canary"),
        }
    }

    /// The same as a program would ask for it, about the canary that the form was about: another one that came meanwhile
    /// is not meant.
    pub fn request(&self) -> Result<OverrideRequest, Problem> {
        // what is typed must not be passed over in silence
        let typed = self.expires.trim();
        if self.preset != "other" && !typed.is_empty() {
            let detail = format!(
                "`{typed}` is typed but {} is chosen: choose `other`, or empty the field",
                self.preset
            );
            return Err(Problem::invalid("expires", detail));
        }
        let expires = if self.preset == "other" {
            &self.expires
        } else {
            &self.preset
        };
        let asked = json!({"verdict": self.verdict, "reason": self.reason, "expires": expires, "canaryHash": self.canary});
        OverrideRequest::read(asked.to_string().as_bytes())
    }
}

/// What a person must know about what was typed.
#[derive(Debug, Clone)]
pub enum Wrong {
    /// A mistake, or a refusal.
    Told(Problem),
    /// It is from before the sign-in.
    Again,
}

impl Wrong {
    /// The status of the page.
    pub fn status(&self) -> u16 {
        match self {
            Self::Told(problem) => problem.status,
            Self::Again => 200,
        }
    }

    fn at(&self, field: &str) -> Option<&Problem> {
        match self {
            Self::Told(problem) if problem.field.as_deref() == Some(field) => Some(problem),
            _ => None,
        }
    }
}

/// The form with what was typed; each mistake is told at its field, and the first such field gets the focus.
pub fn form(
    app: &App,
    view: &View,
    (namespace, name): (&str, &str),
    canary: &str,
    typed: &Typed,
    wrong: &[Wrong],
) -> Markup {
    let error = |field: &str| wrong.iter().find_map(|w| w.at(field));
    let longest = moment::span(app.limits.max_override.as_millis() as i64);
    let first = FIELDS.into_iter().find(|field| error(field).is_some());
    let elsewhere = wrong
        .iter()
        .filter(|w| !FIELDS.iter().any(|f| w.at(f).is_some()));
    let choices = [
        (Outcome::Pass, "go on"),
        (Outcome::Fail, "go back to stable"),
        (Outcome::Inconclusive, "stay where it is"),
    ];
    html! {
        form.form method="post" action=(view.to(&format!("rollouts/{namespace}/{name}/override"))) novalidate {
            input type="hidden" name="form" value=(view.form);
            input type="hidden" name="canary" value=(canary);
            @for wrong in elsewhere {
                @match wrong {
                    Wrong::Told(problem) => p.note.bad role="alert" data-problem=(problem.code) { (text::shown(&problem.detail)) },
                    Wrong::Again => p.note.good role="status" { "Your session had ended. What you typed is below; nothing was sent. Check it and send it." },
                }
            }
            fieldset role="radiogroup" aria-describedby=[error("verdict").map(|_| "verdict-error")] aria-invalid=[error("verdict").map(|_| "true")] {
                legend { "Verdict" }
                (told("verdict", error("verdict")))
                div.choices {
                    @for (i, (outcome, meaning)) in choices.into_iter().enumerate() {
                        label {
                            input type="radio" name="verdict" value=(outcome.as_str()) required checked[typed.verdict == outcome.as_str()]
                                autofocus[i == 0 && first == Some("verdict")];
                            (badge::outcome(outcome)) " " (meaning)
                        }
                    }
                }
            }
            div.field {
                label for="reason" { "Reason" }
                p.hint #reason-hint { "For everybody who reads the history, at most " (MAX_WHY) " characters." }
                (told("reason", error("reason")))
                input #reason name="reason" value=(typed.reason) required maxlength=(MAX_WHY) autocomplete="off"
                    aria-describedby=(if error("reason").is_some() { "reason-error reason-hint" } else { "reason-hint" })
                    aria-invalid=[error("reason").map(|_| "true")] autofocus[first == Some("reason")];
            }
            fieldset {
                legend { "In force for" }
                (told("expires", error("expires")))
                div.choices {
                    @for (preset, words) in PRESETS {
                        label { input type="radio" name="preset" value=(preset) checked[typed.preset == preset]; (words) }
                    }
                    label { input type="radio" name="preset" value="other" checked[typed.preset == "other"]; "other:" }
                    input #expires name="expires" value=(typed.expires) placeholder="45m" size="22" autocomplete="off"
                        aria-label="Other length of time, or the moment of the end" aria-invalid=[error("expires").map(|_| "true")]
                        aria-describedby=(if error("expires").is_some() { "expires-error expires-hint" } else { "expires-hint" })
                        autofocus[first == Some("expires")];
                }
                p.hint #expires-hint { "A length of time such as " code { "45m" } ", or a moment such as " code { "2026-01-02T15:04:05Z" } "; at most " (longest) "." }
            }
            button.primary type="submit" { "Override" }
            " " a href=(view.to(&format!("rollouts/{namespace}/{name}"))) { "Cancel" }
        }
    }
}

/// The error beside its field, in its own words: an example of a moment must stay what can be typed.
fn told(field: &str, error: Option<&Problem>) -> Markup {
    html! {
        @if let Some(error) = error { p.error id={ (field) "-error" } role="alert" { (text::shown(&error.detail)) } }
    }
}
