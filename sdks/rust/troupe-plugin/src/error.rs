use std::any::Any;
use std::fmt;

use crate::lanes::Refused;
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

    pub(crate) fn too_long() -> Self {
        Self::new("plugin", "frame_too_long", "it is more than a frame holds")
    }

    pub(crate) fn no_answer() -> Self {
        Self::new("plugin", "no_answer", "the call was given up without an answer")
    }

    pub(crate) fn closed() -> Self {
        Self::new("plugin", "closed", "the plugin is closing")
    }

    pub(crate) fn refused(why: Refused) -> Self {
        match why {
            Refused::Full => Self::new("actor", "overloaded", "too many calls wait; try again later"),
            Refused::NoThread => Self::new("plugin", "no_thread", "the plugin has no thread for it"),
        }
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
