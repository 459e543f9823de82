//! `bench`: measures and prints; `scripts/bench` builds and starts it.

use std::{env, fs, path::Path, process::ExitCode};

use anyhow::{Result, anyhow, bail};
use bench::{
    cost::{self, Extent},
    memory, server, start,
    table::{self, Table},
};
use clap::Parser as _;
use idp::config::{Arguments, Settings};

/// The provider's own: its servers stand in this program, too.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const FULL: Extent = Extent { rounds: 5, logins: 400, hashes: 20, requests: 4000 };
const QUICK: Extent = Extent { rounds: 1, logins: 20, hashes: 2, requests: 100 };

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let part = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => "all",
        [part @ ("quick" | "cost" | "start" | "memory")] => part,
        [name, address] => return actix_web::rt::System::new().block_on(server::run(name, address)),
        ["logins", issuer, count] => return cost::drive(issuer, count.parse()?),
        _ => bail!("say quick, cost, start or memory, or nothing for all of it"),
    };
    println!("{}", table::machine());
    let settings = Arguments::try_parse_from(["idp"])?;
    let settings = Settings::try_from(settings).map_err(|mistake| anyhow!(mistake))?;
    let keys = env::temp_dir().join(format!("bench-keys-{}", std::process::id()));
    let measured = measure(part, &settings, &keys);
    // The folder is there only if the provider came so far as to make it.
    let _ = fs::remove_dir_all(keys);
    measured
}

fn measure(part: &str, settings: &Settings, keys: &Path) -> Result<()> {
    let mut table = Table::default();
    let quick = part == "quick";
    let asked = |name| part == name || part == "all" || quick;
    if asked("cost") {
        cost::measure(if quick { QUICK } else { FULL }, settings, keys, &mut table)?;
    }
    if asked("start") {
        start::measure(settings, keys, &mut table)?;
    }
    if asked("memory") {
        memory::measure(if quick { 100 } else { 100_000 }, &mut table)?;
    }
    table.print();
    if table.is_missed() && !quick {
        bail!("not every figure is as it should be");
    }
    Ok(())
}
