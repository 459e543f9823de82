//! `idp`: starts the OpenID Provider, or asks a running one for its health.

use std::process::ExitCode;

use clap::Parser as _;
use idp::{
    config::{Arguments, Command, Settings},
    startup::{Application, Surroundings},
};

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let asked = arguments.command;
    let outcome = match Settings::try_from(arguments) {
        Ok(settings) if asked == Some(Command::Health) => web::health::probe(settings.bind, &settings.origin),
        Ok(settings) => serve(settings).await,
        Err(mistake) => Err(mistake),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("idp: {sentence}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: Settings) -> Result<(), String> {
    web::telemetry::start(&settings.log, settings.log_format)?;
    let application =
        Application::build(settings, Surroundings::default()).map_err(|error| error.to_string())?;
    application
        .run()
        .await
        .map_err(|error| format!("the server stopped: {error}"))
}
