//! Clients of an actor, as far as its author wants to know of them. Who wants to be connected, and who wants to listen, is answered
//! on the host's thread, behind no work; what the author's functions do about it runs on the actor's lane, in order.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::actor::Actor;
use crate::context::Context;
use crate::error::Error;
use crate::guarded::guarded;
use crate::running::Running;
use crate::sockets::Socket;
use crate::voice::say;
use crate::wire::{Reader, Writer};

const SPACE_CONNECTION: u64 = 4;
const NOTHING: &[u8] = b"null";

/// Asked with connection parameters: gives the connection's state.
pub(crate) type Accept = Box<dyn Fn(&[u8]) -> Result<Vec<u8>, Error> + Send + Sync>;
/// Asked with connection parameters and an event.
pub(crate) type MaySubscribe = Box<dyn Fn(&[u8], &str) -> Result<(), Error> + Send + Sync>;
/// Somebody came, or is gone.
pub(crate) type Told = Box<dyn Fn(&mut Context, &Connection) -> Result<(), Error> + Send + Sync>;

/// An author's functions for connections.
#[derive(Default)]
pub(crate) struct ConnectionHooks {
    pub(crate) accept: Option<Accept>,
    pub(crate) can_subscribe: Option<MaySubscribe>,
    pub(crate) connected: Option<Told>,
    pub(crate) disconnected: Option<Told>,
}

impl ConnectionHooks {
    /// The host asks and tells about connections; else it accepts them by itself.
    pub(crate) fn any(&self) -> bool {
        self.accept.is_some()
            || self.can_subscribe.is_some()
            || self.connected.is_some()
            || self.disconnected.is_some()
    }
}

/// A client that is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    number: u64,
    id: String,
    params: Vec<u8>,
    state: Vec<u8>,
    /// Its client stays while the actor sleeps.
    stays: bool,
    changed: bool,
}

impl Connection {
    /// As [`Context::connection`] and [`Context::send`] have it; another one each time that the actor wakes.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its name, which it keeps.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Connection parameters; `null` for none.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(serde_json::from_slice(or_null(&self.params))?)
    }

    /// What [`Actor::accept`](crate::Actor::accept) gave, or a function has set; `null` for nothing. It stays with a client that stays
    /// while the actor sleeps.
    pub fn state<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(serde_json::from_slice(or_null(&self.state))?)
    }
}

pub(crate) fn or_null(value: &[u8]) -> &[u8] {
    if value.is_empty() { NOTHING } else { value }
}

impl Context {
    /// Clients that are connected, of an actor that has a function for connections.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.open.values()
    }

    /// The same, of one number: that of the call that runs is [`Context::connection`].
    pub fn client(&self, connection: u64) -> Option<&Connection> {
        self.open.get(&connection)
    }

    /// Sets a connection's state. One that is gone has none.
    pub fn set_connection_state<T: Serialize + ?Sized>(
        &mut self,
        connection: u64,
        state: &T,
    ) -> Result<(), Error> {
        let state = serde_json::to_vec(state)?;
        if let Some(open) = self.open.get_mut(&connection) {
            open.changed |= open.state != state;
            open.state = state;
        }
        Ok(())
    }
}

/// What changed of the states of clients that stay, as rows; they are told from now on.
pub(crate) fn changed_rows(open: &mut BTreeMap<u64, Connection>) -> Vec<Writer> {
    let changed = open.values_mut().filter(|one| one.stays && one.changed);
    changed
        .map(|one| {
            one.changed = false;
            state_row(&one.id, &one.state)
        })
        .collect()
}

/// What is stored of a client's state.
pub(crate) fn state_row(id: &str, state: &[u8]) -> Writer {
    Writer::default().number(1, SPACE_CONNECTION).text(2, id).bytes(4, state)
}

/// Connection parameters by number, as the host's thread knows them.
pub(crate) type Params = HashMap<u64, Vec<u8>>;

/// A Connect, a Disconnect or a Subscribe; `None`: it can't be read.
pub(crate) fn heard(running: &Arc<Running>, params: &mut Params, what: u32, message: Reader) -> Option<()> {
    let fields = message.fields()?;
    let number = fields.iter().find(|field| field.number == 1).map_or(0, |field| field.value);
    let text =
        |at| fields.iter().find(|field| field.number == at).map(|field| field.text()).unwrap_or_default();
    match what {
        6 => {
            let given = fields.iter().find(|field| field.number == 3).map_or(&[][..], |field| field.bytes);
            let stays = fields.iter().any(|field| field.number == 4 && field.value != 0);
            connect(running, params, Connecting { number, id: text(2), given, stays })
        }
        7 => {
            params.remove(&number);
            running.on_lane(move |running| running.run_leave(number));
        }
        8 => {
            let asked = fields.iter().find(|field| field.number == 3).map_or(0, |field| field.value);
            let given = params.get(&number).map_or(&[][..], Vec::as_slice);
            subscribe(running, given, &text(2), asked);
        }
        _ => {}
    }
    Some(())
}

struct Connecting<'a> {
    number: u64,
    id: String,
    given: &'a [u8],
    stays: bool,
}

fn connect(running: &Arc<Running>, params: &mut Params, Connecting { number, id, given, stays }: Connecting) {
    let accept = &running.actor().connections.accept;
    let accepted = accept.as_ref().map_or(Ok(Vec::new()), |accept| guarded(|| accept(given)));
    let connected = Writer::default().number(1, number);
    let voice = &running.shared.voice;
    match accepted {
        Ok(state) => {
            params.insert(number, given.to_vec());
            voice.say(running.instance, say::CONNECTED, connected.number(3, stays.into()));
            let changed = or_null(&state) != NOTHING;
            let one = Connection { number, id, params: given.to_vec(), state, stays, changed };
            running.on_lane(move |running| running.run_enter(one));
        }
        Err(error) => {
            voice.say(running.instance, say::CONNECTED, connected.message(2, error.write()));
        }
    }
}

/// One that isn't asked about is in force already.
fn subscribe(running: &Running, params: &[u8], event: &str, number: u64) {
    if number == 0 {
        return;
    }
    let asked = running.actor().connections.can_subscribe.as_ref();
    let answer = Writer::default().number(1, number);
    let answer = match asked.map_or(Ok(()), |asked| guarded(|| asked(params, event))) {
        Ok(()) => answer,
        Err(error) => answer.message(2, error.write()),
    };
    running.shared.voice.say(running.instance, say::SUBSCRIBED, answer);
}

/// A client that an earlier activation has left with the host: it enters without its functions. `None`: it can't be read.
pub(crate) fn stayed(running: &Running, params: &mut Params, sleeper: Reader) -> Option<()> {
    let mut one = Connection {
        number: 0,
        id: String::new(),
        params: Vec::new(),
        state: Vec::new(),
        stays: true,
        changed: false,
    };
    for field in sleeper.clone().fields()? {
        match field.number {
            1 => one.number = field.value,
            3 => one.id = field.text(),
            4 => one.params = field.bytes.to_vec(),
            5 => one.state = field.bytes.to_vec(),
            _ => {}
        }
    }
    if one.number == 0 {
        running.keep_socket(Socket::stayed(sleeper)?);
    } else {
        params.insert(one.number, one.params.clone());
        running.keep(one);
    }
    Some(())
}

impl Running {
    /// Work that answers no call.
    fn on_lane(self: &Arc<Self>, work: impl FnOnce(&Self) + Send + 'static) {
        if self.actor().quick {
            return work(self);
        }
        let this = Arc::clone(self);
        // Without a thread nothing of the plugin runs any more.
        let _ = self.shared.lanes.must_add(&self.lane, Box::new(move || work(&this)));
    }

    fn run_enter(&self, one: Connection) {
        let number = one.number;
        let hook = &self.actor().connections.connected;
        let ran = self.run_hook(|c| {
            c.open.insert(number, one.clone());
            hook.as_ref().map_or(Ok(()), |hook| hook(c, &one))
        });
        if let (Some(_), Err(error)) = (hook, ran) {
            let reason = format!("{}.{}", error.group(), error.code());
            self.shared.voice.say(
                self.instance,
                say::KICK,
                Writer::default().number(1, number).text(2, &reason),
            );
        }
    }

    fn run_leave(&self, number: u64) {
        let actor = self.actor();
        // Nobody is left to be told what went wrong.
        let _ = self.run_hook(|c| leave(c, actor, number));
    }
}

/// It is gone from the context, and its function hears of it.
pub(crate) fn leave(c: &mut Context, actor: &Actor, number: u64) -> Result<(), Error> {
    let Some(one) = c.open.remove(&number) else {
        return Ok(());
    };
    actor.connections.disconnected.as_ref().map_or(Ok(()), |hook| hook(c, &one))
}

/// The actor has stopped: those that don't stay end with it.
pub(crate) fn leave_all(c: &mut Context, actor: &Actor, sleeps: bool) {
    let ends: Vec<u64> = c.open.values().filter(|one| !(sleeps && one.stays)).map(|one| one.number).collect();
    for number in ends {
        let _ = guarded(|| leave(c, actor, number));
    }
}
