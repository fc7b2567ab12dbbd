//! How a version answers requests.

/// Shares are of all requests, times are seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Behaviour {
    /// Share of requests that fail.
    pub errors: f64,
    /// Median of the time that most requests take; for a language model, until its first token.
    pub median: f64,
    /// Share of requests that wait for something slow.
    pub slow: f64,
    /// How many times as long these take.
    pub slow_factor: f64,
    /// Share of checkouts that become an order.
    pub conversion: f64,
    /// Median value of an order.
    pub order_value: f64,
    /// Share of answers that a language model refuses.
    pub refusals: f64,
    /// Median number of tokens of an answer.
    pub tokens: f64,
}

impl Behaviour {
    /// A page of the shop.
    pub const WEB: Self = Self {
        errors: 0.008,
        median: 0.08,
        slow: 0.01,
        slow_factor: 4.0,
        conversion: 0.6,
        order_value: 42.0,
        refusals: 0.0,
        tokens: 0.0,
    };

    /// The assistant of the shop, a language model.
    pub const LLM: Self = Self {
        errors: 0.004,
        median: 0.25,
        slow: 0.02,
        slow_factor: 3.0,
        conversion: 0.0,
        order_value: 0.0,
        refusals: 0.03,
        tokens: 180.0,
    };
}
