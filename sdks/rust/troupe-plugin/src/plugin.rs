use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::error::Error;

pub(crate) type Action = Box<dyn Fn(&mut Context, &[u8]) -> Result<Vec<u8>, Error>>;
pub(crate) type Start = Box<dyn Fn(&mut Context, bool) -> Result<(), Error>>;
pub(crate) type Stop = Box<dyn Fn(&mut Context)>;
pub(crate) type Run = Box<dyn Fn(&[u8]) -> Result<Vec<u8>, Error>>;
pub(crate) type Configure = Box<dyn Fn(&[u8]) -> Result<(), Error>>;

/// What a library brings: actors and middleware. It gets nothing that isn't declared here.
pub struct Plugin {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) actors: Vec<Actor>,
    pub(crate) middleware: Vec<Middleware>,
    pub(crate) configure: Option<Configure>,
}

pub(crate) struct Middleware {
    pub(crate) kind: u32,
    pub(crate) name: String,
    pub(crate) priority: i32,
    pub(crate) run: Run,
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
        }
    }

    /// Adds an actor.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.actors.push(actor);
        self
    }

    /// Adds middleware of a kind, a number of the relay's table. Lower priorities run first.
    pub fn middleware<P, R>(
        mut self,
        kind: u32,
        name: &str,
        priority: i32,
        run: impl Fn(P) -> Result<R, Error> + 'static,
    ) -> Self
    where
        P: DeserializeOwned,
        R: Serialize,
    {
        let run = move |payload: &[u8]| Ok(serde_json::to_vec(&run(serde_json::from_slice(payload)?)?)?);
        self.middleware.push(Middleware { kind, name: name.into(), priority, run: Box::new(run) });
        self
    }

    /// Reads the configuration, JSON text, or nothing. An error refuses it, and the plugin doesn't start.
    pub fn configure(mut self, configure: impl Fn(&[u8]) -> Result<(), Error> + 'static) -> Self {
        self.configure = Some(Box::new(configure));
        self
    }
}

/// A kind of actor.
pub struct Actor {
    pub(crate) name: String,
    pub(crate) events: Vec<String>,
    pub(crate) options: Vec<u8>,
    pub(crate) actions: Vec<(String, Action)>,
    pub(crate) start: Option<Start>,
    pub(crate) stop: Option<Stop>,
}

impl Actor {
    /// An actor with nothing in it yet.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            events: Vec::new(),
            options: Vec::new(),
            actions: Vec::new(),
            start: None,
            stop: None,
        }
    }

    /// Adds an action. Its arguments are a tuple, `(i64, String)`, or `[(); 0]` for none.
    pub fn action<A, R>(
        mut self,
        name: &str,
        run: impl Fn(&mut Context, A) -> Result<R, Error> + 'static,
    ) -> Self
    where
        A: DeserializeOwned,
        R: Serialize,
    {
        let run = move |c: &mut Context, args: &[u8]| {
            Ok(serde_json::to_vec(&run(c, serde_json::from_slice(args)?)?)?)
        };
        self.actions.push((name.into(), Box::new(run)));
        self
    }

    /// Adds an event that clients may listen to.
    pub fn event(mut self, name: &str) -> Self {
        self.events.push(name.into());
        self
    }

    /// Options as `actor({ options })` takes them in TypeScript: a JSON object.
    pub fn options(mut self, json: &str) -> Self {
        self.options = json.into();
        self
    }

    /// Called when the actor is made (`true`) or wakes. An error fails the start; nothing of a creation is stored then.
    pub fn start(mut self, start: impl Fn(&mut Context, bool) -> Result<(), Error> + 'static) -> Self {
        self.start = Some(Box::new(start));
        self
    }

    /// Called when the actor sleeps or ends; it may still write.
    pub fn stop(mut self, stop: impl Fn(&mut Context) + 'static) -> Self {
        self.stop = Some(Box::new(stop));
        self
    }
}
