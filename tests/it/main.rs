//! The program from outside: one binary that starts the real databases and the real service.

#[cfg(test)]
mod argo_reading;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod history;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod support;
#[cfg(test)]
mod templates;
