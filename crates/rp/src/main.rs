//! The program: read the settings, start the log, serve.

use std::process::ExitCode;

use clap::Parser as _;
use rp::{
    config::{Command, CommandLine, Settings},
    startup::Application,
    state::Surroundings,
};
use web::{health, settings::exposure_warning, telemetry};

#[actix_web::main]
async fn main() -> ExitCode {
    let CommandLine { command, options } = CommandLine::parse();
    let started = telemetry::start(&options.log, options.log_format);
    let settings = match started.and_then(|()| options.check()) {
        Ok(settings) => settings,
        Err(mistake) => return failed(2, &mistake),
    };
    let ended = match command {
        Some(Command::Health) => health::probe(settings.bind, &settings.base_url),
        None => serve(settings).await.map_err(|error| error.to_string()),
    };
    ended.map_or_else(|error| failed(1, &error), |()| ExitCode::SUCCESS)
}

async fn serve(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    exposure_warning(settings.bind).inspect(|warning| tracing::warn!("{warning}"));
    let address = settings.base_url.as_str().to_owned();
    let application = Application::build(settings, Surroundings::default())?;
    tracing::info!("open {address}");
    Ok(application.run().await?)
}

fn failed(code: u8, sentence: &str) -> ExitCode {
    eprintln!("rp: {sentence}");
    ExitCode::from(code)
}
