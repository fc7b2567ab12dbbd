//! The dashboard: pages made on the server, kept fresh by server-sent events, everything they need inside the binary.
//!
//! ```text
//! request -> shell::dress (headers, error pages) -> View (who asks) -> pages/* -> Content -> layout::page
//! browser:   theme.js before paint; words.js says numbers and spans as `parts::{number, moment}` do;
//!            live.js fetches the page anew after an event and swaps its `data-live` regions
//! ```
//!
//! Rules of the pages: every link is relative (`View::to`), so that they work behind a path prefix and over a
//! port-forward; data is only ever text (`parts::text`); there is no inline script and no inline style.

mod assets;
mod form;
mod layout;
mod pages;
mod parts;
mod router;
mod said;
mod shell;
mod view;

pub(super) use router::routes;
pub(super) use shell::not_found;
