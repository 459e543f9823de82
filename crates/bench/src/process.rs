//! A server in a process of its own, and what the system says about it.

use std::{
    env, fs,
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::{
    time::{ClockId, clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};

use crate::login::Site;

/// How long a server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Its issuer.
    pub issuer: String,
    /// How long it took from its start to its first answer.
    pub started_in: Duration,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It holds nothing that anybody needs again.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// The provider as it is shipped, with kept keys, that records flows or does not.
    pub fn idp(keys: &Path, record: &str) -> Result<Self> {
        let (keys, record) = (keys.to_string_lossy().into_owned(), record.to_owned());
        Self::start(&program("idp")?, |address| {
            let pairs = [
                ("--bind", address.into()),
                ("--issuer", issuer(address)),
                ("--keys", keys),
                ("--record", record),
            ];
            pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
        })
    }

    /// One of this program's own servers, by its name in [`crate::server`].
    pub fn own(name: &str) -> Result<Self> {
        let name = name.to_owned();
        Self::start(&env::current_exe()?, |address| vec![name, address.into()])
    }

    fn start(program: &Path, arguments: impl FnOnce(&str) -> Vec<String>) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let begun = Instant::now();
        let child = Command::new(program)
            .args(arguments(&address))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| program.display().to_string())?;
        let mut process = Self { child, issuer: issuer(&address), started_in: Duration::ZERO };
        let mut site = process.site()?;
        while site.get(b"/health", &[]).is_err() {
            if begun.elapsed() > PATIENCE || process.child.try_wait()?.is_some() {
                bail!("{} does not answer", program.display());
            }
            thread::sleep(Duration::from_micros(200));
        }
        process.started_in = begun.elapsed();
        Ok(process)
    }

    /// A connection to it.
    pub fn site(&self) -> Result<Site> {
        Ok(Site::at(&self.issuer)?)
    }

    /// The processor time that it has used, all its threads together.
    pub fn cpu(&self) -> Result<Duration> {
        let clock = clock_getcpuclockid(Pid::from_raw(self.child.id().cast_signed()))?;
        Ok(clock_gettime(clock)?.into())
    }

    /// The processor time that `work` makes it use.
    pub fn cpu_of(&self, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
        let before = self.cpu()?;
        work()?;
        Ok(self.cpu()?.saturating_sub(before))
    }

    /// Memory that it has in use now, in bytes.
    pub fn memory(&self) -> Result<u64> {
        self.read("status", "VmRSS:")
    }

    /// The most that it has had in use, since [`Process::forget_peak`].
    pub fn peak(&self) -> Result<u64> {
        self.read("status", "VmHWM:")
    }

    /// Memory of its own, without what it shares with the file of its program, in bytes.
    pub fn own_memory(&self) -> Result<u64> {
        self.read("smaps_rollup", "Anonymous:")
    }

    /// Counts the peak from now on.
    pub fn forget_peak(&self) -> Result<()> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    /// Writes a line to its standard input.
    pub fn tell(&mut self, line: &str) -> Result<()> {
        let input = self.child.stdin.as_mut().context("it does not listen")?;
        Ok(writeln!(input, "{line}")?)
    }

    fn read(&self, file: &str, name: &str) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

/// The processor time that `work` takes in this process.
pub fn own_cpu_of(work: impl FnOnce()) -> Result<Duration> {
    let clock = || clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from);
    let before = clock()?;
    work();
    Ok(clock()?.saturating_sub(before))
}

/// A program that was built beside this one.
pub fn program(name: &str) -> Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(name))
}

fn issuer(address: &str) -> String {
    format!("http://{address}")
}
