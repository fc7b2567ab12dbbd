//! Numbers in, numbers out; knows no metric name.
