//! `idp keys`: what an operator does with the folder of keys. It works on the files alone, whether or not a server
//! runs; a running server notices within seconds.

use std::{fmt::Write as _, time::Duration};

use clap::Subcommand;
use shared::clock::Timestamp;
use web::{moment::Moment, server::Failure};

use super::{
    MARGIN,
    folder::{Folder, KeyError},
    key::KeyAlg,
    rotation,
};
use crate::config::Settings;

/// With a shorter wait than this, a client that has just fetched the JWKS has an old one when the new key signs: the
/// answer is good for 60 seconds, and the server looks every two.
const SHORT_WAIT: Duration = Duration::from_secs(65);

/// What to do with the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum KeysCommand {
    /// List the keys: which sign, which are published to sign later, which are kept for what they signed
    List,
    /// Replace keys: publish new ones now, sign with them after a wait, keep the old ones as long as their tokens live
    Rotate {
        /// Replace the key of this algorithm only
        #[arg(long, value_enum, ignore_case = true)]
        alg: Option<KeyAlg>,

        /// Seconds between publishing a key and signing with it; clients may keep the JWKS for 60
        #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = wait)]
        wait: Duration,
    },
}

fn wait(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("a wait is a whole number of seconds from 0 to 86400".into()),
    }
}

/// Does it; what to tell the operator.
pub fn run(command: KeysCommand, settings: &Settings, now: Timestamp) -> Result<String, Failure> {
    let path = settings.keys.as_deref().ok_or_else(|| {
        let sentence =
            "IDP_KEYS: name the folder of the keys; without one they are in the server's memory only";
        Failure::Mistake(sentence.into())
    })?;
    let folder = Folder::at(path);
    let told = match command {
        KeysCommand::List => list(&folder, settings.token_lifetime + MARGIN, now),
        KeysCommand::Rotate { alg, wait } => rotate(&folder, alg, wait, now),
    };
    told.map_err(|error| Failure::Trouble(format!("IDP_KEYS: {error}")))
}

fn list(folder: &Folder, retention: Duration, now: Timestamp) -> Result<String, KeyError> {
    let names = folder.names()?;
    if names.is_empty() {
        return Err(folder.lacks(KeyAlg::Rs256));
    }
    let mut table = line(["KID", "ALG", "STATE", "SINCE", "UNTIL"]);
    for standing in rotation::standings(&names, retention, now) {
        // Gone since its name was read.
        let Some(key) = folder.read(standing.name)? else { continue };
        let moment = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), iso);
        table += &line([
            key.kid(),
            standing.name.alg.as_str(),
            standing.stage.as_str(),
            &moment(standing.since),
            &moment(standing.until),
        ]);
    }
    Ok(table)
}

fn line([kid, alg, state, since, until]: [&str; 5]) -> String {
    format!("{kid:43}  {alg:5}  {state:9}  {since:20}  {until}\n")
}

fn rotate(folder: &Folder, alg: Option<KeyAlg>, wait: Duration, now: Timestamp) -> Result<String, KeyError> {
    let mut told = String::new();
    for (name, key) in folder.rotate(alg, wait, now)? {
        // Writing to a text cannot fail.
        let _ = writeln!(told, "{}: {} is published and signs from {}", name.alg, key.kid(), iso(name.from));
    }
    if wait < SHORT_WAIT {
        told += "Clients may keep the JWKS for 60 seconds: some may meet a key that they do not know yet.\n";
    }
    Ok(told)
}

fn iso(at: Timestamp) -> String {
    Moment::from(at).iso().to_owned()
}
