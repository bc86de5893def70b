//! What threads wait for: answers of the host to what they asked, and words about streams. Each stands in a table by its kind
//! and numbers; the host's thread hears the answer and hands it over, and whoever waits has it from a channel.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use crate::error::Error;
use crate::lanes::{Lanes, lock};
use crate::voice::Voice;
use crate::wire::{Reader, Writer};

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// NextResult: of a call of middleware.
    Next,
    /// Chunk, ChunkEnd and ChunkCredit: of a call of middleware; 0 is the stream that it answers.
    Stream,
    /// HostResult: of the session.
    Host,
    /// Answer: of an instance.
    Answer,
}

/// Which one: `of` is a call of middleware, an instance, or 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    pub kind: Kind,
    pub of: u64,
    pub number: u64,
}

/// A frame's body, and the field that it came in.
pub struct Heard {
    pub what: u32,
    pub body: Vec<u8>,
}

pub type Word = Result<Heard, Error>;

/// What goes on when an answer has come, or nobody will give one.
pub type Follow = Box<dyn FnOnce(Word) + Send>;

#[derive(Default)]
struct State {
    waiting: HashMap<Key, Sender<Word>>,
    following: HashMap<Key, Follow>,
    last: u64,
    closed: bool,
}

/// Those of one open plugin, and the way to ask.
pub struct Waits {
    pub voice: Arc<Voice>,
    lanes: Arc<Lanes>,
    state: Mutex<State>,
}

thread_local! {
    /// This is the host's thread, in `push`: it hears the answers, so it can't wait for one.
    static HEARING: Cell<bool> = const { Cell::new(false) };
}

/// Marks the thread as the host's while `run` runs.
pub fn hearing<T>(run: impl FnOnce() -> T) -> T {
    HEARING.set(true);
    let given = run();
    HEARING.set(false);
    given
}

impl Waits {
    pub fn new(voice: Arc<Voice>, lanes: Arc<Lanes>) -> Self {
        Self { voice, lanes, state: Mutex::default() }
    }

    /// Asks, and waits for the answer. `frame` makes the question with its number: false when it is too long.
    pub fn ask(&self, kind: Kind, of: u64, frame: impl FnOnce(&Voice, u64) -> bool) -> Word {
        let (line, number) = self.begin(kind, of)?;
        if !frame(&self.voice, number) {
            return Err(Error::too_long());
        }
        line.next()
    }

    /// A number that is waited for from now on.
    pub fn begin(&self, kind: Kind, of: u64) -> Result<(Line<'_>, u64), Error> {
        let number = {
            let mut state = lock(&self.state);
            state.last += 1;
            state.last
        };
        Ok((self.listen(Key { kind, of, number })?, number))
    }

    /// Asks, and goes on when the answer has come: once, whatever becomes of it, and not in this call unless it can't be asked.
    pub fn follow(&self, kind: Kind, of: u64, frame: impl FnOnce(&Voice, u64) -> bool, follow: Follow) {
        let mut state = lock(&self.state);
        state.last += 1;
        let key = Key { kind, of, number: state.last };
        if state.closed {
            drop(state);
            return follow(Err(Error::closed()));
        }
        state.following.insert(key, follow);
        drop(state);
        if !frame(&self.voice, key.number) {
            let follow = lock(&self.state).following.remove(&key);
            if let Some(follow) = follow {
                follow(Err(Error::too_long()));
            }
        }
    }

    /// Listens for what is said of that.
    pub fn listen(&self, key: Key) -> Result<Line<'_>, Error> {
        if HEARING.get() {
            let why = "a quick function runs on the host's thread, where nobody can wait for an answer";
            return Err(Error::new("plugin", "quick_waits", why));
        }
        let mut state = lock(&self.state);
        if state.closed {
            return Err(Error::closed());
        }
        let (say, said) = channel();
        state.waiting.insert(key, say);
        Ok(Line { waits: self, key, said })
    }

    /// The host said something. Whoever doesn't wait any more hears nothing.
    pub fn heard(&self, key: Key, heard: Heard) {
        let mut state = lock(&self.state);
        if let Some(follow) = state.following.remove(&key) {
            drop(state);
            follow(Ok(heard));
        } else if let Some(waiting) = state.waiting.get(&key) {
            let _ = waiting.send(Ok(heard));
        }
    }

    /// Nobody says anything more of these.
    pub fn revoke(&self, is_it: impl Fn(&Key) -> bool, error: &Error) {
        let mut state = lock(&self.state);
        for (_, waiting) in state.waiting.iter().filter(|(key, _)| is_it(key)) {
            let _ = waiting.send(Err(error.clone()));
        }
        let keys: Vec<Key> = state.following.keys().filter(|key| is_it(key)).copied().collect();
        let follows: Vec<Follow> = keys.iter().filter_map(|key| state.following.remove(key)).collect();
        drop(state);
        for follow in follows {
            follow(Err(error.clone()));
        }
    }

    /// The plugin closes: nobody answers any more.
    pub fn close(&self) {
        lock(&self.state).closed = true;
        self.revoke(|_| true, &Error::closed());
    }
}

/// Listens, until it is dropped.
pub struct Line<'a> {
    waits: &'a Waits,
    key: Key,
    said: Receiver<Word>,
}

impl Line<'_> {
    /// Waits for the next word. Another lane may use its thread's place meanwhile.
    pub fn next(&self) -> Word {
        self.waits.lanes.blocking(|| self.said.recv()).unwrap_or_else(|_| Err(Error::closed()))
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        lock(&self.waits.state).waiting.remove(&self.key);
    }
}

/// The value of an answer, or its error: where each is says the caller.
pub fn outcome(heard: &Heard, value: u32, error: u32) -> Result<Vec<u8>, Error> {
    let mut given = Vec::new();
    for field in Reader::new(&heard.body).fields().ok_or_else(Error::malformed)? {
        if field.number == error {
            return Err(Error::read(field.message()));
        }
        if field.number == value {
            given = field.bytes.to_vec();
        }
    }
    Ok(given)
}

/// Numbers and bytes, as Next, Chunk and ChunkEnd have them.
pub fn around(invoke: u64, number: u64, payload: &[u8]) -> Writer {
    Writer::default().number(1, invoke).number(2, number).bytes(3, payload)
}
