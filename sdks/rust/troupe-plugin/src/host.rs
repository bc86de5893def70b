use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use crate::call::read_value;
use crate::error::Error;
use crate::voice::frame;
use crate::waits::{Kind, Waits, outcome};
use crate::wire::Writer;

/// Numbers of plugin/v1.
#[derive(Clone, Copy)]
enum Ask {
    Mark = 1,
    Metric,
    Push,
    Pop,
    Fork,
    Drop,
    Decode,
    Encode,
    List,
    Diagnostics,
    SetGate,
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Level {
    Debug = 1,
    Info,
    Warn,
    Error,
}

/// A scope of the host's relay that the plugin made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostScope {
    /// Names it to the host.
    pub id: String,
    /// Its propagation value, JSON text; `None`: a root, where nothing belongs to anything.
    pub propagation: Option<String>,
}

/// The host's relay, in one call of middleware, whose scope is the default, or for the plugin as a whole. Whatever it is asked
/// waits for the answer. Each but the log needs a capability of the plugin's manifest: without it the error is
/// `plugin.not_allowed`. Options are an object, as `json!` makes it, or `()` for none.
#[derive(Clone)]
pub struct Host {
    waits: Arc<Waits>,
    invoke: u64,
    scope: Option<String>,
}

impl Host {
    pub(crate) fn new(waits: Arc<Waits>, invoke: u64) -> Self {
        Self { waits, invoke, scope: None }
    }

    /// The same, with a scope of the plugin's as the default.
    pub fn within(&self, scope: &HostScope) -> Self {
        Self { scope: Some(scope.id.clone()), ..self.clone() }
    }

    /// Something happened. Options: `data`, `dataSchema`, `metadata`, `severity`, `category`, `categoryProfile`.
    pub fn mark(&self, name: &str, options: impl Serialize) -> Result<(), Error> {
        self.tell(Ask::Mark, self.asked(options, &[("name", &name)])?)
    }

    /// Measurements, all of them or none: `name`, `kind`, `valueType` and `value` each. Options: `metadata`.
    pub fn metric(
        &self,
        name: &str,
        measurements: impl Serialize,
        options: impl Serialize,
    ) -> Result<(), Error> {
        let mut asked = self.asked(options, &[("name", &name)])?;
        asked.insert("measurements".into(), serde_json::to_value(measurements)?);
        self.tell(Ask::Metric, asked)
    }

    /// Begins a scope. One that isn't popped ends with the call that it was pushed in, and its end says so. Options: `input`,
    /// `metadata`, `attributes`, `categoryProfile`.
    pub fn push_scope(
        &self,
        name: &str,
        scope_type: &str,
        options: impl Serialize,
    ) -> Result<HostScope, Error> {
        self.made(Ask::Push, self.asked(options, &[("name", &name), ("scopeType", &scope_type)])?)
    }

    /// Ends a scope, in any order. Options: `output`, `metadata`.
    pub fn pop_scope(&self, scope: &HostScope, options: impl Serialize) -> Result<(), Error> {
        self.tell(Ask::Pop, self.within(scope).asked(options, &[])?)
    }

    /// Ends a scope with an error.
    pub fn pop_failed_scope(&self, scope: &HostScope, error: &Error) -> Result<(), Error> {
        self.tell(Ask::Pop, self.within(scope).asked((), &[("error", &error.to_value())])?)
    }

    /// A stand-in for a scope, or a root of its own: a parent for work that goes on beside. No event is about it.
    pub fn fork_scope(&self, of: Option<&HostScope>) -> Result<HostScope, Error> {
        let asked = of.map(|of| self.within(of).asked((), &[])).transpose()?;
        self.made(Ask::Fork, asked.unwrap_or_default())
    }

    /// Ends a fork.
    pub fn drop_scope(&self, fork: &HostScope) -> Result<(), Error> {
        self.tell(Ask::Drop, self.within(fork).asked((), &[])?)
    }

    /// What a request says, in every provider's words. Without a codec: by the one that it looks like.
    pub fn decode_request<T: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        codec: Option<&str>,
    ) -> Result<T, Error> {
        self.ask(Ask::Decode, fields(&[("request", request as _), ("codec", &codec)])?)
    }

    /// What a response says.
    pub fn decode_response<T: DeserializeOwned>(
        &self,
        response: &impl Serialize,
        codec: Option<&str>,
    ) -> Result<T, Error> {
        self.ask(Ask::Decode, fields(&[("response", response as _), ("codec", &codec)])?)
    }

    /// The original with what `annotated` says otherwise.
    pub fn encode_request<T: DeserializeOwned>(
        &self,
        annotated: &impl Serialize,
        original: &impl Serialize,
        codec: Option<&str>,
    ) -> Result<T, Error> {
        let asked = fields(&[("annotated", annotated as _), ("original", original as _), ("codec", &codec)]);
        self.ask(Ask::Encode, asked?)
    }

    /// What is registered with the host's relay, of these kinds; of all without any.
    pub fn list_registrations(&self, kinds: &[&str]) -> Result<Vec<Json>, Error> {
        let kinds = (!kinds.is_empty()).then_some(kinds);
        self.ask(Ask::List, fields(&[("kinds", &kinds)])?)
    }

    /// What became of the relay's events: `droppedEvents`, `subscribers`.
    pub fn diagnostics(&self) -> Result<Json, Error> {
        self.ask(Ask::Diagnostics, Map::new())
    }

    /// Leaves a registration of these kinds out, for that reason, until [`Host::open_gate`] or the end of the plugin.
    pub fn close_gate(
        &self,
        name: &str,
        kinds: &[&str],
        registration: &str,
        reason: &str,
    ) -> Result<(), Error> {
        let about = fields(&[("kinds", &kinds), ("name", &registration)])?;
        self.tell(Ask::SetGate, fields(&[("name", &name), ("about", &about), ("reason", &reason)])?)
    }

    /// What the gate left out takes part again. One that isn't there is no error.
    pub fn open_gate(&self, name: &str) -> Result<(), Error> {
        self.tell(Ask::SetGate, fields(&[("name", &name)])?)
    }

    /// A line of the host's log. Needs no capability, and waits for nothing.
    pub fn log(&self, level: Level, line: &str) {
        let line = Writer::default().number(1, level as u64).text(2, line);
        self.waits.voice.send(frame::LOG, Writer::default().message(1, line));
    }

    fn asked(&self, options: impl Serialize, more: &[(&str, Member)]) -> Result<Map<String, Json>, Error> {
        let mut asked = match serde_json::to_value(options)? {
            Json::Object(options) => options,
            Json::Null => Map::new(),
            _ => return Err(Error::new("plugin", "ask_invalid", "options are an object, or ()")),
        };
        asked.extend(fields(more)?);
        if let Some(scope) = &self.scope {
            asked.insert("scope".into(), scope.as_str().into());
        }
        Ok(asked)
    }

    fn made(&self, ask: Ask, asked: Map<String, Json>) -> Result<HostScope, Error> {
        let made: Json = self.ask(ask, asked)?;
        let text = |name: &str| made[name].as_str().map(ToString::to_string);
        Ok(HostScope { id: text("scope").unwrap_or_default(), propagation: text("propagation") })
    }

    fn tell(&self, ask: Ask, asked: Map<String, Json>) -> Result<(), Error> {
        self.ask::<Json>(ask, asked).map(drop)
    }

    fn ask<T: DeserializeOwned>(&self, ask: Ask, asked: Map<String, Json>) -> Result<T, Error> {
        let payload = serde_json::to_vec(&asked)?;
        let heard = self.waits.ask(Kind::Host, 0, |voice, number| {
            let question = Writer::default().number(1, number).number(2, self.invoke);
            voice.send(frame::HOST_CALL, question.number(3, ask as u64).bytes(4, &payload))
        })?;
        read_value(&outcome(&heard, 2, 3)?)
    }
}

type Member<'a> = &'a dyn erased::Encode;

fn fields(members: &[(&str, Member)]) -> Result<Map<String, Json>, Error> {
    let mut fields = Map::new();
    for (name, value) in members {
        let value = value.encode()?;
        if !value.is_null() {
            fields.insert((*name).into(), value);
        }
    }
    Ok(fields)
}

/// Values of different types in one list.
mod erased {
    use serde::Serialize;
    use serde_json::{Error, Value, to_value};

    pub trait Encode {
        fn encode(&self) -> Result<Value, Error>;
    }

    impl<T: Serialize> Encode for T {
        fn encode(&self) -> Result<Value, Error> {
            to_value(self)
        }
    }
}
