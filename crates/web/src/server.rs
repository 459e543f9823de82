//! What starting, running and ending a server means, for both.

use std::{
    fmt::Display,
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use actix_web::{dev::Server, rt};
use clap::Parser;
use shared::{
    clock::{Clock, SystemClock},
    flow::{NoRecording, Sink},
    random::{Random, SystemRandom},
};
use thiserror::Error;

use crate::pages::PagesError;

/// How long requests under way may take to finish when the server is told to stop, in seconds. Whether they have is
/// looked at once a second, and within ten it is over: that is how long containers are given.
pub const DRAIN_SECONDS: u64 = 9;
/// How long a request may take to arrive, head and body each.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection is kept that nobody uses. Clients are to end it, who keep it for less (Node.js 5 s, .NET 60 s, Go
/// 90 s): what is sent over a connection that is being closed is lost, and a code cannot be sent twice.
pub const KEEP_ALIVE: Duration = Duration::from_secs(100);
/// How often stores forget what has ended.
const SWEEP: Duration = Duration::from_secs(30);

/// What a server takes from the world around it.
#[derive(Clone)]
pub struct Surroundings {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Who watches its checks.
    pub sink: Arc<dyn Sink>,
}

impl Default for Surroundings {
    /// The computer's clock and randomness; nobody watches.
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), sink: Arc::new(NoRecording) }
    }
}

/// Why a server does not start. Each is one sentence for whoever started it.
#[derive(Debug, Error)]
pub enum StartError {
    /// The port is taken, or may not be used.
    #[error(
        "cannot listen on {address}: {error}. Is another copy running? {setting} chooses another address"
    )]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// The setting that says so.
        setting: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// Templates or texts.
    #[error(transparent)]
    Pages(#[from] PagesError),
    /// Something that only this server needs.
    #[error("{0}")]
    Own(String),
    /// The framework.
    #[error("the server does not start: {0}")]
    Server(#[from] io::Error),
}

impl StartError {
    /// Something that only this server needs is missing or wrong.
    pub fn own(error: impl Display) -> Self {
        Self::Own(error.to_string())
    }
}

/// Opens the socket that `setting` names.
pub fn listen(address: SocketAddr, setting: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|error| StartError::Listen { address, setting, error })
}

/// Serves until the process is told to stop and requests under way have finished; sweeps now and then. `closing` ends
/// what would go on for ever otherwise. The server must leave signals to us.
pub async fn serve<Swept: Future>(
    server: Server,
    sweep: impl Fn() -> Swept + 'static,
    closing: impl FnOnce() + 'static,
) -> io::Result<()> {
    let handle = server.handle();
    let listening = rt::spawn(async move {
        let graceful = told_to_stop().await;
        closing();
        handle.stop(graceful).await;
    });
    let sweeping = rt::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP).await;
            sweep().await;
        }
    });
    let ended = server.await;
    listening.abort();
    sweeping.abort();
    ended
}

/// Waits until the process is told to stop: whether requests under way are to finish. Ctrl-C ends it at once.
#[cfg(unix)]
async fn told_to_stop() -> bool {
    use rt::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt), Ok(mut quit)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::quit()))
    else {
        // Nobody can tell us then; the system ends the process.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => true,
        _ = interrupt.recv() => false,
        _ = quit.recv() => false,
    }
}

/// Waits until the process is told to stop.
#[cfg(not(unix))]
async fn told_to_stop() -> bool {
    match rt::signal::ctrl_c().await {
        Ok(()) => false,
        Err(_) => std::future::pending().await,
    }
}

/// The flags and environment variables of a program; `--help` and `--version` end it here. A mistake is one sentence,
/// as it is for those that are found later.
pub fn arguments<A: Parser>() -> Result<A, Failure> {
    A::try_parse().map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        let said = error.to_string();
        // Behind the first empty line it speaks of how the program is used.
        let words = said.lines().map(str::trim).take_while(|line| !line.is_empty());
        let sentence = words.collect::<Vec<_>>().join(" ");
        Failure::Mistake(sentence.trim_start_matches("error: ").to_owned())
    })
}

/// Why a program does not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Whoever started it made a mistake: exit code 2, as for unknown flags.
    Mistake(String),
    /// Something else is wrong: exit code 1.
    Trouble(String),
}

impl Failure {
    /// Something that whoever started it cannot see in the settings.
    pub fn trouble(error: impl Display) -> Self {
        Self::Trouble(error.to_string())
    }
}

/// Ends a program: a failure is one sentence on standard error; several mistakes are a line each.
pub fn exit(program: &str, outcome: Result<(), Failure>) -> ExitCode {
    let (said, code) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Mistake(said)) => (said, 2),
        Err(Failure::Trouble(said)) => (said, 1),
    };
    for sentence in said.lines() {
        eprintln!("{program}: {sentence}");
    }
    ExitCode::from(code)
}
