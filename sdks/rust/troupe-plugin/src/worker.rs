//! A plugin as a program of its own, which a host starts: `runtime = "rust"`. The session is the one of a library; frames come and go
//! in a stream of gRPC.

use std::io::{self, Read};
use std::process::exit;
use std::sync::Arc;
use std::thread;

use tokio::net::UnixStream;
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use crate::frames::split_frame;
use crate::grpc::{self, Incoming, Outgoing};
use crate::handover;
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
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let token = ("troupe-token", handover.token.as_str());
    let stream = runtime.block_on(async {
        leave_signals_to_host()?;
        let socket = UnixStream::connect(&handover.socket).await?;
        grpc::open(socket, METHOD, token, WORKER_MESSAGE_BYTES).await
    })?;
    let spoken = Arc::new(Notify::new());
    let waker = Arc::clone(&spoken);
    let wake = Box::new(move || waker.notify_one());
    let table = Table { max_frame: PLUGIN_FRAME_BYTES, max_queued: PLUGIN_QUEUED_FRAMES, wake };
    let session = Session::new(plugin, table);
    let (voice, speaker, mut outgoing) = (session.voice(), Arc::clone(&spoken), stream.outgoing);
    let handle = runtime.handle().clone();
    // A thread of its own: what is heard may run in place, and what it says leaves meanwhile.
    thread::spawn(move || {
        runtime.spawn(async move {
            // The one who reads hears that the host is gone.
            while send_all(&voice, &mut outgoing).await.is_ok() {
                speaker.notified().await;
            }
        });
        runtime.block_on(stream.connection)
    });
    hear_all(session, stream.incoming, &handle, || spoken.notify_one())
}

/// Ctrl-C is for all processes of a terminal, and a service's SIGTERM for all of its own: the host hears it too, and lets end what
/// runs. A signal that was listened to once does nothing by itself any more.
fn leave_signals_to_host() -> io::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let _ = signal(kind)?;
    }
    Ok(())
}

/// Hears the host until it ends the stream.
fn hear_all(
    mut session: Session,
    mut incoming: Incoming,
    handle: &Handle,
    heard_some: impl Fn(),
) -> io::Result<()> {
    let malformed = || io::Error::other("the host said what can't be");
    while let Some(batch) = handle.block_on(incoming.next())? {
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
async fn send_all(voice: &Arc<Voice>, outgoing: &mut Outgoing) -> io::Result<()> {
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
                outgoing.send(&batch.bytes).await?;
            }
            needed => room.resize(needed.unsigned_abs() as usize, 0),
        }
    }
}
