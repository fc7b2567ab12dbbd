//! Pieces that pages are made of.

pub mod badge;
pub mod code;
pub mod diff;
pub mod figure;
pub mod graph_link;
pub mod long;
pub mod moment;
pub mod number;
pub mod shift;
pub mod sparkline;
pub mod state;
pub mod text;
pub mod track;
