//! What logins leave in memory: while they live, when they come again, when they are given up.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Result, anyhow};
use idp::demo;

use crate::{
    login::{Browser, CLIENT1, Site, expect},
    process::Process,
    server,
    table::{Table, bytes, kilobytes, megabytes, times},
};

/// How many visitors there are at a time.
const VISITORS: usize = 4;
/// Longer than anything lives.
const LATER: &str = "31536000";
/// The provider sweeps every 30 seconds.
const SWEEP: Duration = Duration::from_secs(31);

/// Measures with `count` logins and fills `table`.
pub fn measure(count: u32, table: &mut Table) -> Result<()> {
    let mut idp = Process::own(server::CHEAP_PASSWORDS)?;
    many(&idp, 500, sign_in)?;
    forget(&mut idp)?;

    let before = idp.memory()?;
    let first = peak(&idp, || many(&idp, count, sign_in))?;
    let each = bytes(idp.memory()?.saturating_sub(before)) / f64::from(count);
    table.judge(format!("memory of a live login, of {count}"), kilobytes(each), kilobytes(1500.0));
    forget(&mut idp)?;
    table.note(format!("memory when {count} logins have ended"), megabytes(bytes(idp.memory()?)));
    let second = peak(&idp, || many(&idp, count, sign_in))?;
    let ratio = bytes(second) / bytes(first);
    table.judge(format!("peak of {count} logins more, in peaks of the first"), times(ratio), times(1.1));
    drop(idp);

    // In a new process: nothing that came before hides what stays.
    let mut idp = Process::own(server::CHEAP_PASSWORDS)?;
    many(&idp, 500, give_up)?;
    forget(&mut idp)?;
    let before = bytes(idp.memory()?);
    let most = peak(&idp, || many(&idp, count, give_up))?;
    table.note(format!("memory with {count} abandoned logins"), megabytes(bytes(most)));
    forget(&mut idp)?;
    let left = bytes(idp.memory()?) - before;
    table.judge(
        "of that is left when they have ended",
        megabytes(left),
        megabytes((bytes(most) - before) / 20.0),
    );
    Ok(())
}

/// Lets everything end, and waits until it is swept.
fn forget(idp: &mut Process) -> Result<()> {
    idp.tell(LATER)?;
    thread::sleep(SWEEP);
    Ok(())
}

fn peak(idp: &Process, work: impl FnOnce() -> Result<()>) -> Result<u64> {
    idp.forget_peak()?;
    work()?;
    idp.peak()
}

fn sign_in(site: &mut Site) -> Result<()> {
    let code = Browser::default().signs_in(site, &CLIENT1, demo::PEOPLE[0])?;
    Ok(expect(&CLIENT1.redeems(site, &code)?, 200)?)
}

fn give_up(site: &mut Site) -> Result<()> {
    let mut browser = Browser::default();
    browser.asks(site, &CLIENT1)?;
    Ok(browser.loads(site)?)
}

/// Does `what` so many times, by several visitors at a time.
fn many(idp: &Process, count: u32, what: fn(&mut Site) -> Result<()>) -> Result<()> {
    let done = AtomicU32::new(0);
    thread::scope(|scope| {
        let visitors: Vec<_> = (0..VISITORS)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let mut site = idp.site()?;
                    while done.fetch_add(1, Ordering::Relaxed) < count {
                        what(&mut site)?;
                    }
                    Ok(())
                })
            })
            .collect();
        visitors.into_iter().try_for_each(|visitor| visitor.join().map_err(|_| anyhow!("a thread broke"))?)
    })
}
