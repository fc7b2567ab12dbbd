//! What breaks outside: the store says that it is not available, and works again by itself.
