//! What the program does about the configuration file, instead of serving.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
};

use shared::{
    clock::{Clock as _, SystemClock},
    random::SystemRandom,
    secret::Secret,
};
use web::server::Failure;

use crate::{config::file, domain::password::PasswordHash};

/// `idp --print-config`: the demo as a file, to start from.
pub fn print_config() -> Result<(), Failure> {
    say(file::DEMO.trim_end())
}

/// `idp check-config`: whether the file at `path` is fine.
pub fn check_config(path: Option<PathBuf>) -> Result<(), Failure> {
    let path = path.ok_or_else(|| Failure::Mistake("name a file, or set IDP_CONFIG".into()))?;
    let registered = file::read(&path, SystemClock.now()).map_err(Failure::Mistake)?;
    let many = |count, what| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (clients, users) = (registered.clients.len(), registered.users.len());
    say(format_args!("{} is fine: {}, {}", path.display(), many(clients, "client"), many(users, "user")))
}

/// `idp hash-password`: the hash of a password that is asked for, as `password_hash` has it.
pub fn hash_password() -> Result<(), Failure> {
    let typed = typed_password()?;
    if typed.is_empty() {
        return Err(Failure::Mistake("a password must not be empty".into()));
    }
    say(PasswordHash::of(&Secret::new(typed), &SystemRandom).map_err(Failure::trouble)?)
}

/// A person types it twice, since nothing is shown; a program writes it on a line.
fn typed_password() -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map_err(Failure::trouble)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let ask = |prompt| rpassword::prompt_password(prompt).map_err(Failure::trouble);
    let typed = ask("Password: ")?;
    if ask("Once more: ")? != typed {
        return Err(Failure::Mistake("the two passwords differ".into()));
    }
    Ok(typed)
}

fn say(words: impl Display) -> Result<(), Failure> {
    writeln!(io::stdout(), "{words}").map_err(Failure::trouble)
}
