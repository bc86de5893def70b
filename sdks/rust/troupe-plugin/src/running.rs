//! A running actor. Its functions run on its lane, or in place when they are quick: either way one at a time, in the order
//! in which the host asked. The host's thread keeps it in the session until it hears Stop; the last job drops it.
//!
//! Stopped is its last word. Its stop is behind the lane's jobs, and behind calls that wait without the lane: the last of those
//! ends it. Their answers come as ever, until the host says that nobody gives any; then they have an error in place of one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::abort::Aborts;
use crate::actor::{Actor, Answer, Items};
use crate::asking::Asking;
use crate::connections::{Connection, leave_all};
use crate::context::{About, Context, Part};
use crate::deferred::Pending;
use crate::error::Error;
use crate::flows::Flows;
use crate::guarded::guarded;
use crate::lanes::{Label, Lane, Lanes, lock};
use crate::plugin::Plugin;
use crate::queue::Delivery;
use crate::requests::Bodies;
use crate::sockets::Socket;
use crate::task::{Goal, Task};
use crate::voice::{To, Voice, say};
use crate::waits::{Key, Kind, Waits};
use crate::wire::{Reader, Writer};

const SPACE_STATE: u64 = 1;

/// What all of one open plugin share.
pub struct Shared {
    pub plugin: Plugin,
    pub voice: Arc<Voice>,
    pub lanes: Arc<Lanes>,
    pub waits: Arc<Waits>,
    /// Those that are told to stop and aren't gone.
    pub ending: Mutex<HashMap<u64, Weak<Running>>>,
}

impl Shared {
    /// A call of middleware is over: whatever waits in it is told.
    pub fn end_call(&self, number: u64) {
        let of_it = |key: &Key| matches!(key.kind, Kind::Next | Kind::Stream) && key.of == number;
        self.waits.revoke(of_it, &Error::revoked());
    }

    /// Nobody answers what an actor waits for.
    pub fn end_actor(&self, instance: u64) {
        let of_it = |key: &Key| key.kind == Kind::Answer && key.of == instance;
        self.waits.revoke(of_it, &Error::stopped());
    }
}

/// One running actor.
pub struct Running {
    pub(crate) shared: Arc<Shared>,
    actor: usize,
    pub(crate) instance: u64,
    pub(crate) lane: Arc<Lane>,
    /// Nobody answers its questions any more.
    pub(crate) lost: Arc<AtomicBool>,
    /// It is told to sleep: clients that stay aren't its own to end.
    sleeps: AtomicBool,
    aborts: Aborts,
    pub(crate) asking: Asking,
    pub(crate) flows: Flows,
    pub(crate) bodies: Mutex<Bodies>,
    life: Mutex<Life>,
}

/// What a call is of.
pub(crate) enum What {
    Action(String),
    /// A message that the host brings.
    Message(Delivery),
}

/// A call, as its action gets it.
struct Work {
    to: To,
    what: What,
    at: usize,
    part: Part,
    args: Vec<u8>,
}

struct Life {
    context: Context,
    is_new: bool,
    /// Or why it can't run.
    started: Result<(), Error>,
}

impl Running {
    pub fn new(shared: &Arc<Shared>, actor: usize, instance: u64, is_new: bool) -> Arc<Self> {
        let quick = shared.plugin.actors[actor].quick;
        let lost: Arc<AtomicBool> = Arc::default();
        let context = Context::new(Arc::clone(&shared.waits), instance, quick, Arc::clone(&lost));
        let started = Err(Error::closed());
        Arc::new(Self {
            shared: Arc::clone(shared),
            actor,
            instance,
            lane: Arc::default(),
            lost,
            sleeps: AtomicBool::new(false),
            aborts: Aborts::default(),
            asking: Asking::default(),
            flows: Flows::default(),
            bodies: Mutex::default(),
            life: Mutex::new(Life { context, is_new, started }),
        })
    }

    pub fn actor(&self) -> &Actor {
        &self.shared.plugin.actors[self.actor]
    }

    /// What the host says of it, before the start.
    pub fn introduce(&self, about: About) {
        lock(&self.life).context.about = about;
    }

    /// Takes a stored row, before the start. `None`: it isn't one.
    pub fn load(&self, row: Reader) -> Option<()> {
        let (mut space, mut name, mut value) = (0, String::new(), Vec::new());
        for field in row.fields()? {
            match field.number {
                1 => space = field.value,
                2 => name = field.text(),
                4 => value = field.bytes.to_vec(),
                _ => {}
            }
        }
        if space == SPACE_STATE {
            lock(&self.life).context.load(name, value);
        }
        Some(())
    }

    /// All rows are there.
    pub fn start(self: &Arc<Self>) {
        if self.actor().quick {
            return self.run_start();
        }
        let this = Arc::clone(self);
        let run = Box::new(move || this.run_start());
        if let Err(why) = self.shared.lanes.must_add(&self.lane, run) {
            self.say_started(Err(Error::refused(why)));
        }
    }

    pub(crate) fn call(self: &Arc<Self>, call: u64, what: What, mut part: Part, args: &[u8]) {
        let to = To { instance: self.instance, call };
        let found = match &what {
            What::Action(name) => self.actor().actions.iter().position(|(known, _)| known == name),
            What::Message(Delivery { name, .. }) => {
                self.actor().queues.iter().position(|(known, consume)| known == name && consume.is_some())
            }
        };
        let Some(at) = found else {
            let unknown = match what {
                What::Action(name) => ("actor", "action_not_found", format!("there is no action {name}")),
                What::Message(Delivery { name, .. }) => {
                    ("queue", "not_found", format!("there is nothing for messages of {name}"))
                }
            };
            return self.shared.voice.answer(to, Err(Error::new(unknown.0, unknown.1, unknown.2)));
        };
        part.call = call;
        part.abort = self.aborts.begin(call);
        let work = Work { to, what, at, part, args: args.to_vec() };
        if self.actor().quick {
            return self.run_call(work);
        }
        let this = Arc::clone(self);
        let label = Label { number: call, bytes: args.len() };
        let run = Box::new(move || this.run_call(work));
        if let Err(why) = self.shared.lanes.add(&self.lane, label, run) {
            self.answer(to, Err(Error::refused(why)));
        }
    }

    /// Nobody waits for the call any more. What has begun isn't stopped, but told.
    pub fn cancel(&self, call: u64) {
        let dropped = self.shared.lanes.cancel(&self.lane, call);
        self.aborts.cancel(call);
        if self.flows.cancel(call) || dropped {
            self.aborts.end(call);
        }
    }

    /// The one answer of a call.
    pub(crate) fn answer(&self, to: To, answer: Result<Vec<u8>, Error>) {
        self.aborts.end(to.call);
        self.shared.voice.answer(to, answer);
    }

    /// Nothing that it says leaves any more, and nothing is answered.
    pub fn lose(&self) {
        self.lost.store(true, Ordering::SeqCst);
        self.shared.end_actor(self.instance);
    }

    /// A client that stayed with the host, before the start.
    pub(crate) fn keep(&self, one: Connection) {
        lock(&self.life).context.open.insert(one.number(), one);
    }

    /// The same for a raw socket's.
    pub(crate) fn keep_socket(&self, one: Socket) {
        lock(&self.life).context.sockets.insert(one.number, one);
    }

    /// The host asks for its end.
    pub fn stop(self: &Arc<Self>, sleeps: bool) {
        self.sleeps.store(sleeps, Ordering::SeqCst);
        self.aborts.stop();
        lock(&self.shared.ending).insert(self.instance, Arc::downgrade(self));
        if self.actor().quick { self.end() } else { self.stop_on_lane() }
    }

    /// The plugin closes: on a thread even when it is quick, so that what is slow at the end doesn't keep close from its
    /// time.
    pub fn stop_on_lane(self: &Arc<Self>) {
        let this = Arc::clone(self);
        if self.shared.lanes.must_add(&self.lane, Box::new(move || this.end())).is_err() {
            // There is no thread, and so there is no other job.
            self.end();
        }
    }

    fn end(&self) {
        if self.asking.stop() {
            self.run_stop();
        }
    }

    fn run_start(&self) {
        self.wait();
        let mut life = lock(&self.life);
        let Life { context, is_new, .. } = &mut *life;
        let start = || match &self.actor().start {
            _ if self.shared.lanes.closing() => Err(Error::closed()),
            Some(start) => start(context, *is_new),
            None => Ok(()),
        };
        let started = guarded(start);
        life.started = started.and_then(|()| life.context.flush());
        let started = life.started.clone();
        drop(life);
        self.say_started(started);
    }

    fn say_started(&self, started: Result<(), Error>) {
        let message = match started {
            Ok(()) => Writer::default(),
            Err(error) => Writer::default().message(1, error.write()),
        };
        self.shared.voice.say(self.instance, say::STARTED, message);
    }

    fn run_call(self: &Arc<Self>, Work { to, what, at, part, args }: Work) {
        let actor = self.actor();
        self.go_on(to, part, |c| match (what, &actor.queues) {
            (What::Action(_), _) => actor.actions[at].1(c, &args),
            (What::Message(delivery), queues) => match &queues[at].1 {
                Some(consume) => consume(c, delivery, &args),
                None => Err(Error::no_answer()),
            },
        });
    }

    fn settle(self: &Arc<Self>, to: To, part: Part, answer: Result<Answer, Error>) {
        let Shared { voice, lanes, .. } = &*self.shared;
        match answer {
            Ok(Answer::Now(value)) => self.answer(to, Ok(value)),
            Err(error) => self.answer(to, Err(error)),
            Ok(Answer::Items(items)) => self.flow(to, part, items),
            Ok(Answer::Later(later)) => {
                self.aborts.end(to.call);
                let pending = Pending { voice: Arc::clone(voice), lanes: Arc::clone(lanes), to };
                // A panic drops the call on its way, and that answers it.
                let _ = guarded(|| {
                    later(pending);
                    Ok(())
                });
            }
            Ok(Answer::Goes(begin)) => Task::begin(self, Goal::Call(to), part, begin),
        }
    }

    fn go_on(self: &Arc<Self>, to: To, part: Part, work: impl FnOnce(&mut Context) -> Result<Answer, Error>) {
        self.wait();
        let mut life = lock(&self.life);
        life.context.part = part;
        let closing = if self.shared.lanes.closing() { Err(Error::closed()) } else { Ok(()) };
        let answer = closing.and_then(|()| life.run(work));
        let part = std::mem::take(&mut life.context.part);
        drop(life);
        self.settle(to, part, answer);
    }

    /// A function that waited without the lane is over.
    pub(crate) fn asked(&self) {
        if self.asking.end() {
            self.run_stop();
        }
    }

    /// The context, for a part of a call.
    pub(crate) fn with_part<R>(&self, part: &Part, run: impl FnOnce(&mut Context) -> R) -> R {
        let mut life = lock(&self.life);
        let before = std::mem::replace(&mut life.context.part, part.clone());
        let given = run(&mut life.context);
        life.context.part = before;
        given
    }

    /// Makes an item of a result.
    pub(crate) fn run_item(&self, part: Part, items: &mut Items) -> (Part, Result<Option<Vec<u8>>, Error>) {
        self.wait();
        let mut life = lock(&self.life);
        life.context.part = part;
        life.context.begin();
        let item = guarded(|| items(&mut life.context));
        // With the result's last word, if it is that.
        let joined = if matches!(item, Ok(Some(_))) { 0 } else { life.context.part.call };
        let item = life.context.flush_joined(joined).and(item);
        (std::mem::take(&mut life.context.part), item)
    }

    /// Runs a function of the author's that answers no call. What it wrote is said whatever came of it.
    pub(crate) fn run_hook(&self, hook: impl FnOnce(&mut Context) -> Result<(), Error>) -> Result<(), Error> {
        self.wait();
        let mut life = lock(&self.life);
        life.started.clone()?;
        if self.shared.lanes.closing() {
            return Err(Error::closed());
        }
        life.context.part = Part { abort: self.aborts.of_actor(), ..Part::default() };
        life.context.begin();
        let ran = guarded(|| hook(&mut life.context));
        life.context.flush().and(ran)
    }

    fn run_stop(&self) {
        self.wait();
        self.shared.end_actor(self.instance);
        self.flows.clear();
        let mut life = lock(&self.life);
        if life.started.is_ok() {
            life.context.begin();
            if let Some(stop) = &self.actor().stop {
                // Nobody waits for an answer: what it wrote before it panicked is said.
                let _ = guarded(|| {
                    stop(&mut life.context);
                    Ok(())
                });
            }
            leave_all(&mut life.context, self.actor(), self.sleeps.load(Ordering::SeqCst));
            if life.context.flush().is_err() {
                self.shared
                    .voice
                    .log(self.instance, "what an actor wrote in its stop is more than a frame holds");
            }
        }
        self.shared.voice.say(self.instance, say::STOPPED, Writer::default());
    }

    /// Whoever works for the host waits for it.
    pub(crate) fn wait(&self) {
        if !self.actor().quick {
            self.shared.voice.wait();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.shared.ending).remove(&self.instance);
    }
}

impl Life {
    fn run(&mut self, work: impl FnOnce(&mut Context) -> Result<Answer, Error>) -> Result<Answer, Error> {
        self.started.clone()?;
        self.context.begin();
        let answer = guarded(|| work(&mut self.context));
        // What was written is said whatever the answer is, as everywhere. Who answers later says it by itself.
        let now = !matches!(answer, Ok(Answer::Later(_) | Answer::Items(_) | Answer::Goes(_)));
        let joined = if now { self.context.part.call } else { 0 };
        self.context.flush_joined(joined).and(answer)
    }
}
