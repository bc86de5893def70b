//! What a worker's host has left it: where it listens, and a descriptor with a token, whose end is the host's.

#![allow(unsafe_code)]

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{FromRawFd, RawFd};

/// The names are those of `handover.ts`.
const SOCKET: &str = "TROUPE_WORKER_SOCKET";
const TOKEN_FD: &str = "TROUPE_WORKER_TOKEN_FD";

pub struct Handover {
    pub socket: String,
    pub token: String,
    /// Ends with the host.
    pub lifeline: File,
}

/// Takes it, out of the environment too: what the plugin starts isn't to know it. `None`: no host has started this process.
/// To be called before there is another thread.
pub fn take() -> io::Result<Option<Handover>> {
    let (Ok(socket), Ok(descriptor)) = (env::var(SOCKET), env::var(TOKEN_FD)) else {
        return Ok(None);
    };
    let Ok(descriptor) = descriptor.parse::<RawFd>() else {
        return Ok(None);
    };
    // SAFETY: `main` has just begun, and this is its only thread.
    unsafe {
        env::remove_var(SOCKET);
        env::remove_var(TOKEN_FD);
    }
    // SAFETY: the host has left this descriptor open for us, by this variable, and nobody else knows of it.
    let mut lifeline = unsafe { File::from_raw_fd(descriptor) };
    let mut token = Vec::new();
    let mut byte = [0];
    while lifeline.read(&mut byte)? == 1 && byte[0] != b'\n' {
        token.push(byte[0]);
    }
    let token = String::from_utf8(token).map_err(io::Error::other)?;
    Ok(Some(Handover { socket, token, lifeline }))
}
