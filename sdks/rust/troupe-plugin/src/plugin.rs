use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::actor::Actor;
use crate::call::{Call, read_value};
use crate::error::Error;
use crate::host::Host;

pub(crate) type Run = Box<dyn Fn(&[u8], &Call) -> Result<Given, Error> + Send + Sync>;
pub(crate) type Ready = Box<dyn Fn(Host) -> Result<(), Error> + Send + Sync>;

/// What middleware answers.
pub(crate) enum Given {
    Value(Vec<u8>),
    Stream(Box<dyn Iterator<Item = Result<Vec<u8>, Error>>>),
}

/// Reads JSON, and likes it or not.
pub(crate) type Check = Box<dyn Fn(&[u8]) -> Result<(), Error> + Send + Sync>;

/// Work threads of a plugin that doesn't say.
const THREADS: usize = 16;

/// What a library brings: actors and middleware. It gets nothing that isn't declared here.
pub struct Plugin {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) actors: Vec<Actor>,
    pub(crate) middleware: Vec<Middleware>,
    pub(crate) configure: Option<Check>,
    pub(crate) threads: usize,
    pub(crate) ready: Option<Ready>,
}

pub(crate) struct Middleware {
    pub(crate) kind: u32,
    pub(crate) name: String,
    pub(crate) priority: i32,
    pub(crate) run: Run,
    pub(crate) quick: bool,
    /// It gets its call, and may wait in it.
    pub(crate) waits: bool,
}

impl Plugin {
    /// A plugin with nothing in it yet.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            actors: Vec::new(),
            middleware: Vec::new(),
            configure: None,
            threads: THREADS,
            ready: None,
        }
    }

    /// Adds an actor.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.actors.push(actor);
        self
    }

    /// Adds middleware of a kind, a number of the relay's table. Lower priorities run first. It has a work lane of its own:
    /// its calls run one at a time, and may take long.
    pub fn middleware<P, R>(
        self,
        kind: u32,
        name: &str,
        priority: i32,
        run: impl Fn(P) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Self
    where
        P: DeserializeOwned,
        R: Serialize,
    {
        let run = move |payload: P, _: Call| encoded(&run(payload)?);
        self.add(Declared { kind, name, priority, waits: false }, run)
    }

    /// Adds middleware that gets its call as well: the scope that it runs in, the host's relay, and, of the kinds that go
    /// around a call, the rest of it. It may wait for each of them: every call has a lane of its own, and one that waits for
    /// the host takes no other's thread.
    pub fn around<P, R>(
        self,
        kind: u32,
        name: &str,
        priority: i32,
        run: impl Fn(P, Call) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Self
    where
        P: DeserializeOwned,
        R: Serialize,
    {
        let run = move |payload: P, call: Call| encoded(&run(payload, call)?);
        self.add(Declared { kind, name, priority, waits: true }, run)
    }

    /// The same where the answer is a stream, of the kind [`kind::LLM_STREAM`](crate::kind::LLM_STREAM): an iterator of chunks,
    /// each made when the reader asks for it. An error ends it.
    pub fn stream<P, I, C>(
        self,
        kind: u32,
        name: &str,
        priority: i32,
        run: impl Fn(P, Call) -> Result<I, Error> + Send + Sync + 'static,
    ) -> Self
    where
        P: DeserializeOwned,
        I: Iterator<Item = Result<C, Error>> + 'static,
        C: Serialize,
    {
        let run = move |payload: P, call: Call| {
            let chunks = run(payload, call)?;
            Ok(Given::Stream(Box::new(chunks.map(|chunk| Ok(serde_json::to_vec(&chunk?)?)))))
        };
        self.add(Declared { kind, name, priority, waits: true }, run)
    }

    fn add<P: DeserializeOwned>(
        mut self,
        Declared { kind, name, priority, waits }: Declared,
        run: impl Fn(P, Call) -> Result<Given, Error> + Send + Sync + 'static,
    ) -> Self {
        let run = move |payload: &[u8], call: &Call| run(read_value(payload)?, call.clone());
        let name = name.into();
        self.middleware.push(Middleware { kind, name, priority, run: Box::new(run), quick: false, waits });
        self
    }

    /// Called on a lane of its own when the host has taken the plugin in: from now on it may be asked. What it fails with is a
    /// line in the host's log.
    pub fn ready(mut self, ready: impl Fn(Host) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        self.ready = Some(Box::new(ready));
        self
    }

    /// The middleware that was added last returns at once: it runs on the host's thread, in place, and must not block.
    pub fn quick(mut self) -> Self {
        if let Some(middleware) = self.middleware.last_mut() {
            middleware.quick = true;
        }
        self
    }

    /// How many lanes work at the same time, at the most (default: 16). Threads are made when there is work and none is
    /// free.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Reads the configuration, JSON text, or nothing. An error refuses it, and the plugin doesn't start.
    pub fn configure(
        mut self,
        configure: impl Fn(&[u8]) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.configure = Some(Box::new(configure));
        self
    }
}

/// Middleware, without what it does.
struct Declared<'a> {
    kind: u32,
    name: &'a str,
    priority: i32,
    waits: bool,
}

fn encoded(answer: &impl Serialize) -> Result<Given, Error> {
    Ok(Given::Value(serde_json::to_vec(answer)?))
}
