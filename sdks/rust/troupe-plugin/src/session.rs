//! The plugin's end of plugin/v1: reads the host's frames, runs actors and middleware, and queues what they say.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::context::Context;
use crate::error::Error;
use crate::frames::{Frames, split_frame};
use crate::plugin::{Actor, Plugin};
use crate::wire::{Field, Reader, Writer};

/// Fields of PluginFrame.
mod frame {
    pub const READY: u32 = 1;
    pub const FAILED: u32 = 2;
    pub const ACTOR: u32 = 3;
    pub const RESULT: u32 = 4;
    pub const PONG: u32 = 5;
}

/// Fields of FromActor.
mod say {
    pub const STARTED: u32 = 2;
    pub const STOPPED: u32 = 3;
    pub const REPLY: u32 = 5;
}

const VERSION: u64 = 1;
const ENCODING_JSON: u64 = 2;
const SPACE_STATE: u64 = 1;

struct Instance {
    actor: usize,
    context: Context,
}

/// What came of a frame: `None` when the host sent what can't be.
type Heard = Option<()>;

pub struct Session {
    plugin: Plugin,
    frames: Frames,
    instances: HashMap<u64, Instance>,
}

impl Session {
    pub fn new(plugin: Plugin, max_frame: usize, max_queued: usize) -> Self {
        Self { plugin, frames: Frames::new(max_frame, max_queued), instances: HashMap::new() }
    }

    pub fn full(&self) -> bool {
        self.frames.full()
    }

    pub fn pull(&mut self, into: &mut [u8]) -> i64 {
        self.frames.pull(into)
    }

    /// Hears whole frames.
    pub fn heard(&mut self, mut bytes: &[u8]) -> Heard {
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
            3 => self.invoke(body.message()),
            5 => {
                let number = number_of(body.message(), 1)?;
                self.send(frame::PONG, Writer::default().number(1, number))
            }
            // What this version doesn't know, and cancels: middleware answers in place.
            _ => Some(()),
        }
    }

    fn greet(&mut self, hello: Reader) -> Heard {
        let mut speaks = false;
        let mut config: &[u8] = &[];
        for field in hello.fields()? {
            match field.number {
                1 => speaks |= field.value == VERSION || field.message().varints()?.contains(&VERSION),
                3 => config = field.bytes,
                _ => {}
            }
        }
        let refusal = if speaks {
            self.plugin.configure.as_ref().and_then(|configure| guarded(|| configure(config)).err())
        } else {
            Some(Error::new("plugin", "version_unsupported", "this plugin speaks version 1 of plugin/v1"))
        };
        match refusal {
            None => self.send(frame::READY, declarations(&self.plugin)),
            Some(error) => self.send(frame::FAILED, Writer::default().message(1, error.write())),
        }
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
            Some((3, _)) => self.stop(instance),
            Some((4, call)) => self.call(instance, call),
            // The host looks after connections by itself, and actions answer in place.
            _ => Some(()),
        }
    }

    fn start(&mut self, instance: u64, start: Reader) -> Heard {
        let mut context = Context::new();
        let mut name = String::new();
        let mut is_new = false;
        for field in start.fields()? {
            match field.number {
                6 => is_new = field.value != 0,
                8 => load_row(&mut context, field.message())?,
                9 => name = field.text(),
                _ => {}
            }
        }
        let actor = self.plugin.actors.iter().position(|actor| actor.name == name)?;
        let started = match &self.plugin.actors[actor].start {
            Some(start) => guarded(|| start(&mut context, is_new)),
            None => Ok(()),
        };
        self.say_all(instance, &mut context)?;
        let answer = Writer::default();
        match started {
            Ok(()) => {
                self.instances.insert(instance, Instance { actor, context });
                self.say(instance, say::STARTED, answer)
            }
            Err(error) => self.say(instance, say::STARTED, answer.message(1, error.write())),
        }
    }

    fn stop(&mut self, instance: u64) -> Heard {
        if let Some(Instance { actor, mut context }) = self.instances.remove(&instance) {
            if let Some(stop) = &self.plugin.actors[actor].stop {
                // Nobody waits for an answer: what it wrote before it panicked is said.
                let _ = guarded(|| {
                    stop(&mut context);
                    Ok(())
                });
            }
            self.say_all(instance, &mut context)?;
        }
        self.say(instance, say::STOPPED, Writer::default())
    }

    fn call(&mut self, instance: u64, call: Reader) -> Heard {
        let mut number = 0;
        let mut action = String::new();
        let mut args: &[u8] = &[];
        for field in call.fields()? {
            match field.number {
                1 => number = field.value,
                2 => action = field.text(),
                3 => args = field.bytes,
                _ => {}
            }
        }
        // Stopped already: what crossed its last word on the way is nobody's.
        let Some(mut running) = self.instances.remove(&instance) else {
            return Some(());
        };
        let answer = run_action(&self.plugin.actors[running.actor], &action, &mut running.context, args);
        self.say_all(instance, &mut running.context)?;
        self.instances.insert(instance, running);
        let reply = Writer::default().message(say::REPLY, answered(number, answer));
        if self.frames.add(Writer::default().message(frame::ACTOR, numbered(instance, reply))) {
            return Some(());
        }
        self.say(instance, say::REPLY, answered(number, Err(too_long())))
    }

    fn invoke(&mut self, invoke: Reader) -> Heard {
        let (mut number, mut kind, mut name) = (0, 0, String::new());
        let mut payload: &[u8] = &[];
        for field in invoke.fields()? {
            match field.number {
                1 => number = field.value,
                2 => name = field.text(),
                3 => kind = field.value,
                4 => payload = field.bytes,
                _ => {}
            }
        }
        let found = self.plugin.middleware.iter().find(|one| u64::from(one.kind) == kind && one.name == name);
        let answer = match found {
            Some(middleware) => guarded(|| (middleware.run)(payload)),
            None => Err(Error::new("plugin", "undeclared", format!("there is no middleware {name}"))),
        };
        self.send(frame::RESULT, answered(number, answer))
            .or_else(|| self.send(frame::RESULT, answered(number, Err(too_long()))))
    }

    fn say_all(&mut self, instance: u64, context: &mut Context) -> Heard {
        context.take_said().into_iter().try_for_each(|(what, message)| self.say(instance, what, message))
    }

    fn say(&mut self, instance: u64, what: u32, message: Writer) -> Heard {
        self.send(frame::ACTOR, numbered(instance, Writer::default().message(what, message)))
    }

    /// `None`: it is longer than a frame may be. What isn't said may not be missing from what follows.
    fn send(&mut self, kind: u32, message: Writer) -> Heard {
        self.frames.add(Writer::default().message(kind, message)).then_some(())
    }
}

fn numbered(instance: u64, mut message: Writer) -> Writer {
    let mut whole = Writer::default().number(1, instance);
    whole.bytes.append(&mut message.bytes);
    whole
}

fn answered(number: u64, answer: Result<Vec<u8>, Error>) -> Writer {
    let reply = Writer::default().number(1, number);
    match answer {
        Ok(value) => reply.bytes(2, &value),
        Err(error) => reply.message(3, error.write()),
    }
}

fn too_long() -> Error {
    Error::new("plugin", "frame_too_long", "the answer is longer than a frame may be")
}

fn run_action(actor: &Actor, name: &str, context: &mut Context, args: &[u8]) -> Result<Vec<u8>, Error> {
    match actor.actions.iter().find(|(known, _)| known == name) {
        Some((_, run)) => guarded(|| run(context, args)),
        None => Err(Error::new("actor", "action_not_found", format!("there is no action {name}"))),
    }
}

/// Runs what an author wrote: a panic is its error.
fn guarded<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Error::panicked(&*panic)))
}

fn load_row(context: &mut Context, row: Reader) -> Heard {
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
        context.load(name, value);
    }
    Some(())
}

fn number_of(message: Reader, number: u32) -> Option<u64> {
    let fields = message.fields()?;
    Some(fields.iter().find(|field| field.number == number).map_or(0, |field| field.value))
}

fn declarations(plugin: &Plugin) -> Writer {
    let actors = plugin.actors.iter().map(|actor| {
        let mut declared = Writer::default().text(1, &actor.name);
        for (name, _) in &actor.actions {
            declared = declared.text(2, name);
        }
        for name in &actor.events {
            declared = declared.text(3, name);
        }
        declared.bytes(4, &actor.options)
    });
    let middleware = plugin.middleware.iter().map(|one| {
        // sint32: the sign is the lowest bit.
        let priority = (one.priority << 1 ^ one.priority >> 31) as u32;
        Writer::default().number(1, one.kind.into()).text(2, &one.name).number(3, priority.into())
    });
    Writer::default()
        .number(1, VERSION)
        .number(2, ENCODING_JSON)
        .text(3, &plugin.name)
        .text(4, &plugin.version)
        .messages(5, actors)
        .messages(6, middleware)
}
