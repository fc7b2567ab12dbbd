//! Use cases; holds the ports.
