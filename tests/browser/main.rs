//! The dashboard in a real Chromium: the real service over a real VictoriaMetrics with recorded rollouts.
//!
//! ```text
//! ground   what is shown: databases, services, rollouts, receivers; made once, shared by tests that only look
//! tab      one browser with its own profile, driven over WebDriver and DevTools
//! leash    ends all of it when this process ends
//! ```

#[cfg(test)]
mod axe;
#[cfg(test)]
mod charts;
#[cfg(test)]
mod compare;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod ground;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod keyboard;
#[cfg(test)]
mod leash;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod live;
#[cfg(test)]
mod looks;
#[cfg(test)]
mod overrides;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod prefix;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod several;
#[cfg(test)]
mod stranger;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tab;
#[cfg(test)]
mod truth;
