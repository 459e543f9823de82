//! What is there before anybody signs in: programs, their start, and their memory at rest.

use std::{fs, path::Path, thread, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use idp::{config::Settings, demo};

use crate::{
    floor::Hash,
    login::{Browser, CLIENT1, Site},
    process::{Process, program},
    table::{Table, bytes, median, megabytes, millis},
};

/// How often the provider is started.
const STARTS: usize = 11;
/// How many passwords are checked at once.
const AT_ONCE: usize = 32;

/// By then a server that has started is at rest.
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
    let idp = Process::idp(keys, "off")?;
    // What was needed to start goes back within a second or two.
    thread::sleep(SETTLED);
    let rest = bytes(idp.memory()?);
    table.judge("memory at rest", megabytes(rest), megabytes(16e6));
    passwords(settings, &idp, table)
}

/// Many passwords at once: only as many are checked as there are slots, the others wait. What each visitor has beside a
/// slot, a connection and a page, is there before the first password arrives.
fn passwords(settings: &Settings, idp: &Process, table: &mut Table) -> Result<()> {
    let user = settings.users.first().context("there is no user")?;
    let mut hash = Hash::new(user.password.clone());
    hash.compute()?;
    let slots = thread::available_parallelism()?.get() as u64;
    // One login before, so that what a first one touches is there too.
    Browser::default().signs_in(&mut idp.site()?, &CLIENT1, demo::PEOPLE[0])?;
    let mut visitors = (0..AT_ONCE).map(|_| at_the_login_page(idp)).collect::<Result<Vec<_>>>()?;
    thread::sleep(SETTLED);
    let before = idp.memory()?;
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
    let (grown, most) = (idp.peak()?.saturating_sub(before), slots * hash.memory());
    let what = format!("memory for {AT_ONCE} password checks at once, in {slots} slots");
    table.judge(what, megabytes(bytes(grown)), megabytes(bytes(most)));
    Ok(())
}

/// A browser that has loaded the login page, over a connection of its own.
fn at_the_login_page(idp: &Process) -> Result<(Site, Browser)> {
    let (mut site, mut browser) = (idp.site()?, Browser::default());
    browser.asks(&mut site, &CLIENT1)?;
    browser.loads(&mut site)?;
    Ok((site, browser))
}
