//! One stream of gRPC to the host, over HTTP/2 on a Unix socket: as much of both as a worker needs.
//!
//! One thread reads and never waits for anybody: it answers what the connection itself wants, and gives credit. Whoever
//! writes a message waits for the host's credit. `tonic` would bring a runtime and forty crates for one stream that lives as long
//! as its connection; headers are written as they are, and those of the host say nothing that is needed.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::lanes::lock;

/// Types of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;

/// Flags.
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// Settings.
const INITIAL_WINDOW: u16 = 4;
const MAX_FRAME: u16 = 5;

const STREAM: u32 = 1;
/// What either side may send before it was told anything.
const FIRST_WINDOW: i64 = 65_535;
const FRAME: usize = 16_384;
/// The host's credit on the stream and on the connection, and when it is given anew.
const WINDOW: u32 = 1 << 30;
const GIVE_AT: u32 = 1 << 29;

/// What is said to the host, by any thread.
pub struct Outgoing {
    state: Mutex<State>,
    room: Condvar,
}

struct State {
    socket: UnixStream,
    /// Of the connection, and of the stream.
    windows: [i64; 2],
    first_window: i64,
    max_frame: usize,
    gone: bool,
}

/// What the host says, message by message.
pub struct Incoming {
    socket: UnixStream,
    outgoing: Arc<Outgoing>,
    longest: usize,
    /// Bytes of messages that aren't whole yet.
    heard: Vec<u8>,
    taken: u32,
    began: bool,
    ended: bool,
}

/// Opens the stream: calls `path` with these headers of its own. No message may be longer than `longest`.
pub fn open(
    socket: UnixStream,
    path: &str,
    headers: &[(&str, &str)],
    longest: usize,
) -> io::Result<(Arc<Outgoing>, Incoming)> {
    let mut first = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    put(&mut first, SETTINGS, 0, 0, &[&INITIAL_WINDOW.to_be_bytes()[..], &WINDOW.to_be_bytes()].concat());
    put(&mut first, WINDOW_UPDATE, 0, 0, &(WINDOW - FIRST_WINDOW as u32).to_be_bytes());
    put(&mut first, HEADERS, END_HEADERS, STREAM, &block(path, headers));
    let reading = socket.try_clone()?;
    let windows = [FIRST_WINDOW; 2];
    let mut state = State { socket, windows, first_window: FIRST_WINDOW, max_frame: FRAME, gone: false };
    state.socket.write_all(&first)?;
    let outgoing = Arc::new(Outgoing { state: Mutex::new(state), room: Condvar::new() });
    let incoming = Incoming {
        socket: reading,
        outgoing: Arc::clone(&outgoing),
        longest,
        heard: Vec::new(),
        taken: 0,
        began: false,
        ended: false,
    };
    Ok((outgoing, incoming))
}

impl Outgoing {
    /// Sends a message, as fast as the host takes it.
    pub fn send(&self, message: &[u8]) -> io::Result<()> {
        let length = u32::try_from(message.len()).map_err(io::Error::other)?;
        self.send_bytes(&[&[0][..], &length.to_be_bytes(), message].concat())
    }

    fn send_bytes(&self, mut bytes: &[u8]) -> io::Result<()> {
        let mut state = lock(&self.state);
        while !bytes.is_empty() {
            while !state.gone && state.windows.iter().any(|window| *window <= 0) {
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.gone {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let credit = state.windows.iter().copied().min().unwrap_or(0);
            let size = bytes.len().min(state.max_frame).min(credit as usize);
            let (part, rest) = bytes.split_at(size);
            let mut frame = Vec::with_capacity(9 + size);
            put(&mut frame, DATA, 0, STREAM, part);
            state.socket.write_all(&frame)?;
            state.windows.iter_mut().for_each(|window| *window -= size as i64);
            bytes = rest;
        }
        Ok(())
    }

    fn control(&self, kind: u8, flags: u8, stream: u32, body: &[u8]) -> io::Result<()> {
        let mut frame = Vec::new();
        put(&mut frame, kind, flags, stream, body);
        lock(&self.state).socket.write_all(&frame)
    }

    fn widen(&self, stream: u32, by: u32) {
        lock(&self.state).windows[usize::from(stream != 0)] += i64::from(by);
        self.room.notify_all();
    }

    fn settings(&self, body: &[u8]) -> io::Result<()> {
        let mut state = lock(&self.state);
        for setting in body.chunks_exact(6) {
            let value = number(&setting[2..]);
            match u16::from_be_bytes([setting[0], setting[1]]) {
                INITIAL_WINDOW => {
                    let first = i64::from(value);
                    state.windows[1] += first - state.first_window;
                    state.first_window = first;
                }
                MAX_FRAME => state.max_frame = value as usize,
                _ => {}
            }
        }
        drop(state);
        self.room.notify_all();
        self.control(SETTINGS, ACK, 0, &[])
    }

    fn end(&self) {
        lock(&self.state).gone = true;
        self.room.notify_all();
    }
}

impl Incoming {
    /// The next message; `None`: the host has ended the stream.
    pub fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let next = self.try_next();
        if !matches!(next, Ok(Some(_))) {
            self.outgoing.end();
        }
        next
    }

    fn try_next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(message) = self.whole()? {
                return Ok(Some(message));
            }
            if self.ended {
                return Ok(None);
            }
            self.read_frame()?;
        }
    }

    fn whole(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some((head, rest)) = self.heard.split_first_chunk::<5>() else {
            return Ok(None);
        };
        let size = number(&head[1..]) as usize;
        if head[0] != 0 || size > self.longest {
            return Err(io::Error::other(format!("a message of {size} bytes, flags {}", head[0])));
        }
        if rest.len() < size {
            return Ok(None);
        }
        let message = rest[..size].to_vec();
        self.heard.drain(..5 + size);
        Ok(Some(message))
    }

    fn read_frame(&mut self) -> io::Result<()> {
        let mut head = [0; 9];
        self.socket.read_exact(&mut head)?;
        let size = number(&[0, head[0], head[1], head[2]]) as usize;
        if size > FRAME {
            return Err(io::Error::other(format!("a frame of {size} bytes")));
        }
        let mut body = vec![0; size];
        self.socket.read_exact(&mut body)?;
        let (kind, flags) = (head[3], head[4]);
        let stream = number(&head[5..]) & 0x7fff_ffff;
        match kind {
            DATA => self.data(flags, &body)?,
            HEADERS if flags & END_STREAM != 0 && !self.began => {
                return Err(io::Error::other("the host has refused this worker"));
            }
            HEADERS => self.began = true,
            RST_STREAM => return Err(io::Error::other("the host has reset the stream")),
            SETTINGS if flags & ACK == 0 => self.outgoing.settings(&body)?,
            PING if flags & ACK == 0 => self.outgoing.control(PING, ACK, 0, &body)?,
            WINDOW_UPDATE if size == 4 => self.outgoing.widen(stream, number(&body) & 0x7fff_ffff),
            _ => {}
        }
        self.ended |= matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
        Ok(())
    }

    fn data(&mut self, flags: u8, body: &[u8]) -> io::Result<()> {
        let padding = if flags & PADDED == 0 { None } else { body.first() };
        let end = body.len().saturating_sub(padding.map_or(0, |size| usize::from(*size)));
        let begin = usize::from(padding.is_some());
        self.heard.extend_from_slice(body.get(begin..end).unwrap_or_default());
        self.taken += body.len() as u32;
        if self.taken < GIVE_AT {
            return Ok(());
        }
        let credit = std::mem::take(&mut self.taken).to_be_bytes();
        self.outgoing.control(WINDOW_UPDATE, 0, 0, &credit)?;
        self.outgoing.control(WINDOW_UPDATE, 0, STREAM, &credit)
    }
}

fn put(into: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, body: &[u8]) {
    into.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
    into.extend_from_slice(&[kind, flags]);
    into.extend_from_slice(&stream.to_be_bytes());
    into.extend_from_slice(body);
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |value, byte| value << 8 | u32::from(*byte))
}

/// A request's headers as HPACK has them, none of them compressed or remembered.
fn block(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    // POST and http, by the static table; then names of it: path, authority, content-type.
    let mut block = vec![0x83, 0x86, 0x04];
    put_text(&mut block, path);
    block.push(0x01);
    put_text(&mut block, "localhost");
    block.extend_from_slice(&[0x0f, 0x10]);
    put_text(&mut block, "application/grpc");
    for (name, value) in [("te", "trailers")].iter().chain(headers) {
        // 0x10: never to be remembered by anybody on the way.
        block.push(0x10);
        put_text(&mut block, name);
        put_text(&mut block, value);
    }
    block
}

/// With a length in a prefix of seven bits.
fn put_text(block: &mut Vec<u8>, text: &str) {
    let mut rest = text.len();
    if rest < 127 {
        block.push(rest as u8);
    } else {
        block.push(127);
        rest -= 127;
        while rest > 127 {
            block.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        block.push(rest as u8);
    }
    block.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn opened() -> (UnixStream, Arc<Outgoing>, Incoming) {
        let (ours, host) = UnixStream::pair().unwrap();
        let (outgoing, incoming) = open(ours, "/a/B", &[("token", &"t".repeat(300))], 1_000).unwrap();
        (host, outgoing, incoming)
    }

    fn say(host: &mut UnixStream, kind: u8, flags: u8, stream: u32, body: &[u8]) {
        let mut frame = Vec::new();
        put(&mut frame, kind, flags, stream, body);
        host.write_all(&frame).unwrap();
    }

    fn frame(host: &mut UnixStream) -> (u8, Vec<u8>) {
        let mut head = [0; 9];
        host.read_exact(&mut head).unwrap();
        let mut body = vec![0; number(&[0, head[0], head[1], head[2]]) as usize];
        host.read_exact(&mut body).unwrap();
        (head[3], body)
    }

    #[test]
    fn messages_are_whole_however_they_are_cut_and_padded() {
        let (mut host, _outgoing, mut incoming) = opened();
        say(&mut host, HEADERS, END_HEADERS, STREAM, &[]);
        say(&mut host, DATA, PADDED, STREAM, &[2, 0, 0, 0, 0, 9, 9]);
        say(&mut host, DATA, 0, STREAM, &[3, b'o', b'n']);
        say(&mut host, DATA, END_STREAM, STREAM, &[b'e', 0, 0, 0, 0, 0]);
        assert_eq!(incoming.next().unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(incoming.next().unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(incoming.next().unwrap(), None);
    }

    #[test]
    fn what_is_sent_waits_for_credit() {
        let (mut host, outgoing, mut incoming) = opened();
        let size = 100_000;
        let sender = Arc::clone(&outgoing);
        let sending = thread::spawn(move || sender.send(&vec![7; size]));
        let hearing = thread::spawn(move || incoming.next().is_err());
        host.read_exact(&mut [0; 24]).unwrap();
        let mut got = 0;
        while got < FIRST_WINDOW as usize {
            let (kind, body) = frame(&mut host);
            got += if kind == DATA { body.len() } else { 0 };
        }
        assert_eq!((got, sending.is_finished()), (FIRST_WINDOW as usize, false));
        let wide = [&[0, 4][..], &1_000_000u32.to_be_bytes()].concat();
        say(&mut host, SETTINGS, 0, 0, &wide);
        say(&mut host, WINDOW_UPDATE, 0, 0, &1_000_000u32.to_be_bytes());
        while got < size + 5 {
            let (kind, body) = frame(&mut host);
            got += if kind == DATA { body.len() } else { 0 };
        }
        assert!(sending.join().unwrap().is_ok());
        drop(host);
        assert!(hearing.join().unwrap());
        assert!(outgoing.send(&[0; 2_000_000]).is_err(), "nobody gives credit any more");
    }

    #[test]
    fn a_refusal_a_reset_and_what_is_too_long_are_errors() {
        for (kind, flags, body) in [
            (HEADERS, END_STREAM | END_HEADERS, &[][..]),
            (RST_STREAM, 0, &[0, 0, 0, 8]),
            (DATA, 0, &[0, 0, 1, 0, 0]),
            (DATA, 0, &[1, 0, 0, 0, 0]),
        ] {
            let (mut host, _outgoing, mut incoming) = opened();
            say(&mut host, kind, flags, STREAM, body);
            assert!(incoming.next().is_err(), "{kind} {flags} {body:?}");
        }
        let (mut host, _outgoing, mut incoming) = opened();
        host.write_all(&[0xff; 9]).unwrap();
        assert!(incoming.next().is_err());
    }
}
