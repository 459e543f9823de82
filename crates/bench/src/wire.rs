//! The smallest HTTP client that can drive a server hard: one connection, one request at a time, nothing followed and
//! nothing remembered.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a server. It is opened when it is needed, and again when the server has closed it.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    inbox: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Status line and headers as they came.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The values of a header, in their order.
    pub fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let pairs = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        pairs.filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Connection {
    /// A connection to `address`.
    pub const fn to(address: SocketAddr) -> Self {
        Self { address, stream: None, inbox: Vec::new() }
    }

    /// Sends a request, head and body as they are, and reads its answer.
    pub fn send(&mut self, request: &[u8]) -> io::Result<Answer> {
        if self.stream.is_some() {
            match self.exchange(request) {
                // The server closed a connection that was at rest, as it may at any time (RFC 9112 §9.3.1).
                Err(error) if closed(&error) && self.inbox.is_empty() => {}
                answered => return answered,
            }
        }
        self.inbox.clear();
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        self.stream = Some(stream);
        self.exchange(request)
    }

    fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        let answered = self.write_and_read(request);
        let ends = answered.as_ref().map_or(true, |answer| {
            answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
        });
        if ends {
            self.stream = None;
        }
        answered
    }

    fn write_and_read(&mut self, request: &[u8]) -> io::Result<Answer> {
        let Some(stream) = &mut self.stream else { return Err(ErrorKind::NotConnected.into()) };
        stream.write_all(request)?;
        let head_ends = loop {
            if let Some(at) = self.inbox.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            receive(stream, &mut self.inbox)?;
        };
        let head = String::from_utf8_lossy(&self.inbox[..head_ends]).into_owned();
        let malformed = || io::Error::new(ErrorKind::InvalidData, head.clone());
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(malformed)?;
        let mut answer = Answer { status, body: Vec::new(), head: head.clone() };
        // Every answer of our servers says how long it is, but one that has no body (RFC 9110 §15.3.5).
        let length = if status == 204 { Some("0") } else { answer.header("content-length") };
        let length = length.and_then(|length| length.parse::<usize>().ok());
        let ends = head_ends + length.ok_or_else(malformed)?;
        while self.inbox.len() < ends {
            receive(stream, &mut self.inbox)?;
        }
        answer.body = self.inbox[head_ends..ends].to_vec();
        self.inbox.drain(..ends);
        Ok(answer)
    }
}

fn receive(stream: &mut TcpStream, inbox: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 16 * 1024];
    let count = loop {
        match stream.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    if count == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    inbox.extend_from_slice(&chunk[..count]);
    Ok(())
}

fn closed(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}
