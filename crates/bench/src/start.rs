//! What is there before anybody signs in: programs, their start, and their memory at rest.

use std::{fs, path::Path, thread, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use idp::{config::Settings, demo};

use crate::{
    floor::Hash,
    login::{Browser, CLIENT1},
    process::{Process, program},
    table::{Table, bytes, median, megabytes, millis},
};

/// How often the provider is started.
const STARTS: usize = 11;
/// How many passwords are checked at once.
const AT_ONCE: usize = 32;

/// What each of them has beside a slot: a connection, its buffers, and a page on its way.
const VISITOR: f64 = 40e3;
/// What the first login makes a server touch, in bytes: the code and the texts of its pages.
const FIRST_USE: f64 = 1.2e6;

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

/// Many passwords at once: only as many are checked as there are slots, the others wait.
fn passwords(settings: &Settings, idp: &Process, table: &mut Table) -> Result<()> {
    let user = settings.users.first().context("there is no user")?;
    let mut hash = Hash::new(user.password.clone());
    hash.compute()?;
    let slots = thread::available_parallelism()?.get() as u64;
    let before = idp.memory()?;
    idp.forget_peak()?;
    thread::scope(|scope| {
        let visitors: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let mut site = idp.site()?;
                    Browser::default().signs_in(&mut site, &CLIENT1, demo::PEOPLE[0])?;
                    Ok(())
                })
            })
            .collect();
        visitors.into_iter().try_for_each(|visitor| visitor.join().map_err(|_| anyhow!("a thread broke"))?)
    })?;
    let grown = idp.peak()? - before;
    let most = bytes(slots * hash.memory()) + bytes(AT_ONCE as u64) * VISITOR + FIRST_USE;
    let what = format!("memory for {AT_ONCE} password checks at once, in {slots} slots");
    table.judge(what, megabytes(bytes(grown)), megabytes(most));
    Ok(())
}
