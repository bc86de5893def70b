//! A function that goes on with `.await`, while it isn't over. It runs on its actor's lane whenever what it waits for has come,
//! and the actor's other functions run between.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context as Polled, Poll, Wake, Waker};

use crate::context::{Context, Part};
use crate::error::Error;
use crate::guarded::guarded;
use crate::lanes::lock;
use crate::requests::Response;
use crate::running::Running;
use crate::turn::Turn;
use crate::voice::To;

/// What a function gives in the end.
pub(crate) enum Given {
    Value(Vec<u8>),
    Response(Response),
}

pub(crate) type Going = Pin<Box<dyn Future<Output = Result<Given, Error>> + Send>>;

/// A function that has its arguments, and wants to begin.
pub(crate) type Begin = Box<dyn FnOnce(Turn) -> Going + Send>;

/// Whom it answers.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    Call(To),
    /// By its number.
    Request(u64),
}

/// One that has begun.
pub(crate) struct Task {
    running: Arc<Running>,
    goal: Goal,
    part: Part,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Not here while it runs, or when it is over.
    at_rest: Option<Going>,
    /// A job of it is on the lane.
    queued: bool,
    runs: bool,
    /// It was woken while it ran.
    again: bool,
}

impl Task {
    /// Begins it, on its actor's lane.
    pub(crate) fn begin(running: &Arc<Running>, goal: Goal, part: Part, begin: Begin) {
        running.asking.begin();
        let turn = Turn::new(Arc::clone(running), part.clone());
        let begun = guarded(|| Ok(begin(turn)));
        let (at_rest, failed) = match begun {
            Ok(going) => (Some(going), None),
            Err(error) => (None, Some(error)),
        };
        let state = Mutex::new(State { at_rest, ..State::default() });
        let task = Arc::new(Self { running: Arc::clone(running), goal, part, state });
        match failed {
            Some(error) => task.end(Err(error)),
            None => task.run(),
        }
    }

    fn run(self: &Arc<Self>) {
        let Some(mut going) = self.take() else {
            return;
        };
        let waker = Waker::from(Arc::clone(self));
        let polled =
            self.running.run_part(&self.part, || Ok(going.as_mut().poll(&mut Polled::from_waker(&waker))));
        match polled {
            Ok(Poll::Pending) => self.put(going),
            over => {
                // What the author keeps in it goes before the answer: a transaction that is open is undone.
                let dropped = guarded(|| {
                    drop(going);
                    Ok(())
                });
                let given = over.and_then(|polled| match polled {
                    Poll::Ready(given) => given,
                    Poll::Pending => Err(Error::no_answer()),
                });
                self.end(dropped.and(given));
            }
        }
    }

    fn take(&self) -> Option<Going> {
        let mut state = self.state();
        state.queued = false;
        let going = state.at_rest.take();
        state.runs = going.is_some();
        going
    }

    fn put(self: &Arc<Self>, going: Going) {
        let mut state = self.state();
        state.at_rest = Some(going);
        state.runs = false;
        if std::mem::take(&mut state.again) {
            self.queue(state);
        }
    }

    fn queue(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if std::mem::replace(&mut state.queued, true) {
            return;
        }
        drop(state);
        let this = Arc::clone(self);
        // Without a thread nothing of the plugin runs any more.
        let _ = self.running.shared.lanes.must_add(&self.running.lane, Box::new(move || this.run()));
    }

    /// Its one answer.
    fn end(&self, given: Result<Given, Error>) {
        let running = &self.running;
        match (self.goal, given) {
            (Goal::Call(to), Ok(Given::Value(value))) => running.answer(to, Ok(value)),
            (Goal::Call(to), given) => running.answer(to, given.and(Err(Error::no_answer()))),
            (Goal::Request(number), Ok(Given::Response(response))) => {
                running.answer_request(number, response)
            }
            (Goal::Request(number), given) => {
                running.refuse(number, &given.err().unwrap_or_else(Error::no_answer));
            }
        }
        running.asked();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let mut state = self.state();
        if state.runs {
            state.again = true;
        } else if state.at_rest.is_some() {
            self.queue(state);
        }
    }
}

impl Running {
    /// Runs a function that was written for this part of a call; what it wrote is said behind it.
    fn run_part<T>(&self, part: &Part, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.wait();
        self.with_part(part, Context::begin);
        let closing = if self.shared.lanes.closing() { Err(Error::closed()) } else { Ok(()) };
        let ran = closing.and_then(|()| guarded(work));
        self.with_part(part, |c| c.flush_joined(part.call)).and(ran)
    }
}
