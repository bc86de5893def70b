//! HTTP requests in an actor's own protocol. A body comes as the session gives credit for it, and is whole before the author's
//! function runs; the answer's body leaves as the host gives credit, so that a slow client holds nobody up.

use std::collections::HashMap;
use std::sync::Arc;

use crate::context::Context;
use crate::error::Error;
use crate::lanes::{Label, lock};
use crate::limits::PLUGIN_REQUEST_BODY_BYTES as BODY_LONGEST;
use crate::running::Running;
use crate::sockets::header;
use crate::task::{Begin, Goal, Task};
use crate::voice::say;
use crate::wire::{Reader, Writer};

/// Bytes of a chunk.
const CHUNK: usize = 64 << 10;

/// An HTTP request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET` and others.
    pub method: String,
    /// The address, as the actor sees it.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// All of its body, 8 MiB at the most.
    pub body: Vec<u8>,
}

/// The answer to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 200 and others.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// All of its body.
    pub body: Vec<u8>,
}

impl Response {
    /// One without headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// With a header more.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// An author's function for requests.
pub(crate) enum Answerer {
    Now(Answers),
    Goes(Box<dyn Fn(Request) -> Begin + Send + Sync>),
}

type Answers = Box<dyn Fn(&mut Context, Request) -> Result<Response, Error> + Send + Sync>;

/// A request whose body is on its way.
struct Arriving {
    number: u64,
    request: Request,
    has_body: bool,
}

impl Arriving {
    /// Of RequestOpen; `None`: it can't be read.
    fn read(open: Reader) -> Option<Self> {
        let mut arriving = Self { number: 0, request: Request::default(), has_body: false };
        for field in open.fields()? {
            match field.number {
                1 => arriving.number = field.value,
                2 => arriving.request.method = field.text(),
                3 => arriving.request.url = field.text(),
                4 => arriving.request.headers.push(header(field.message())?),
                6 => arriving.has_body = field.value != 0,
                _ => {}
            }
        }
        Some(arriving)
    }
}

/// The body of an answer.
#[derive(Default)]
pub(crate) struct Leaving {
    /// Chunks that its client takes.
    credits: u64,
    /// It, and how much of it was said; `None` while there is no answer.
    rest: Option<(Vec<u8>, usize)>,
}

/// Those of one actor, by their requests.
pub(crate) type Bodies = HashMap<u64, Leaving>;

/// Those of one actor.
#[derive(Default)]
pub(crate) struct Arrivals {
    open: HashMap<u64, Arriving>,
}

/// Fields of ToActor.
const OPEN: u32 = 20;
const ABORT: u32 = 21;
const CHUNK_CAME: u32 = 22;
const END: u32 = 23;

impl Arrivals {
    /// What the host says of a request. `None`: it can't be read.
    pub(crate) fn heard(&mut self, running: &Arc<Running>, what: u32, said: Reader) -> Option<()> {
        let body = said.rest;
        let number = Reader::new(body).number(1)?;
        let fields = said.fields()?;
        let second = fields.iter().find(|field| field.number == 2);
        match what {
            OPEN => {
                self.open.insert(number, Arriving::read(Reader::new(body))?);
                lock(&running.bodies).insert(number, Leaving::default());
                self.opened(running, number);
            }
            ABORT => {
                self.open.remove(&number);
                running.forget(number);
            }
            CHUNK_CAME => self.chunk(running, number, second.map_or(&[][..], |chunk| chunk.bytes)),
            // Broken off: nobody waits for an answer.
            END if second.is_some() => {
                self.open.remove(&number);
                running.forget(number);
            }
            END => self.whole(running, number),
            _ => running.body_credit(number, second.map_or(0, |credits| credits.value)),
        }
        Some(())
    }

    fn opened(&mut self, running: &Arc<Running>, number: u64) {
        if self.open.get(&number).is_some_and(|arriving| arriving.has_body) {
            running.credit(number);
        } else {
            self.whole(running, number);
        }
    }

    fn chunk(&mut self, running: &Arc<Running>, number: u64, bytes: &[u8]) {
        let Some(arriving) = self.open.get_mut(&number) else {
            return;
        };
        arriving.request.body.extend_from_slice(bytes);
        if arriving.request.body.len() <= BODY_LONGEST {
            return running.credit(number);
        }
        self.open.remove(&number);
        running.refuse(number, &Error::body_too_long());
    }

    fn whole(&mut self, running: &Arc<Running>, number: u64) {
        if let Some(arriving) = self.open.remove(&number) {
            running.request(arriving);
        }
    }
}

impl Running {
    /// One chunk more may come.
    fn credit(&self, request: u64) {
        self.shared.voice.say(
            self.instance,
            say::BODY_CREDIT,
            Writer::default().number(1, request).number(2, 1),
        );
    }

    /// The client takes so many more chunks of the answer.
    fn body_credit(&self, number: u64, credits: u64) {
        let mut bodies = lock(&self.bodies);
        if let Some(body) = bodies.get_mut(&number) {
            body.credits += credits;
        }
        self.write_body(&mut bodies, number);
    }

    /// Nobody writes its body.
    fn forget(&self, number: u64) {
        lock(&self.bodies).remove(&number);
    }

    pub(crate) fn refuse(&self, request: u64, error: &Error) {
        self.forget(request);
        let refusal = Writer::default().number(1, request).message(4, error.write());
        self.shared.voice.say(self.instance, say::REQUEST_ANSWER, refusal);
    }

    /// All of a request is there.
    fn request(self: &Arc<Self>, arriving: Arriving) {
        if self.actor().quick {
            return self.run_request(arriving);
        }
        let (number, this) = (arriving.number, Arc::clone(self));
        let label = Label { number: 0, bytes: arriving.request.body.len() };
        let run = Box::new(move || this.run_request(arriving));
        if let Err(why) = self.shared.lanes.add(&self.lane, label, run) {
            self.refuse(number, &Error::refused(why));
        }
    }

    fn run_request(self: &Arc<Self>, Arriving { number, request, .. }: Arriving) {
        let mut response = None;
        let mut goes = None;
        let ran = self.run_hook(|c| {
            match self.actor().request.as_ref().ok_or_else(Error::no_answer)? {
                Answerer::Now(answer) => response = Some(answer(c, request)?),
                Answerer::Goes(begin) => goes = Some((begin(request), c.part.clone())),
            }
            Ok(())
        });
        if let (Ok(()), Some((begin, part))) = (&ran, goes) {
            return Task::begin(self, Goal::Request(number), part, begin);
        }
        match ran.and_then(|()| response.ok_or_else(Error::no_answer)) {
            Err(error) => self.refuse(number, &error),
            Ok(response) => self.answer_request(number, response),
        }
    }

    pub(crate) fn answer_request(&self, number: u64, response: Response) {
        let headers =
            response.headers.iter().map(|(name, value)| Writer::default().text(1, name).text(2, value));
        let answer =
            Writer::default().number(1, number).number(2, response.status.into()).messages(3, headers);
        let mut bodies = lock(&self.bodies);
        // Nobody wants it any more.
        let Some(body) = bodies.get_mut(&number) else {
            return;
        };
        self.shared.voice.say(self.instance, say::REQUEST_ANSWER, answer);
        body.rest = Some((response.body, 0));
        self.write_body(&mut bodies, number);
    }

    /// Says as much of a body as there is credit for.
    fn write_body(&self, bodies: &mut Bodies, number: u64) {
        let Some(Leaving { credits, rest: Some((body, said)) }) = bodies.get_mut(&number) else {
            return;
        };
        for chunk in body[*said..].chunks(CHUNK).take(*credits as usize) {
            let words = Writer::default().number(1, number).bytes(2, chunk);
            self.shared.voice.say(self.instance, say::BODY_CHUNK, words);
            *said += chunk.len();
            *credits -= 1;
        }
        if *said == body.len() {
            bodies.remove(&number);
            self.end_body(number);
        }
    }

    fn end_body(&self, number: u64) {
        self.shared.voice.say(self.instance, say::BODY_END, Writer::default().number(1, number));
    }
}
