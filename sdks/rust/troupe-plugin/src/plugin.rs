use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::{Call, read_value};
use crate::context::Context;
use crate::deferred::{Deferred, Pending};
use crate::error::Error;
use crate::host::Host;
use crate::requests::{Answerer, Request, Response};
use crate::sockets::{Message, Socket, SocketHooks};
use crate::turn::Turn;
use crate::waits::Heard;
use crate::wire::Writer;

/// An action's answer: there, or somebody's to give who gets the call when what the action wrote has been said.
pub(crate) enum Answer {
    Now(Vec<u8>),
    Later(Box<dyn FnOnce(Pending)>),
    /// Behind the host's answer to a question.
    Ask(Asked),
}

/// A question of an action's, and what goes on behind it.
pub(crate) struct Asked {
    pub(crate) about: u32,
    pub(crate) question: Writer,
    pub(crate) then: GoOn,
}

pub(crate) type GoOn = Box<dyn FnOnce(&mut Context, Heard) -> Result<Answer, Error> + Send>;

pub(crate) type Action = Box<dyn Fn(&mut Context, &[u8]) -> Result<Answer, Error> + Send + Sync>;
pub(crate) type Start = Box<dyn Fn(&mut Context, bool) -> Result<(), Error> + Send + Sync>;
pub(crate) type Stop = Box<dyn Fn(&mut Context) + Send + Sync>;
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

/// A kind of actor.
pub struct Actor {
    pub(crate) name: String,
    pub(crate) events: Vec<String>,
    pub(crate) options: Vec<u8>,
    pub(crate) actions: Vec<(String, Action)>,
    pub(crate) start: Option<Start>,
    pub(crate) stop: Option<Stop>,
    pub(crate) accept: Option<Check>,
    pub(crate) sockets: Option<SocketHooks>,
    pub(crate) request: Option<Answerer>,
    pub(crate) database: bool,
    pub(crate) quick: bool,
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
            accept: None,
            sockets: None,
            request: None,
            database: false,
            quick: false,
        }
    }

    /// Adds an action. Its arguments are a tuple, `(i64, String)`, or `[(); 0]` for none.
    pub fn action<A, R>(
        mut self,
        name: &str,
        run: impl Fn(&mut Context, A) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned,
        R: Serialize,
    {
        let run = move |c: &mut Context, args: &[u8]| {
            Ok(Answer::Now(serde_json::to_vec(&run(c, serde_json::from_slice(args)?)?)?))
        };
        self.actions.push((name.into(), Box::new(run)));
        self
    }

    /// Adds an action whose answer somebody else gives, later and on any thread, while the actor goes on with its next
    /// call. Its function gives another function, which gets the call when what was written has been said:
    ///
    /// ```
    /// # use troupe_plugin::{Actor, Deferred};
    /// # let _ =
    /// Actor::new("sleeper").deferred("later", |c, (text,): (String,)| {
    ///     c.set_state("last", &text)?;
    ///     Ok(move |call: Deferred<String>| drop(std::thread::spawn(move || call.resolve(&text))))
    /// })
    /// # ;
    /// ```
    pub fn deferred<A, R, L>(
        mut self,
        name: &str,
        run: impl Fn(&mut Context, A) -> Result<L, Error> + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned,
        R: Serialize,
        L: FnOnce(Deferred<R>) + 'static,
    {
        let run = move |c: &mut Context, args: &[u8]| {
            let later = run(c, serde_json::from_slice(args)?)?;
            Ok(Answer::Later(Box::new(move |pending| later(Deferred::new(pending)))))
        };
        self.actions.push((name.into(), Box::new(run)));
        self
    }

    /// Adds an action that asks the host and doesn't wait: its function gives an answer or a question, and another function goes on
    /// when that is answered. Meanwhile the actor's other calls run. So it runs on a thread, in place, and in WebAssembly, where
    /// nobody can wait:
    ///
    /// ```
    /// # use troupe_plugin::{Actor, Turn};
    /// # let _ =
    /// Actor::new("ledger").database().asking("add", |_, (amount,): (i64,)| {
    ///     Turn::exec("INSERT INTO entries (amount) VALUES (?)", (amount,), |_, changes| {
    ///         Ok(Turn::done(changes.last_insert_row_id))
    ///     })
    /// })
    /// # ;
    /// ```
    pub fn asking<A, R>(
        mut self,
        name: &str,
        run: impl Fn(&mut Context, A) -> Result<Turn<R>, Error> + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned,
        R: Serialize + 'static,
    {
        let run = move |c: &mut Context, args: &[u8]| run(c, serde_json::from_slice(args)?)?.answer();
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
    pub fn start(
        mut self,
        start: impl Fn(&mut Context, bool) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.start = Some(Box::new(start));
        self
    }

    /// Called when the actor sleeps or ends; it may still write. Not called when the start failed.
    pub fn stop(mut self, stop: impl Fn(&mut Context) + Send + Sync + 'static) -> Self {
        self.stop = Some(Box::new(stop));
        self
    }

    /// Called when a client wants to be connected, with its connection parameters (`null` for none). An error refuses it.
    /// It runs on the connection lane, which is the host's thread: it returns at once, knows no context, and waits for
    /// none of its actor's functions. Without it everybody is accepted.
    pub fn accept<P: DeserializeOwned>(
        mut self,
        accept: impl Fn(P) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        let check = move |params: &[u8]| {
            accept(serde_json::from_slice(if params.is_empty() { b"null" } else { params })?)
        };
        self.accept = Some(Box::new(check));
        self
    }

    /// It takes raw WebSockets: called when one was opened, for each message of its client, and when it is gone. An error
    /// ends the socket.
    pub fn sockets(
        mut self,
        opened: impl Fn(&mut Context, &Socket) -> Result<(), Error> + Send + Sync + 'static,
        heard: impl Fn(&mut Context, u64, Message) -> Result<(), Error> + Send + Sync + 'static,
        closed: impl Fn(&mut Context, u64) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        let (opened, heard, closed) = (Box::new(opened), Box::new(heard), Box::new(closed));
        self.sockets = Some(SocketHooks { opened, heard, closed });
        self
    }

    /// It takes HTTP requests. An error is the answer.
    pub fn requests(
        mut self,
        answer: impl Fn(&mut Context, Request) -> Result<Response, Error> + Send + Sync + 'static,
    ) -> Self {
        self.request = Some(Box::new(answer));
        self
    }

    /// It has a database of its own: [`Context::exec`], [`Context::query`].
    pub fn database(mut self) -> Self {
        self.database = true;
        self
    }

    /// Its functions return at once: they run on the host's thread, in place, and an answer costs no wake of anybody. The
    /// whole program waits for them, so they must not block.
    pub fn quick(mut self) -> Self {
        self.quick = true;
        self
    }
}
