//! Somebody on the wire.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use actix_web::rt;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

/// Stands where a server seems to be, hands every byte on, and writes it down.
pub struct Eavesdropper {
    address: SocketAddr,
    notes: Arc<Mutex<Vec<Connection>>>,
    listening: JoinHandle<()>,
}

/// All bytes of a connection so far.
#[derive(Default)]
struct Connection {
    asked: Vec<u8>,
    answered: Vec<u8>,
    is_closed: bool,
}

/// A message as it went over the wire.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Its first line.
    pub line: String,
    /// Its headers, in their order.
    pub headers: Vec<(String, String)>,
    /// Its body, without the marks of the chunks that it came in.
    pub body: String,
    /// Whether the end of it has come.
    pub is_complete: bool,
}

impl Heard {
    /// The first header called so.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// What is asked for, if it is a request.
    pub fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

impl Eavesdropper {
    /// Before the server at this port.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let notes = Arc::<Mutex<Vec<Connection>>>::default();
        let book = Arc::clone(&notes);
        let listening = rt::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                rt::spawn(overhear(client, port, Arc::clone(&book)));
            }
        });
        Self { address, notes, listening }
    }

    /// Where everybody believes the server to be.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far with its answer, as far as it has come.
    pub fn heard(&self) -> Vec<(Heard, Option<Heard>)> {
        let notes = self.notes.lock().unwrap();
        notes.iter().flat_map(exchanges).collect()
    }

    /// How many connections are held open by an answer that goes on, to a request whose path ends so.
    pub fn held_open(&self, path: &str) -> usize {
        let notes = self.notes.lock().unwrap();
        let held = notes.iter().filter(|connection| !connection.is_closed).filter_map(|open| {
            let (request, answer) = exchanges(open).pop()?;
            let goes_on = answer.is_none_or(|answer| !answer.is_complete);
            (goes_on && request.target().ends_with(path)).then_some(())
        });
        held.count()
    }
}

impl Drop for Eavesdropper {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn overhear(client: TcpStream, port: u16, notes: Arc<Mutex<Vec<Connection>>>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let number = {
        let mut notes = notes.lock().unwrap();
        notes.push(Connection::default());
        notes.len() - 1
    };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    // When one of them is gone there is nobody left to talk to.
    tokio::select! {
        () = hand_on(from_client, to_server, |bytes| notes.lock().unwrap()[number].asked.extend(bytes)) => {}
        () = hand_on(from_server, to_client, |bytes| notes.lock().unwrap()[number].answered.extend(bytes)) => {}
    }
    notes.lock().unwrap()[number].is_closed = true;
}

async fn hand_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, note: impl Fn(&[u8])) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        note(&bytes[..read]);
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

fn exchanges(connection: &Connection) -> Vec<(Heard, Option<Heard>)> {
    let mut answers = messages(&connection.answered).into_iter();
    messages(&connection.asked).into_iter().map(|request| (request, answers.next())).collect()
}

/// The messages of one direction (RFC 9112 §2.1).
fn messages(mut bytes: &[u8]) -> Vec<Heard> {
    let mut messages = Vec::new();
    while let Some(end) = find(bytes, b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        bytes = &bytes[end + 4..];
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.trim().to_owned())
        });
        let mut heard = Heard { line, headers: headers.collect(), body: String::new(), is_complete: true };
        let body;
        (body, bytes, heard.is_complete) = if heard.header("transfer-encoding").is_some() {
            chunks(bytes)
        } else {
            let length: usize = heard.header("content-length").map_or(0, |length| length.parse().unwrap());
            let here = length.min(bytes.len());
            (bytes[..here].to_vec(), &bytes[here..], here == length)
        };
        heard.body = String::from_utf8_lossy(&body).into_owned();
        messages.push(heard);
    }
    messages
}

/// A body in chunks (RFC 9112 §7.1), what comes after it, and whether it has ended.
fn chunks(mut bytes: &[u8]) -> (Vec<u8>, &[u8], bool) {
    let mut body = Vec::new();
    while let Some(end) = find(bytes, b"\r\n") {
        let length = usize::from_str_radix(&String::from_utf8_lossy(&bytes[..end]), 16).unwrap();
        let Some(chunk) = bytes.get(end + 2..end + 2 + length) else { break };
        body.extend(chunk);
        bytes = bytes.get(end + 4 + length..).unwrap_or_default();
        if length == 0 {
            return (body, bytes, true);
        }
    }
    (body, &[], false)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
