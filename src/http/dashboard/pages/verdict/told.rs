//! Who was told, and whether it arrived.

use super::super::super::parts::{badge, long::long, moment, text};
use crate::domain::{Millis, Posted, Progress, Wait};
use maud::{Markup, html};

/// The messages about a verdict.
pub fn told(deliveries: &[Posted], now: Millis) -> Markup {
    html! {
        section aria-labelledby="told" data-live="told" {
            h2 #told { "Who was told" }
            @if deliveries.is_empty() {
                p.quiet { "Nobody: no event of this verdict has a receiver." }
            } @else {
                div.panel.scroll role="region" aria-label="Table of messages" tabindex="0" {
                    table.cards {
                        caption { "Messages about this verdict" }
                        thead { tr {
                            th scope="col" { "Receiver" } th scope="col" { "Event" } th scope="col" { "State" }
                            th.number scope="col" { "Tries" } th scope="col" { "Last try" } th scope="col" { "It said" }
                        } }
                        tbody { @for posted in deliveries { (row(posted, now)) } }
                    }
                }
            }
        }
    }
}

fn row(posted: &Posted, now: Millis) -> Markup {
    html! {
        tr {
            th scope="row" { (text::shown(&posted.delivery.receiver)) }
            td data-label="Event" { (posted.event.kind.as_str()) }
            td data-label="State" {
                div {
                    @match posted.progress {
                        Progress::Delivered => (badge::word("good", "arrived")),
                        Progress::Dead => (badge::word("bad", "given up")),
                        Progress::Pending => {
                            @match posted.wait(now) {
                                Some(Wait::Behind) => { (badge::word("odd", "waiting")) " behind an earlier message" }
                                Some(Wait::Held) => { (badge::word("odd", "held")) " next try " (moment::ago(posted.delivery.due, now)) }
                                None => {
                                    (badge::word("odd", "on its way"))
                                    @if posted.delivery.due > now { " next try " (moment::ago(posted.delivery.due, now)) }
                                }
                            }
                        }
                    }
                }
            }
            td.number data-label="Tries" { (posted.tries) }
            td data-label="Last try" {
                @match posted.tried_at { Some(at) => (moment::at(at)), None => "–" }
            }
            td.reason data-label="It said" { @match &posted.error { Some(error) => div { (long(error)) }, None => "–" } }
        }
    }
}
