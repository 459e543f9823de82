//! `idp`: starts the OpenID Provider, or does what a command says.

use std::process::ExitCode;

use idp::{
    commands,
    config::{Arguments, Command, Settings},
    keys,
    startup::Application,
};
use shared::clock::{Clock as _, SystemClock};
use web::{
    health,
    server::{self, Failure, Surroundings},
    telemetry,
};

/// When many logins have ended, their memory goes back to the system. glibc keeps it for itself.
#[cfg(all(feature = "jemalloc", target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    server::exit("idp", run().await)
}

async fn run() -> Result<(), Failure> {
    let arguments: Arguments = server::arguments()?;
    if arguments.print_config {
        return commands::print_config();
    }
    match arguments.command.clone() {
        None => serve(checked(arguments)?).await,
        Some(Command::Health) => {
            let settings = checked(arguments)?;
            health::probe(settings.bind, &settings.origin).map_err(Failure::Trouble)
        }
        Some(Command::Keys(command)) => {
            print!("{}", keys::commands::run(command, &checked(arguments)?, SystemClock.now())?);
            Ok(())
        }
        Some(Command::HashPassword) => commands::hash_password(),
        Some(Command::CheckConfig { path }) => commands::check_config(path.or(arguments.config)),
    }
}

fn checked(arguments: Arguments) -> Result<Settings, Failure> {
    Settings::try_from(arguments).map_err(Failure::Mistake)
}

async fn serve(settings: Settings) -> Result<(), Failure> {
    telemetry::start(&settings.log, settings.log_format).map_err(Failure::Mistake)?;
    let application = Application::build(settings, Surroundings::default()).map_err(Failure::trouble)?;
    // Not into the log: whoever has the address sees every flow.
    if let Some(address) = application.viewer() {
        println!("flow viewer: {address}");
    }
    application.run().await.map_err(Failure::trouble)
}
