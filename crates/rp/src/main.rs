//! `rp`: starts the Relying Party, or asks a running one for its health.

use std::process::ExitCode;

use clap::Parser as _;
use rp::{
    config::{Arguments, Command, Settings},
    startup::{Application, Surroundings},
};

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let asked = arguments.command;
    let settings = match Settings::try_from(arguments) {
        Ok(settings) => settings,
        Err(mistake) => return failed(2, &mistake),
    };
    if let Err(mistake) = web::telemetry::start(&settings.log, settings.log_format) {
        return failed(2, &mistake);
    }
    let outcome = match asked {
        Some(Command::Health) => web::health::probe(settings.bind, &settings.base_url),
        None => serve(settings).await,
    };
    outcome.map_or_else(|sentence| failed(1, &sentence), |()| ExitCode::SUCCESS)
}

async fn serve(settings: Settings) -> Result<(), String> {
    let application =
        Application::build(settings, Surroundings::default()).map_err(|error| error.to_string())?;
    let served = application.run().await;
    served.map_err(|error| format!("the server stopped: {error}"))
}

fn failed(code: u8, sentence: &str) -> ExitCode {
    eprintln!("rp: {sentence}");
    ExitCode::from(code)
}
