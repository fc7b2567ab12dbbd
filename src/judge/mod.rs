//! Policy and blocks become a verdict. Pure.
