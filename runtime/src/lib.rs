//! Jobs with dynamic outputs.
