//! The plugin's end of plugin/v1, on the host's thread: reads its frames, and gives actors and middleware their work. What
//! isn't quick runs on lanes; connections are answered here, behind no work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use crate::connections;
use crate::context::{About, Part};
use crate::frames::{Frames, split_frame};
use crate::guarded::guarded;
use crate::hello;
use crate::host::{Host, Level};
use crate::invocations::Invocations;
use crate::lanes::{Lanes, lock};
use crate::plugin::Plugin;
use crate::queue::Delivery;
use crate::requests::Arrivals;
use crate::running::{Running, Shared, What};
use crate::sockets::SocketEvent;
use crate::voice::{Voice, frame};
use crate::waits::{Heard as Words, Key, Kind, Waits, hearing};
use crate::wire::{Field, Reader, Writer};

/// StopReasons. Broken: nothing that the actor says leaves any more.
const SLEEP: u64 = 1;
const BROKEN: u64 = 4;

/// What came of a frame: `None` when the host sent what can't be.
type Heard = Option<()>;

/// An instance, as the host's thread knows it.
struct Known {
    running: Arc<Running>,
    /// Rows are on their way.
    arriving: bool,
    /// Requests whose bodies are on their way.
    requests: Arrivals,
    /// Of its connections.
    params: connections::Params,
}

pub struct Session {
    shared: Arc<Shared>,
    instances: HashMap<u64, Known>,
    invocations: Invocations,
}

/// What the host says of itself, and how it is woken.
pub struct Table {
    pub max_frame: usize,
    pub max_queued: usize,
    pub wake: Box<dyn Fn() + Send + Sync>,
}

impl Session {
    pub fn new(plugin: Plugin, host: Table) -> Self {
        let frames = Frames::new(host.max_frame, host.max_queued, host.wake);
        let lanes = Arc::new(Lanes::new(plugin.threads, host.max_frame * 2));
        let voice = Arc::new(Voice { frames });
        let waits = Arc::new(Waits::new(Arc::clone(&voice), Arc::clone(&lanes)));
        let shared = Arc::new(Shared { plugin, voice, lanes, waits, ending: Mutex::default() });
        Self { invocations: Invocations::new(Arc::clone(&shared)), shared, instances: HashMap::new() }
    }

    #[cfg(all(feature = "worker", not(target_family = "wasm")))]
    /// The way to the host, which other threads may take.
    pub fn voice(&self) -> Arc<Voice> {
        Arc::clone(&self.shared.voice)
    }

    pub fn full(&self) -> bool {
        self.frames().full()
    }

    pub fn pull(&self, into: &mut [u8]) -> i64 {
        self.frames().pull(into)
    }

    /// Hears whole frames.
    pub fn heard(&mut self, bytes: &[u8]) -> Heard {
        self.frames().pushing(true);
        let heard = hearing(|| self.heard_frames(bytes));
        self.frames().pushing(false);
        heard
    }

    /// Ends all that runs. False: something of it still does when the time is up.
    pub fn close(mut self, timeout: Duration) -> bool {
        let lanes = Arc::clone(&self.shared.lanes);
        lanes.close();
        self.frames().close();
        self.shared.waits.close();
        for (_, known) in self.instances.drain() {
            known.running.stop_on_lane();
        }
        lanes.finish(timeout)
    }

    fn frames(&self) -> &Frames {
        &self.shared.voice.frames
    }

    fn heard_frames(&mut self, mut bytes: &[u8]) -> Heard {
        while !bytes.is_empty() {
            let (frame, rest) = split_frame(bytes)?;
            for field in Reader::new(frame).fields()? {
                self.heard_frame(&field)?;
            }
            bytes = rest;
        }
        Some(())
    }

    fn heard_frame(&mut self, body: &Field) -> Heard {
        match body.number {
            1 => self.greet(body.message()),
            2 => self.heard_for_actor(body.message()),
            3 => self.invocations.invoke(body.message()),
            5 => {
                let number = body.message().number(1)?;
                self.send(frame::PONG, Writer::default().number(1, number))
            }
            4 => {
                self.invocations.cancel(body.message().number(1)?);
                Some(())
            }
            7 => self.answered(Kind::Next, frame::NEXT, body.bytes),
            8 => self.answered(Kind::Stream, frame::CHUNK, body.bytes),
            9 => self.answered(Kind::Stream, frame::CHUNK_END, body.bytes),
            10 => self.answered(Kind::Stream, frame::CHUNK_CREDIT, body.bytes),
            11 => self.answered(Kind::Host, frame::HOST_CALL, body.bytes),
            // What this version doesn't know.
            _ => Some(()),
        }
    }

    /// Whoever waits for it has it.
    fn answered(&self, kind: Kind, what: u32, body: &[u8]) -> Heard {
        let (mut first, mut second, mut third) = (0, 0, 0);
        for field in Reader::new(body).fields()? {
            match field.number {
                1 => first = field.value,
                2 => second = field.value,
                3 => third = field.value,
                _ => {}
            }
        }
        let key = match kind {
            Kind::Next | Kind::Stream => Key { kind, of: first, number: second },
            Kind::Host | Kind::Answer => Key { kind, of: 0, number: first },
        };
        self.shared.waits.heard(key, Words { what, body: body.to_vec() });
        if what == frame::CHUNK_CREDIT && second == 0 && third == 0 {
            // With the stream its call is over, and what a chunk waits for.
            self.shared.end_call(first);
        }
        Some(())
    }

    fn greet(&mut self, hello: Reader) -> Heard {
        match hello::answer(&self.shared.plugin, hello)? {
            Ok(ready) => {
                self.send(frame::READY, ready)?;
                self.ready()
            }
            Err(error) => self.send(frame::FAILED, Writer::default().message(1, error.write())),
        }
    }

    /// On a lane of its own: it may ask.
    fn ready(&self) -> Heard {
        let shared = Arc::clone(&self.shared);
        if shared.plugin.ready.is_none() {
            return Some(());
        }
        let run = Box::new(move || {
            let host = Host::new(Arc::clone(&shared.waits), 0);
            let Some(ready) = &shared.plugin.ready else {
                return;
            };
            if let Err(error) = guarded(|| ready(host.clone())) {
                host.log(Level::Error, &format!("ready: {error}"));
            }
        });
        // Without a thread nothing else of the plugin runs either.
        let _ = self.shared.lanes.must_add(&Arc::default(), run);
        Some(())
    }

    fn heard_for_actor(&mut self, message: Reader) -> Heard {
        let mut instance = 0;
        let mut body = None;
        for field in message.fields()? {
            if field.number == 1 {
                instance = field.value;
            } else {
                body = Some((field.number, field.message()));
            }
        }
        match body {
            Some((2, start)) => self.start(instance, start),
            Some((3, stop)) => self.stop(instance, stop.number(1)?),
            Some((4, call)) => self.call(instance, call),
            Some((10, answer)) => self.answered_actor(instance, answer),
            Some((what @ 11..=13, said)) => {
                let event = SocketEvent::read(what, said)?;
                if let Some(known) = self.instances.get(&instance).filter(|known| !known.arriving) {
                    known.running.socket(event);
                }
                Some(())
            }
            Some((what @ 20..=24, said)) => {
                match self.instances.get_mut(&instance).filter(|known| !known.arriving) {
                    Some(known) => known.requests.heard(&known.running, what, said),
                    None => Some(()),
                }
            }
            Some((5, cancel)) => {
                let number = cancel.number(1)?;
                if let Some(known) = self.instances.get(&instance) {
                    known.running.cancel(number);
                }
                Some(())
            }
            Some((25, credit)) => {
                let call = credit.clone().number(1)?;
                let items = credit.number(2)?;
                if let Some(known) = self.instances.get(&instance) {
                    known.running.credit_items(call, items);
                }
                Some(())
            }
            Some((what @ 6..=8, said)) => match self.instances.get_mut(&instance) {
                Some(known) => connections::heard(&known.running, &mut known.params, what, said),
                None => Some(()),
            },
            Some((14, rows)) => self.more_rows(instance, rows),
            // The host looks after the rest by itself.
            _ => Some(()),
        }
    }

    fn answered_actor(&self, of: u64, answer: Reader) -> Heard {
        let body = answer.rest.to_vec();
        let key = Key { kind: Kind::Answer, of, number: answer.number(1)? };
        self.shared.waits.heard(key, Words { what: 0, body });
        Some(())
    }

    fn start(&mut self, instance: u64, start: Reader) -> Heard {
        let fields = start.fields()?;
        let name = fields.iter().rfind(|field| field.number == 9)?.text();
        let is_set = |number| fields.iter().any(|field| field.number == number && field.value != 0);
        let actor = self.shared.plugin.actors.iter().position(|actor| actor.name == name)?;
        let running = Running::new(&self.shared, actor, instance, is_set(6));
        let mut about = About::default();
        for field in &fields {
            match field.number {
                1 => about.name = field.text(),
                2 => about.key.push(field.text()),
                3 => about.id = field.text(),
                8 => running.load(field.message())?,
                _ => {}
            }
        }
        running.introduce(about);
        let arriving = is_set(10);
        if !arriving {
            running.start();
        }
        // A number is never used twice.
        self.instances
            .insert(
                instance,
                Known { running, arriving, requests: Arrivals::default(), params: HashMap::new() },
            )
            .is_none()
            .then_some(())
    }

    fn more_rows(&mut self, instance: u64, rows: Reader) -> Heard {
        let Some(known) = self.instances.get_mut(&instance).filter(|known| known.arriving) else {
            return Some(());
        };
        for field in rows.fields()? {
            match field.number {
                1 => known.running.load(field.message())?,
                2 => known.arriving = field.value == 0,
                3 => connections::stayed(&known.running, &mut known.params, field.message())?,
                _ => {}
            }
        }
        if !known.arriving {
            known.running.start();
        }
        Some(())
    }

    fn stop(&mut self, instance: u64, reason: u64) -> Heard {
        let Some(known) = self.instances.remove(&instance) else {
            // Said once more: its time is over. It still ends by itself, behind what waited.
            let ending = lock(&self.shared.ending).get(&instance).and_then(Weak::upgrade);
            if let Some(running) = ending {
                running.lose();
            }
            return Some(());
        };
        if reason == BROKEN {
            known.running.lose();
        }
        known.running.stop(reason == SLEEP);
        Some(())
    }

    fn call(&mut self, instance: u64, call: Reader) -> Heard {
        let mut number = 0;
        let mut action = String::new();
        let mut args: &[u8] = &[];
        let mut part = Part::default();
        let (mut message, mut attempt) = (0, 0);
        for field in call.fields()? {
            match field.number {
                1 => number = field.value,
                2 => action = field.text(),
                3 => args = field.bytes,
                4 => part.connection = field.value,
                10 => part.chain.push(field.bytes.to_vec()),
                11 => part.depth = field.value,
                13 => message = field.value,
                14 => attempt = field.value,
                12 => part.trace = field.text(),
                _ => {}
            }
        }
        let what = match message {
            0 => What::Action(action),
            id => What::Message(Delivery { id, name: action, attempts: attempt as u32 }),
        };
        // Stopped already: what crossed its last word on the way is nobody's.
        if let Some(known) = self.instances.get(&instance).filter(|known| !known.arriving) {
            known.running.call(number, what, part, args);
        }
        Some(())
    }

    /// `None`: it is longer than a frame may be. What isn't said may not be missing from what follows.
    fn send(&mut self, kind: u32, message: Writer) -> Heard {
        self.shared.voice.send(kind, message).then_some(())
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
