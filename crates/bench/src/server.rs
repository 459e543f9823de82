//! The servers that this program can be, beside the provider itself.

use std::{io, sync::Arc, thread, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, web as actix};
use anyhow::{Result, anyhow};
use clap::Parser as _;
use idp::{
    config::{Arguments, Settings},
    domain::password::PasswordHash,
    startup::Application,
};
use shared::{
    clock::{Clock as _, ManualClock, SystemClock},
    flow::NoRecording,
    random::SystemRandom,
};
use web::{server::Surroundings, telemetry};

/// An empty handler in an application without any middleware: what the framework costs.
pub const EMPTY: &str = "empty-server";
/// The provider, but for two things: a password hash costs next to nothing, so that the rest of a login can be seen and
/// repeated 100,000 times; and time passes when it is told to, by a number of seconds on standard input.
pub const CHEAP_PASSWORDS: &str = "provider-with-cheap-passwords";
/// The same with the demo's own passwords.
pub const REAL_PASSWORDS: &str = "provider-with-real-passwords";
/// The same, but a password hash takes its time, and no memory.
pub const LEAN_PASSWORDS: &str = "provider-with-lean-passwords";
/// The one with cheap passwords, and it records flows.
pub const RECORDING: &str = "provider-that-records";

/// Room for 100,000 logins from one address, which has an eighth of it at most, and a part of that is kept free.
const CAPACITY: &str = "2000000";
/// `DemoTest2024!` with 8 KiB and one pass.
pub const CHEAP_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$LqDqa/JSYrS7Jr/uzfaS8A$es/wqCA7td8apAltKC3gcc6iNDXlnbgBgty4+4ImLlk";
/// The same password with 8 KiB and so many passes that it takes as long as a real one.
const LEAN_HASH: &str =
    "$argon2id$v=19$m=8,t=4000,p=1$THFEcWEvSlNZclM3SnIrdQ$CsA+OrIP/CQ1dbbpYMjRsG+pgXlbBW0piAz8003YHDM";

/// Is that server, at `address`, until it is ended.
pub async fn run(name: &str, address: &str) -> Result<()> {
    match name {
        EMPTY => empty(address).await,
        CHEAP_PASSWORDS => with_passwords(Some(CHEAP_HASH), address, "off").await,
        REAL_PASSWORDS => with_passwords(None, address, "off").await,
        LEAN_PASSWORDS => with_passwords(Some(LEAN_HASH), address, "off").await,
        RECORDING => with_passwords(Some(CHEAP_HASH), address, "on").await,
        other => Err(anyhow!("there is no server {other:?}")),
    }
}

async fn empty(address: &str) -> Result<()> {
    let app = || App::new().default_service(actix::to(async || HttpResponse::Ok().finish()));
    Ok(HttpServer::new(app).bind(address)?.run().await?)
}

async fn with_passwords(hash: Option<&str>, address: &str, record: &str) -> Result<()> {
    let issuer = format!("http://{address}");
    let arguments =
        ["idp", "--bind", address, "--issuer", &issuer, "--capacity", CAPACITY, "--record", record];
    let arguments = Arguments::try_parse_from(arguments)?;
    let mut settings = Settings::try_from(arguments).map_err(|mistake| anyhow!(mistake))?;
    if let Some(hash) = hash {
        for user in &mut settings.users {
            user.password = PasswordHash::parse(hash)?;
        }
    }
    telemetry::start(&settings.log, settings.log_format).map_err(|mistake| anyhow!(mistake))?;
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let surroundings =
        Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom), sink: Arc::new(NoRecording) };
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if let Ok(seconds) = line.parse() {
                clock.advance(Duration::from_secs(seconds));
            }
        }
    });
    Ok(Application::build(settings, surroundings)?.run().await?)
}
