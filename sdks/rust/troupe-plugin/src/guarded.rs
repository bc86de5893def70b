use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Error;

/// Runs what an author wrote: a panic is its error.
pub fn guarded<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Error::panicked(&*panic)))
}
