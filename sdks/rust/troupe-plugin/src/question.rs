//! What an actor asks its host: the same questions for whoever waits for the answer, and for whoever goes on when it is there.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as Polled, Poll, Waker};

use crate::context::Context;
use crate::error::Error;
use crate::lanes::lock;
use crate::waits::{Heard, Word, outcome};
use crate::wire::Writer;

/// What a question comes to when it is put.
pub enum Put<T> {
    /// The answer is known.
    Known(T),
    /// A field of Ask.
    Ask(Writer),
}

type Write<'a, T> = Box<dyn FnOnce(&mut Context) -> Result<Put<T>, Error> + 'a>;

/// A question of an actor's.
pub struct Question<'a, T> {
    /// The field of Ask that it is in.
    pub(crate) about: u32,
    /// Writes it, behind what was written before.
    pub(crate) put: Write<'a, T>,
    pub(crate) read: fn(&Heard) -> Result<T, Error>,
}

impl<'a, T> Question<'a, T> {
    pub(crate) fn new(
        about: u32,
        put: impl FnOnce(&mut Context) -> Result<Put<T>, Error> + 'a,
        read: fn(&Heard) -> Result<T, Error>,
    ) -> Self {
        Self { about, put: Box::new(put), read }
    }
}

/// Ask.barrier.
const BARRIER: u32 = 2;

/// Answered when all that was written before is on disk.
pub fn barrier() -> Question<'static, ()> {
    let put = |c: &mut Context| {
        c.flush()?;
        Ok(Put::Ask(Writer::default()))
    };
    Question::new(BARRIER, put, |heard| outcome(heard, u32::MAX, 2).map(drop))
}

/// Whoever asks the host: a function with a [`Context`], which waits and has the answer as a `Result`, or one with a
/// [`Turn`](crate::Turn), which goes on with `.await`.
pub trait Asks: Sized {
    /// What a question gives.
    type Answer<T>;

    #[doc(hidden)]
    fn ask<T>(self, question: Question<'_, T>) -> Self::Answer<T>;

    #[doc(hidden)]
    fn with<R>(&mut self, run: impl FnOnce(&mut Context) -> R) -> R;
}

impl Asks for &mut Context {
    type Answer<T> = Result<T, Error>;

    fn ask<T>(self, Question { about, put, read }: Question<'_, T>) -> Result<T, Error> {
        match put(self)? {
            Put::Known(answer) => Ok(answer),
            Put::Ask(question) => read(&self.ask_and_wait(about, question)?),
        }
    }

    fn with<R>(&mut self, run: impl FnOnce(&mut Context) -> R) -> R {
        run(self)
    }
}

/// An answer of the host's that is on its way: a future. It is asked at once, not when it is polled first.
#[must_use = "the answer is there when it is awaited"]
pub struct Asked<T>(State<T>);

enum State<T> {
    Known(Option<Result<T, Error>>),
    Waits(Arc<Mutex<Slot>>, fn(&Heard) -> Result<T, Error>),
}

/// Where an answer arrives.
#[derive(Default)]
pub(crate) struct Slot {
    word: Option<Word>,
    waker: Option<Waker>,
}

/// The host has answered, or nobody does.
pub(crate) fn arrived(slot: &Mutex<Slot>, word: Word) {
    let mut open = lock(slot);
    open.word = Some(word);
    let waker = open.waker.take();
    drop(open);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl<T> Asked<T> {
    pub(crate) fn known(answer: Result<T, Error>) -> Self {
        Self(State::Known(Some(answer)))
    }

    pub(crate) fn waits(slot: Arc<Mutex<Slot>>, read: fn(&Heard) -> Result<T, Error>) -> Self {
        Self(State::Waits(slot, read))
    }
}

// Nothing in it is pinned.
impl<T> Unpin for Asked<T> {}

impl<T> Future for Asked<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, polled: &mut Polled<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Known(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            State::Waits(slot, read) => {
                let mut slot = lock(slot);
                match slot.word.take() {
                    Some(word) => Poll::Ready(word.and_then(|heard| read(&heard))),
                    None => {
                        slot.waker = Some(polled.waker().clone());
                        Poll::Pending
                    }
                }
            }
        }
    }
}
