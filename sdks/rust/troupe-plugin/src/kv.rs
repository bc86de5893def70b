use crate::context::Context;
use crate::error::Error;
use crate::question::{Asks, Put, Question};
use crate::turn::Turn;
use crate::waits::Heard;
use crate::wire::{Field, Reader, Writer};

/// Fields of Ask.
const KV_GET: u32 = 3;
const KV_LIST: u32 = 4;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Keys and values of an actor, both bytes. Read on demand, stored with what its function writes.
pub struct Kv<A> {
    asks: A,
}

/// Which keys, in byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    start: Vec<u8>,
    end: Vec<u8>,
    limit: u32,
    reverse: bool,
}

impl KeyRange {
    /// All there are, at most so many.
    pub fn all(limit: u32) -> Self {
        Self { limit, ..Self::default() }
    }

    /// From this one on, with it.
    pub fn from(mut self, start: impl AsRef<[u8]>) -> Self {
        self.start = start.as_ref().to_vec();
        self
    }

    /// Up to this one, without it.
    pub fn to(mut self, end: impl AsRef<[u8]>) -> Self {
        self.end = end.as_ref().to_vec();
        self
    }

    /// The last one first.
    pub fn reverse(mut self) -> Self {
        self.reverse = true;
        self
    }
}

impl<A: Asks> Kv<A> {
    pub(crate) fn new(asks: A) -> Self {
        Self { asks }
    }

    /// The value of a key.
    pub fn get(self, key: impl AsRef<[u8]>) -> A::Answer<Option<Vec<u8>>> {
        let put = |c: &mut Context| match c.keys.get(key.as_ref()) {
            Some(written) => Ok(Put::Known(written.clone())),
            None => Ok(Put::Ask(Writer::default().bytes(1, key.as_ref()))),
        };
        self.asks.ask(Question::new(KV_GET, put, |heard| {
            Ok(rows(heard)?.into_iter().next().map(|(_, value)| value))
        }))
    }

    /// Keys and their values, in order.
    pub fn list(self, range: &KeyRange) -> A::Answer<Vec<Entry>> {
        let put = |c: &mut Context| {
            // The host looks at what it was told.
            c.flush()?;
            let asked = Writer::default().bytes(1, &range.start).bytes(2, &range.end);
            Ok(Put::Ask(asked.number(3, range.limit.into()).number(4, range.reverse.into())))
        };
        self.asks.ask(Question::new(KV_LIST, put, rows))
    }

    /// Sets the value of a key.
    pub fn put(mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (key, value) = (key.as_ref().to_vec(), value.as_ref().to_vec());
        self.asks.with(|c| c.keys.insert(key, Some(value)));
    }

    /// Takes a key away.
    pub fn delete(mut self, key: impl AsRef<[u8]>) {
        let key = key.as_ref().to_vec();
        self.asks.with(|c| c.keys.insert(key, None));
    }
}

impl Kv<&mut Context> {
    /// Takes all keys of a range away that are stored, up to its limit.
    pub fn delete_range(self, range: &KeyRange) -> Result<(), Error> {
        let Self { asks: context } = self;
        for (key, _) in context.kv().list(range)? {
            context.kv().delete(key);
        }
        Ok(())
    }
}

impl Kv<&Turn> {
    /// Takes all keys of a range away that are stored, up to its limit.
    pub async fn delete_range(self, range: &KeyRange) -> Result<(), Error> {
        let Self { asks: turn } = self;
        for (key, _) in turn.kv().list(range).await? {
            turn.kv().delete(key);
        }
        Ok(())
    }
}

fn rows(heard: &Heard) -> Result<Vec<Entry>, Error> {
    let mut rows = Vec::new();
    for field in Reader::new(&heard.body).fields().ok_or_else(Error::malformed)? {
        match field.number {
            2 => return Err(Error::read(field.message())),
            3 => rows.extend(row(&field)?),
            _ => {}
        }
    }
    Ok(rows)
}

/// `None`: there is nothing under that key.
fn row(field: &Field) -> Result<Option<Entry>, Error> {
    let (mut key, mut value, mut deleted) = (Vec::new(), Vec::new(), false);
    for part in field.message().fields().ok_or_else(Error::malformed)? {
        match part.number {
            3 => key = part.bytes.to_vec(),
            4 => value = part.bytes.to_vec(),
            5 => deleted = part.value != 0,
            _ => {}
        }
    }
    Ok((!deleted).then_some((key, value)))
}
