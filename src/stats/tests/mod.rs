//! Properties that hold for any input; the numbers themselves are in `fixtures/stats`.

mod degenerate;
mod distributions;
mod evidence;
mod fixed_horizon;
mod rounding;

/// Asserts that two numbers agree to an absolute and relative tolerance.
#[track_caller]
fn near(got: f64, expected: f64, tolerance: f64) {
    assert!(
        (got - expected).abs() <= tolerance * (1.0 + expected.abs()),
        "got {got}, expected {expected}"
    );
}
