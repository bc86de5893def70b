use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Error;

/// Runs what an author wrote: a panic is its error, also one with a value that panics when it is dropped.
pub fn guarded<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let error = Error::panicked(&*panic);
        if let Err(again) = catch_unwind(AssertUnwindSafe(move || drop(panic))) {
            forget(again);
        }
        Err(error)
    })
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct Again;

    impl Drop for Again {
        fn drop(&mut self) {
            panic_any(Again);
        }
    }

    #[test]
    fn a_panic_with_a_value_that_panics_when_it_is_dropped_is_an_error() {
        let failed = guarded::<()>(|| panic_any(Again));
        assert_eq!(failed.unwrap_err().code(), "panicked");
    }
}
