//! The program from outside: one binary that starts the real databases and the real service.

#[cfg(test)]
mod alerts;
#[cfg(test)]
mod argo_reading;
#[cfg(test)]
mod bundles;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod history;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod scrape;
#[cfg(test)]
mod store;
#[cfg(test)]
mod support;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod writeback;
