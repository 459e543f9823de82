//! What is there before anybody signs in: programs, their start, and their memory at rest.

use std::{fs, path::Path, thread, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use idp::{config::Settings, demo};

use crate::{
    floor::Hash,
    login::{Browser, CLIENT1, Site},
    process::{Process, program},
    server,
    table::{Table, bytes, median, megabytes, millis},
};

/// How often the provider is started.
const STARTS: usize = 11;
/// How many passwords are checked at once.
const AT_ONCE: usize = 32;
/// How often so many come to a server that was at rest.
const CROWDS: usize = 9;
/// How often a server at rest is looked at.
const RESTS: usize = 3;

/// By then a server that has started is at rest: what it needed for that goes back within a second or two.
const SETTLED: Duration = Duration::from_secs(3);

/// Measures and fills `table`.
pub fn measure(settings: &Settings, keys: &Path, table: &mut Table) -> Result<()> {
    // The first one makes the keys.
    drop(Process::idp(keys, "off")?);
    let starts = (0..STARTS).map(|_| Ok(Process::idp(keys, "off")?.started_in.as_secs_f64()));
    let starts = starts.collect::<Result<Vec<_>>>()?;
    table.judge("from start to first answer, with kept keys", millis(median(starts)), millis(0.050));
    for name in ["idp", "rp"] {
        let size = fs::metadata(program(name)?)?.len();
        table.judge(format!("the program `{name}`"), megabytes(bytes(size)), megabytes(15e6));
    }
    let rests = (0..RESTS).map(|_| {
        let idp = Process::idp(keys, "off")?;
        thread::sleep(SETTLED);
        Ok(bytes(idp.memory()?))
    });
    let rest = median(rests.collect::<Result<Vec<_>>>()?);
    table.judge("memory at rest", megabytes(rest), megabytes(16e6));
    passwords(settings, table)
}

/// Many passwords at once: only as many are checked as there are slots, the others wait. What so many visitors take
/// anyhow, connections, pages and waiting, is what they take where a hash needs next to no memory.
fn passwords(settings: &Settings, table: &mut Table) -> Result<()> {
    let user = settings.users.first().context("there is no user")?;
    let mut hash = Hash::new(user.password.clone());
    hash.compute()?;
    let slots = thread::available_parallelism()?.get() as u64;
    let hashes = (0..CROWDS).map(|_| {
        let with = grown(&Process::own(server::REAL_PASSWORDS)?)?;
        let without = grown(&Process::own(server::LEAN_PASSWORDS)?)?;
        Ok(bytes(with) - bytes(without))
    });
    let hashes = median(hashes.collect::<Result<Vec<_>>>()?);
    let most = bytes(slots * hash.memory());
    table.judge(
        format!("memory of {AT_ONCE} password hashes at once, in {slots} slots"),
        megabytes(hashes),
        megabytes(most),
    );
    Ok(())
}

/// How much memory of its own a server takes at its peak that was at rest and is asked to check many passwords at once.
fn grown(idp: &Process) -> Result<u64> {
    thread::sleep(SETTLED);
    let before = idp.own_memory()?;
    let mut visitors = (0..AT_ONCE).map(|_| at_the_login_page(idp)).collect::<Result<Vec<_>>>()?;
    idp.forget_peak()?;
    let (username, password) = demo::PEOPLE[0];
    thread::scope(|scope| {
        let submits = visitors.iter_mut().map(|(site, browser)| {
            scope.spawn(|| browser.submits(site, &[("username", username), ("password", password)]))
        });
        let submits: Vec<_> = submits.collect();
        submits.into_iter().try_for_each(|it| {
            it.join().map_err(|_| anyhow!("a thread broke"))?.map(drop).map_err(Into::into)
        })
    })
    .map_err(|error: anyhow::Error| error.context("a password was not taken"))?;
    let given_back = idp.peak()?.saturating_sub(idp.memory()?);
    Ok(idp.own_memory()? + given_back - before)
}

/// A browser that has loaded the login page, over a connection of its own.
fn at_the_login_page(idp: &Process) -> Result<(Site, Browser)> {
    let (mut site, mut browser) = (idp.site()?, Browser::default());
    browser.asks(&mut site, &CLIENT1)?;
    browser.loads(&mut site)?;
    Ok((site, browser))
}
