//! `rp`: starts the Relying Party, or asks a running one for its health.

use std::process::ExitCode;

use rp::{
    config::{Arguments, Command, Settings},
    startup::Application,
};
use web::{
    health,
    server::{self, Failure, Surroundings},
    telemetry,
};

#[actix_web::main]
async fn main() -> ExitCode {
    server::exit("rp", run().await)
}

async fn run() -> Result<(), Failure> {
    let arguments: Arguments = server::arguments()?;
    let asked = arguments.command;
    let settings = Settings::try_from(arguments).map_err(Failure::Mistake)?;
    if asked == Some(Command::Health) {
        return health::probe(settings.bind, &settings.base_url).map_err(Failure::Trouble);
    }
    telemetry::start(&settings.log, settings.log_format).map_err(Failure::Mistake)?;
    let application = Application::build(settings, Surroundings::default()).map_err(Failure::trouble)?;
    application.run().await.map_err(Failure::trouble)
}
