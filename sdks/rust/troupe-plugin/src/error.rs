use std::any::Any;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::lanes::Refused;
use crate::value::{ErrorValue, NoValue, Value};
use crate::wire::{Reader, Writer};

/// An error with its type. Codes are stable; messages are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    group: String,
    code: String,
    message: String,
    public: bool,
    retryable: bool,
    status: u64,
    /// A value, encoded; empty for none.
    metadata: Vec<u8>,
}

impl Error {
    /// An error of a group of your own, for the caller to read.
    pub fn new(group: &str, code: &str, message: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            code: code.into(),
            message: message.into(),
            public: true,
            retryable: false,
            status: 0,
            metadata: Vec::new(),
        }
    }

    /// The same with something for programs to read.
    pub fn with_metadata(mut self, metadata: &impl Serialize) -> Result<Self, Self> {
        self.metadata = serde_json::to_vec(metadata)?;
        Ok(self)
    }

    /// Which part it is of.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// What it is, in its group.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// For people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What it says to programs; `None` when it says nothing.
    pub fn metadata<T: DeserializeOwned>(&self) -> Result<Option<T>, Self> {
        let metadata = Some(self.metadata.as_slice()).filter(|metadata| !metadata.is_empty());
        Ok(metadata.map(serde_json::from_slice).transpose()?)
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

    pub(crate) fn revoked() -> Self {
        Self::new("plugin", "next_revoked", "the call is over: nobody waits for it any more")
    }

    pub(crate) fn body_too_long() -> Self {
        let why = "the body is longer than the plugin takes";
        Self { status: 413, ..Self::new("request", "body_too_long", why) }
    }

    pub(crate) fn stopped() -> Self {
        Self::new("actor", "stopped", "the actor has ended")
    }

    pub(crate) fn no_value(why: NoValue) -> Self {
        Self::new("value", "malformed", why.to_string())
    }

    pub(crate) fn malformed() -> Self {
        Self::new("plugin", "violation", "the host's answer can't be read")
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
            .bytes(4, &self.metadata)
            .number(5, u64::from(self.retryable))
            .number(6, u64::from(self.public))
            .number(7, self.status)
    }

    /// One of the host's: whatever it says, it says when it is passed on.
    pub(crate) fn read(error: Reader) -> Self {
        let mut read = Self { public: false, ..Self::new("", "", "") };
        for field in error.fields().unwrap_or_default() {
            match field.number {
                1 => read.group = field.text(),
                2 => read.code = field.text(),
                3 => read.message = field.text(),
                4 => read.metadata = field.bytes.to_vec(),
                5 => read.retryable = field.value != 0,
                6 => read.public = field.value != 0,
                7 => read.status = field.value,
                _ => {}
            }
        }
        read
    }

    /// As a value.
    pub(crate) fn to_value(&self) -> Value {
        Value::Error(Box::new(ErrorValue {
            name: Value::Text("Error".into()),
            message: Value::Text(self.message.clone()),
            kind: Some((Value::Text(self.group.clone()), Value::Text(self.code.clone()))),
            metadata: self.metadata().ok().flatten(),
            retryable: self.retryable,
        }))
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
