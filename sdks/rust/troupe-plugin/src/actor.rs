use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connections::{Connection, ConnectionHooks, or_null};
use crate::context::Context;
use crate::deferred::{Deferred, Pending};
use crate::error::Error;
use crate::queue::{Delivery, DeliveryPolicy, QueueMessage};
use crate::requests::{Answerer, Request, Response};
use crate::sockets::{Message, Socket, SocketHooks};
use crate::task::{Begin, Given};
use crate::turn::Turn;

/// An action's answer: there, or somebody's to give who gets the call when what the action wrote has been said.
pub(crate) enum Answer {
    Now(Vec<u8>),
    Later(Box<dyn FnOnce(Pending)>),
    /// Somebody's who goes on with `.await`.
    Goes(Begin),
    /// It comes in items.
    Items(Items),
}

/// Makes the next item of a result, or says that there is none.
pub(crate) type Items = Box<dyn FnMut(&mut Context) -> Result<Option<Vec<u8>>, Error> + Send>;

pub(crate) type Action = Box<dyn Fn(&mut Context, &[u8]) -> Result<Answer, Error> + Send + Sync>;
pub(crate) type Consume = Box<dyn Fn(&mut Context, Delivery, &[u8]) -> Result<Answer, Error> + Send + Sync>;
pub(crate) type Start = Box<dyn Fn(&mut Context, bool) -> Result<(), Error> + Send + Sync>;
pub(crate) type Stop = Box<dyn Fn(&mut Context) + Send + Sync>;
/// A kind of actor.
pub struct Actor {
    pub(crate) name: String,
    pub(crate) events: Vec<String>,
    pub(crate) options: Vec<u8>,
    pub(crate) actions: Vec<(String, Action)>,
    pub(crate) start: Option<Start>,
    pub(crate) stop: Option<Stop>,
    pub(crate) connections: ConnectionHooks,
    pub(crate) sockets: Option<SocketHooks>,
    pub(crate) request: Option<Answerer>,
    /// With what gets their messages, where the host brings them.
    pub(crate) queues: Vec<(String, Option<Consume>)>,
    pub(crate) deliveries: Vec<(String, DeliveryPolicy)>,
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
            connections: ConnectionHooks::default(),
            sockets: None,
            request: None,
            queues: Vec::new(),
            deliveries: Vec::new(),
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

    /// Adds an action that asks the host and doesn't wait: where others wait for an answer, it goes on with `.await`, and meanwhile
    /// the actor's other functions run. So it is the same on a thread, in place, and in WebAssembly, where nobody can wait:
    ///
    /// ```
    /// # use troupe_plugin::{Actor, Turn};
    /// # let _ =
    /// Actor::new("ledger").database().asking("add", |c: Turn, (amount,): (i64,)| async move {
    ///     let changes = c.exec("INSERT INTO entries (amount) VALUES (?)", (amount,)).await?;
    ///     Ok(changes.last_insert_row_id)
    /// })
    /// # ;
    /// ```
    pub fn asking<A, R, F>(mut self, name: &str, run: impl Fn(Turn, A) -> F + Send + Sync + 'static) -> Self
    where
        A: DeserializeOwned + Send + 'static,
        R: Serialize,
        F: Future<Output = Result<R, Error>> + Send + 'static,
    {
        let run = Arc::new(run);
        let run = move |_: &mut Context, args: &[u8]| Ok(goes(&run, serde_json::from_slice(args)?));
        self.actions.push((name.into(), Box::new(run)));
        self
    }

    /// Adds an action whose result comes in items. Its function gives another one, which makes one item each time that the caller
    /// has room for it, between other functions of the actor, and `None` behind the last:
    ///
    /// ```
    /// # use troupe_plugin::{Actor, Context};
    /// # let _ =
    /// Actor::new("counter").stream("count", |_, (upto,): (u64,)| {
    ///     let mut numbers = 1..=upto;
    ///     Ok(move |_: &mut Context| Ok(numbers.next()))
    /// })
    /// # ;
    /// ```
    pub fn stream<A, I, C>(
        mut self,
        name: &str,
        run: impl Fn(&mut Context, A) -> Result<I, Error> + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned,
        I: FnMut(&mut Context) -> Result<Option<C>, Error> + Send + 'static,
        C: Serialize,
    {
        let run = move |c: &mut Context, args: &[u8]| {
            let mut next = run(c, serde_json::from_slice(args)?)?;
            let items =
                move |c: &mut Context| Ok(next(c)?.map(|item| serde_json::to_vec(&item)).transpose()?);
            Ok(Answer::Items(Box::new(items)))
        };
        self.actions.push((name.into(), Box::new(run)));
        self
    }

    /// Adds a queue whose messages its functions take, with [`Context::queue`].
    pub fn queue(mut self, name: &str) -> Self {
        self.queues.push((name.into(), None));
        self
    }

    /// Adds a queue whose messages are brought to a function, one after the other. What it gives is the sender's reply; what it
    /// writes is stored together with the message's end. With an error the message comes again, later each time, and is a dead
    /// letter after a few.
    pub fn consume<T, R>(
        mut self,
        name: &str,
        run: impl Fn(&mut Context, QueueMessage<T>) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Self
    where
        T: DeserializeOwned,
        R: Serialize,
    {
        let run = move |c: &mut Context, delivery: Delivery, args: &[u8]| {
            let (body,): (T,) = serde_json::from_slice(args)?;
            Ok(Answer::Now(serde_json::to_vec(&run(c, delivery.message(body))?)?))
        };
        self.queues.push((name.into(), Some(Box::new(run))));
        self
    }

    /// The same for a function that goes on with `.await`, as one of [`Actor::asking`] does.
    pub fn consume_asking<T, R, F>(
        mut self,
        name: &str,
        run: impl Fn(Turn, QueueMessage<T>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        T: DeserializeOwned + Send + 'static,
        R: Serialize,
        F: Future<Output = Result<R, Error>> + Send + 'static,
    {
        let run = Arc::new(run);
        let run = move |_: &mut Context, delivery: Delivery, args: &[u8]| {
            let (body,): (T,) = serde_json::from_slice(args)?;
            Ok(goes(&run, delivery.message(body)))
        };
        self.queues.push((name.into(), Some(Box::new(run))));
        self
    }

    /// How messages of one of its queues are delivered again.
    pub fn delivery(mut self, queue: &str, policy: DeliveryPolicy) -> Self {
        self.deliveries.push((queue.into(), policy));
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

    /// Called when a client wants to be connected, with its connection parameters (`null` for none). An error refuses it; what it
    /// gives is the connection's state, `()` for none. It runs on the connection lane, which is the host's thread: it returns at
    /// once, knows no context, and waits for none of its actor's functions. Without it everybody is accepted.
    pub fn accept<P: DeserializeOwned, S: Serialize>(
        mut self,
        accept: impl Fn(P) -> Result<S, Error> + Send + Sync + 'static,
    ) -> Self {
        let check =
            move |params: &[u8]| Ok(serde_json::to_vec(&accept(serde_json::from_slice(or_null(params))?)?)?);
        self.connections.accept = Some(Box::new(check));
        self
    }

    /// Called when a client wants to listen to one of the actor's events, with its connection parameters and the event. It runs as
    /// [`Actor::accept`] does, and an error refuses it. Without it everybody may listen.
    pub fn can_subscribe<P: DeserializeOwned>(
        mut self,
        check: impl Fn(P, &str) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        let check = move |params: &[u8], event: &str| check(serde_json::from_slice(or_null(params))?, event);
        self.connections.can_subscribe = Some(Box::new(check));
        self
    }

    /// Called when a client is connected, before anything that it asks for. An error ends the connection.
    pub fn connected(
        mut self,
        told: impl Fn(&mut Context, &Connection) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.connections.connected = Some(Box::new(told));
        self
    }

    /// Called when a client is gone, or ends with the actor.
    pub fn disconnected(
        mut self,
        told: impl Fn(&mut Context, &Connection) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.connections.disconnected = Some(Box::new(told));
        self
    }

    /// It takes raw WebSockets: called when one was opened, for each message of its client, and when it is gone. An error
    /// ends the socket. Their clients stay while the actor sleeps, [`Context::sockets`], unless its options say
    /// `canHibernateWebSocket: false`.
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
        self.request = Some(Answerer::Now(Box::new(answer)));
        self
    }

    /// The same for a function that goes on with `.await`, as one of [`Actor::asking`] does.
    pub fn requests_asking<F>(mut self, answer: impl Fn(Turn, Request) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        let answer = Arc::new(answer);
        let begin = move |request| -> Begin {
            let answer = Arc::clone(&answer);
            Box::new(move |turn| Box::pin(async move { Ok(Given::Response(answer(turn, request).await?)) }))
        };
        self.request = Some(Answerer::Goes(Box::new(begin)));
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

/// An answer that is made with `.await`.
fn goes<A, R, F>(run: &Arc<impl Fn(Turn, A) -> F + Send + Sync + 'static>, args: A) -> Answer
where
    A: Send + 'static,
    R: Serialize,
    F: Future<Output = Result<R, Error>> + Send + 'static,
{
    let run = Arc::clone(run);
    Answer::Goes(Box::new(move |turn| {
        Box::pin(async move { Ok(Given::Value(serde_json::to_vec(&run(turn, args).await?)?)) })
    }))
}
