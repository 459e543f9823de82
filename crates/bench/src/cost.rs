//! What messages and whole logins cost: processor time of the provider alone, each beside its floor, in rounds.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use idp::{config::Settings, demo};

use crate::{
    floor::{Hash, Signature},
    login::{Browser, CLIENT1, CONSENT, Led, Site, expect},
    process::{Process, own_cpu_of},
    server,
    table::{Table, each, median, micros, millis, times},
};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How often everything is measured; what counts is the median.
    pub rounds: u32,
    /// Signatures, and whole logins, a round.
    pub logins: u32,
    /// Hashes, and whole logins with them, a round.
    pub hashes: u32,
    /// Requests to a handler that does next to nothing, a round.
    pub requests: u32,
}

/// The messages of a login, in their order.
const MESSAGES: [&str; 6] = [
    "authorization request (step 2)",
    "login page (3)",
    "password, but for its hash (4)",
    "consent page (5)",
    "decision and redirect (6)",
    "token request (8, 9)",
];

/// Everything of one round, in seconds each.
struct Round {
    signature: f64,
    hash: f64,
    empty: f64,
    discovery: f64,
    jwks: f64,
    messages: [f64; MESSAGES.len()],
    with_hash: f64,
}

/// Measures and fills `table`.
pub fn measure(extent: Extent, settings: &Settings, keys: &Path, table: &mut Table) -> Result<()> {
    let (signature, mut hash) = (Signature::new()?, Hash::new(settings)?);
    let idp = Process::idp(keys)?;
    let (cheap, empty) = (Process::own(server::CHEAP_PASSWORDS)?, Process::own(server::EMPTY)?);
    // Whatever is made at first use is made.
    round(
        Extent { logins: 20, hashes: 2, requests: 200, ..extent },
        &signature,
        &mut hash,
        &idp,
        &cheap,
        &empty,
    )?;
    let rounds = (0..extent.rounds).map(|_| round(extent, &signature, &mut hash, &idp, &cheap, &empty));
    let rounds = rounds.collect::<Result<Vec<_>>>()?;
    let of = |value: &dyn Fn(&Round) -> f64| median(rounds.iter().map(value));

    let (signature, empty) = (of(&|it| it.signature), of(&|it| it.empty));
    table.note("one RSA-2048 signature", micros(signature));
    table.note("one Argon2id hash (19 MiB, two passes)", millis(of(&|it| it.hash)));
    table.note("a request to an empty handler", micros(empty));
    for (at, message) in MESSAGES.into_iter().enumerate() {
        table.note(message, micros(of(&|it| it.messages[at])));
    }
    table.note("a whole login with its hash", millis(of(&|it| it.with_hash)));
    let login = of(&|it| it.messages.iter().sum::<f64>() / it.signature);
    table.judge("a whole login without its hash, in signatures", times(login), times(2.0));
    let token = of(&|it| it.messages[5] - it.signature);
    table.judge("token request, beyond the signature", micros(token), micros(150e-6));
    let (discovery, jwks) = (of(&|it| it.discovery - it.empty), of(&|it| it.jwks - it.empty));
    table.judge("discovery, beyond the empty handler", micros(discovery), micros(30e-6));
    table.judge("key set, beyond the empty handler", micros(jwks), micros(30e-6));
    Ok(())
}

fn round(
    extent: Extent,
    signature: &Signature,
    hash: &mut Hash,
    idp: &Process,
    cheap: &Process,
    empty: &Process,
) -> Result<Round> {
    let mut outcome = Ok(());
    let signatures = own_cpu_of(|| {
        outcome = (0..extent.logins).try_for_each(|_| signature.compute());
    })?;
    outcome?;
    let mut correct = true;
    let hashes = own_cpu_of(|| correct = (0..extent.hashes).all(|_| hash.compute()))?;
    ensure!(correct, "the password is wrong");
    let requests = |server: &Process, target: &str| -> Result<f64> {
        let mut site = server.site()?;
        let all = server.cpu_of(|| {
            (0..extent.requests).try_for_each(|_| Ok(expect(&site.get(target.as_bytes(), &[])?, 200)?))
        })?;
        Ok(each(all, extent.requests))
    };
    Ok(Round {
        signature: each(signatures, extent.logins),
        hash: each(hashes, extent.hashes),
        empty: requests(empty, "/")?,
        discovery: requests(idp, "/.well-known/openid-configuration")?,
        jwks: requests(idp, "/oauth/jwks")?,
        messages: logins(cheap, extent.logins)?,
        with_hash: logins(idp, extent.hashes)?.iter().sum(),
    })
}

/// Many logins at once, message by message, so that each kind of message can be measured by itself.
fn logins(server: &Process, count: u32) -> Result<[f64; MESSAGES.len()]> {
    let mut site = server.site()?;
    let mut browsers: Vec<_> = (0..count).map(|_| Browser::default()).collect();
    let mut codes = Vec::new();
    let (username, password) = demo::PEOPLE[0];
    let mut all = |step: &mut dyn FnMut(&mut Site, &mut Browser) -> Result<()>| -> Result<f64> {
        let cpu = server.cpu_of(|| browsers.iter_mut().try_for_each(|browser| step(&mut site, browser)))?;
        Ok(each(cpu, count))
    };
    let asked = all(&mut |site, browser| on(&browser.asks(site, &CLIENT1)?))?;
    let login_page = all(&mut |site, browser| Ok(browser.loads(site)?))?;
    let credentials = [("username", username), ("password", password)];
    let signed_in = all(&mut |site, browser| on(&browser.submits(site, &credentials)?))?;
    let consent_page = all(&mut |site, browser| Ok(browser.loads(site)?))?;
    let decided = all(&mut |site, browser| match browser.submits(site, CONSENT)? {
        Led::Back(code) => {
            codes.push(code);
            Ok(())
        }
        Led::On => bail!("no code"),
    })?;
    let mut codes = codes.into_iter();
    let redeemed =
        all(&mut |site, _| Ok(expect(&CLIENT1.redeems(site, &codes.next().unwrap_or_default())?, 200)?))?;
    Ok([asked, login_page, signed_in, consent_page, decided, redeemed])
}

fn on(led: &Led) -> Result<()> {
    ensure!(*led == Led::On, "a page was left out");
    Ok(())
}
