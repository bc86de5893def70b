//! One stream of gRPC to the host, over HTTP/2 on a Unix socket. The protocol is `h2`; a message of gRPC is five bytes and itself.

use std::future::poll_fn;
use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::client::{Connection, ResponseFuture};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request};
use tokio::net::UnixStream;

/// A compression flag, which is never set, and a length.
const HEAD: usize = 5;
/// What the host may send before it is heard.
const WINDOW: u32 = 1 << 20;

/// A call of `path`, of many messages each way.
pub struct Stream {
    pub outgoing: Outgoing,
    pub incoming: Incoming,
    /// Runs the connection; to be awaited as long as it is used.
    pub connection: Connection<UnixStream, Bytes>,
}

/// What is said to the host.
pub struct Outgoing(SendStream<Bytes>);

/// What the host says.
pub struct Incoming {
    answer: Answer,
    /// Bytes of messages that aren't whole yet.
    heard: BytesMut,
    longest: usize,
}

enum Answer {
    Awaited(ResponseFuture),
    Begun(RecvStream),
}

/// Calls `path` with a header of its own. No message that is heard may be longer than `longest`.
pub async fn open(
    socket: UnixStream,
    path: &str,
    header: (&str, &str),
    longest: usize,
) -> io::Result<Stream> {
    let mut client = h2::client::Builder::new();
    client.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let (mut requests, connection) = client.handshake(socket).await.map_err(io::Error::other)?;
    let request = Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header(header.0, header.1)
        .body(())
        .map_err(io::Error::other)?;
    let (answer, outgoing) = requests.send_request(request, false).map_err(io::Error::other)?;
    let incoming = Incoming { answer: Answer::Awaited(answer), heard: BytesMut::new(), longest };
    Ok(Stream { outgoing: Outgoing(outgoing), incoming, connection })
}

impl Outgoing {
    /// Sends a message, as fast as the host takes it.
    pub async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let mut bytes = BytesMut::with_capacity(HEAD + message.len());
        bytes.put_u8(0);
        bytes.put_u32(u32::try_from(message.len()).map_err(io::Error::other)?);
        bytes.extend_from_slice(message);
        let mut bytes = bytes.freeze();
        while !bytes.is_empty() {
            self.0.reserve_capacity(bytes.len());
            let room = poll_fn(|context| self.0.poll_capacity(context)).await;
            let room = room.ok_or(io::ErrorKind::BrokenPipe)?.map_err(io::Error::other)?;
            let part = bytes.split_to(room.min(bytes.len()));
            self.0.send_data(part, false).map_err(io::Error::other)?;
        }
        Ok(())
    }
}

impl Incoming {
    /// The next message; `None`: the host has ended the stream.
    pub async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(message) = self.whole()? {
                return Ok(Some(message));
            }
            let body = self.body().await?;
            let Some(data) = body.data().await else {
                return Ok(None);
            };
            let data = data.map_err(io::Error::other)?;
            body.flow_control().release_capacity(data.len()).map_err(io::Error::other)?;
            self.heard.extend_from_slice(&data);
        }
    }

    fn whole(&mut self) -> io::Result<Option<Bytes>> {
        if self.heard.len() < HEAD {
            return Ok(None);
        }
        let mut head = &self.heard[..HEAD];
        let (flags, size) = (head.get_u8(), head.get_u32() as usize);
        if flags != 0 || size > self.longest {
            return Err(io::Error::other(format!("a message of {size} bytes, flags {flags}")));
        }
        if self.heard.len() < HEAD + size {
            return Ok(None);
        }
        self.heard.advance(HEAD);
        Ok(Some(self.heard.split_to(size).freeze()))
    }

    async fn body(&mut self) -> io::Result<&mut RecvStream> {
        if let Answer::Awaited(answer) = &mut self.answer {
            let (head, body) = answer.await.map_err(io::Error::other)?.into_parts();
            // A refusal is an answer without a body, whose headers are trailers.
            if !head.status.is_success() || head.headers.contains_key("grpc-status") {
                return Err(refusal(&head.headers));
            }
            self.answer = Answer::Begun(body);
        }
        match &mut self.answer {
            Answer::Begun(body) => Ok(body),
            Answer::Awaited(_) => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

fn refusal(headers: &HeaderMap) -> io::Error {
    let why =
        headers.get("grpc-message").and_then(|text| text.to_str().ok()).unwrap_or("it says nothing more");
    io::Error::other(format!("the host has refused this worker: {why}"))
}

#[cfg(test)]
mod tests {
    use http::Response;
    use tokio::runtime::Builder;

    use super::*;

    /// Opens a stream to a host that answers so, and hears it to the end.
    fn heard(answer: Response<()>, parts: &'static [&'static [u8]]) -> io::Result<Vec<Bytes>> {
        Builder::new_current_thread().enable_io().build()?.block_on(async {
            let (ours, theirs) = UnixStream::pair()?;
            let host = tokio::spawn(async move {
                let mut connection = h2::server::handshake(theirs).await.unwrap();
                let (request, mut respond) = connection.accept().await.unwrap().unwrap();
                assert_eq!(request.headers()["token"], "t");
                let mut body = respond.send_response(answer, parts.is_empty()).unwrap();
                for (index, part) in parts.iter().enumerate() {
                    body.send_data(Bytes::from_static(part), index + 1 == parts.len()).unwrap();
                }
                while connection.accept().await.is_some() {}
            });
            let Stream { mut incoming, connection, outgoing: _outgoing } =
                open(ours, "/a/B", ("token", "t"), 1_000).await?;
            let driver = tokio::spawn(connection);
            let mut messages = Vec::new();
            while let Some(message) = incoming.next().await? {
                messages.push(message);
            }
            driver.abort();
            host.abort();
            Ok(messages)
        })
    }

    #[test]
    fn messages_are_whole_however_they_are_cut() {
        let parts: &[&[u8]] = &[b"\0\0\0", b"\0\x03on", b"e\0\0\0\0\0\0\0\0\0\x03two"];
        let messages = heard(Response::new(()), parts).unwrap();
        assert_eq!(messages, [&b"one"[..], b"", b"two"]);
    }

    #[test]
    fn a_refusal_what_is_too_long_and_what_is_compressed_are_errors() {
        let refusal = Response::builder()
            .header("grpc-status", "16")
            .header("grpc-message", "no token")
            .body(())
            .unwrap();
        assert!(heard(refusal, &[]).unwrap_err().to_string().contains("refused this worker: no token"));
        let unknown = Response::builder().status(404).body(()).unwrap();
        assert!(heard(unknown, &[]).is_err());
        assert!(heard(Response::new(()), &[b"\0\0\x01\0\0"]).is_err());
        assert!(heard(Response::new(()), &[b"\x01\0\0\0\0"]).is_err());
    }
}
