//! Whether a server answers: for containers, which have no shell, and for scripts.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use crate::origin::Origin;

/// Asks `GET {origin}/health` of the server that is bound to `bind`; an error says in one sentence what is wrong.
pub fn probe(bind: SocketAddr, origin: &Origin) -> Result<(), String> {
    let ip = if bind.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { bind.ip() };
    let address = SocketAddr::new(ip, bind.port());
    let answer = ask(address, origin).map_err(|error| format!("{address} does not answer: {error}"))?;
    let status = answer.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") {
        Ok(())
    } else {
        Err(format!("{address} answers {status:?}"))
    }
}

fn ask(address: SocketAddr, origin: &Origin) -> std::io::Result<String> {
    let timeout = Duration::from_secs(3);
    let mut stream = TcpStream::connect_timeout(&address, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    let (path, host) = (origin.path(), origin.authority());
    write!(stream, "GET {path}/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
