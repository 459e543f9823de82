//! `idp`: starts the OpenID Provider, asks a running one for its health, or works on its keys.

use std::process::ExitCode;

use idp::{
    config::{Arguments, Command, Settings},
    keys::commands,
    startup::Application,
};
use shared::clock::{Clock as _, SystemClock};
use web::{
    health,
    server::{self, Failure, Surroundings},
    telemetry,
};

#[actix_web::main]
async fn main() -> ExitCode {
    server::exit("idp", run().await)
}

async fn run() -> Result<(), Failure> {
    let arguments: Arguments = server::arguments()?;
    let asked = arguments.command;
    let settings = Settings::try_from(arguments).map_err(Failure::Mistake)?;
    match asked {
        Some(Command::Health) => {
            return health::probe(settings.bind, &settings.origin).map_err(Failure::Trouble);
        }
        Some(Command::Keys(command)) => {
            print!("{}", commands::run(command, &settings, SystemClock.now())?);
            return Ok(());
        }
        None => {}
    }
    telemetry::start(&settings.log, settings.log_format).map_err(Failure::Mistake)?;
    let application = Application::build(settings, Surroundings::default()).map_err(Failure::trouble)?;
    application.run().await.map_err(Failure::trouble)
}
