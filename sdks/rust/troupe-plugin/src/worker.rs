//! A plugin as a program of its own, which a host starts: `runtime = "rust"`. The session is the one of a library; frames come and go
//! in a stream of gRPC.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::process::exit;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use crate::frames::split_frame;
use crate::handover;
use crate::http2::{self, Incoming, Outgoing};
use crate::limits::{PLUGIN_FRAME_BYTES, PLUGIN_QUEUED_FRAMES, WORKER_MESSAGE_BYTES};
use crate::plugin::Plugin;
use crate::session::{Session, Table};
use crate::voice::Voice;
use crate::wire::{Reader, Writer};

const METHOD: &str = "/troupe.plugin.v1.WorkerHost/Attach";
/// So many bytes of frames leave in one message, unless one frame is longer.
const BATCH: usize = 256 << 10;

/// Serves a plugin to the host that started this program. It doesn't return: the program ends with the host, and when the host
/// closes the plugin.
///
/// ```no_run
/// use troupe_plugin::{Actor, Plugin, serve};
///
/// fn main() {
///     serve(Plugin::new("clock", "1.0.0").actor(Actor::new("clock")));
/// }
/// ```
pub fn serve(plugin: Plugin) -> ! {
    let name = plugin.name.clone();
    match run(plugin) {
        Ok(()) => exit(0),
        Err(error) => {
            eprintln!("{name}: {error}");
            exit(1);
        }
    }
}

fn run(plugin: Plugin) -> io::Result<()> {
    let Some(handover) = handover::take()? else {
        let no_host = "this program is a plugin: a host starts it by its manifest, and says where it listens";
        return Err(io::Error::other(no_host));
    };
    let mut lifeline = handover.lifeline;
    thread::spawn(move || {
        while matches!(lifeline.read(&mut [0; 64]), Ok(1..)) {}
        exit(0);
    });
    let socket = UnixStream::connect(&handover.socket)?;
    let token = [("troupe-token", handover.token.as_str())];
    let (outgoing, incoming) = http2::open(socket, METHOD, &token, WORKER_MESSAGE_BYTES)?;
    let (signal, signals) = sync_channel(1);
    // One signal that waits is enough.
    let woken = signal.clone();
    let wake = Box::new(move || {
        let _ = woken.try_send(());
    });
    let table = Table { max_frame: PLUGIN_FRAME_BYTES, max_queued: PLUGIN_QUEUED_FRAMES, wake };
    let session = Session::new(plugin, table);
    let voice = session.voice();
    thread::spawn(move || {
        // The one who reads hears that the host is gone.
        while signals.recv().is_ok() && send_all(&voice, &outgoing).is_ok() {}
    });
    hear_all(session, incoming, || {
        let _ = signal.try_send(());
    })
}

/// Hears the host until it ends the stream.
fn hear_all(mut session: Session, mut incoming: Incoming, heard_some: impl Fn()) -> io::Result<()> {
    let malformed = || io::Error::other("the host said what can't be");
    while let Some(batch) = incoming.next()? {
        let mut frames = Vec::with_capacity(batch.len());
        for frame in Reader::new(&batch).fields().ok_or_else(malformed)? {
            frames.extend_from_slice(&(frame.bytes.len() as u32).to_le_bytes());
            frames.extend_from_slice(frame.bytes);
        }
        session.heard(&frames).ok_or_else(malformed)?;
        heard_some();
    }
    Ok(())
}

/// Sends whatever waits, in as few messages as may be.
fn send_all(voice: &Arc<Voice>, outgoing: &Outgoing) -> io::Result<()> {
    let mut room = vec![0; BATCH];
    loop {
        match voice.frames.pull(&mut room) {
            0 => return Ok(()),
            taken @ 1.. => {
                let mut batch = Writer::default();
                let mut rest = &room[..taken as usize];
                while let Some((frame, behind)) = split_frame(rest) {
                    batch = batch.part(1, frame);
                    rest = behind;
                }
                outgoing.send(&batch.bytes)?;
            }
            needed => room.resize(needed.unsigned_abs() as usize, 0),
        }
    }
}
