use std::any::Any;
use std::fmt;

use crate::wire::Writer;

/// An error with its type. Codes are stable; messages are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    group: String,
    code: String,
    message: String,
    public: bool,
}

impl Error {
    /// An error of a group of your own, for the caller to read.
    pub fn new(group: &str, code: &str, message: impl Into<String>) -> Self {
        Self { group: group.into(), code: code.into(), message: message.into(), public: true }
    }

    /// As TypeScript's `UserError`: group `user`.
    pub fn user(code: &str, message: impl Into<String>) -> Self {
        Self::new("user", code, message)
    }

    /// A panic: callers outside learn that there was an internal error, the host's log has the text.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "something that isn't a text".into());
        Self { public: false, ..Self::new("plugin", "panicked", format!("The plugin panicked: {text}")) }
    }

    pub(crate) fn write(&self) -> Writer {
        Writer::default()
            .text(1, &self.group)
            .text(2, &self.code)
            .text(3, &self.message)
            .number(6, u64::from(self.public))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}: {}", self.group, self.code, self.message)
    }
}

impl std::error::Error for Error {}

/// A value that JSON can't hold, or that isn't what was expected.
impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::new("value", "malformed", error.to_string())
    }
}
