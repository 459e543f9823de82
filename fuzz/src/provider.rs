//! A provider that answers every request with what it was told last.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

/// The provider.
pub struct Provider {
    /// Where it is.
    pub issuer: String,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Provider {
    /// Starts it; it ends with the process.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let told = Arc::clone(&told);
                thread::spawn(move || {
                    let mut lines = BufReader::new(stream.unwrap());
                    let mut line = String::new();
                    while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
                        if line == "\r\n" {
                            let body = told.lock().unwrap().clone();
                            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                            lines.get_mut().write_all(&[head.as_bytes(), &body].concat()).unwrap();
                        }
                        line.clear();
                    }
                });
            }
        });
        Self { issuer, answer }
    }

    /// What it answers from now on.
    pub fn answers(&self, body: &[u8]) {
        *self.answer.lock().unwrap() = body.to_vec();
    }
}
