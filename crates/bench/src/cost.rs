//! What messages and whole logins cost: processor time of the provider alone, each beside its floor, in rounds.

use std::{path::Path, thread};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use idp::{config::Settings, demo, domain::password::PasswordHash};

use crate::{
    floor::{Hash, Signature},
    holder::Holder,
    login::{Browser, CLIENT1, CONSENT, Led, Site, expect},
    process::{Process, own_cpu_of},
    server,
    table::{Table, each, median, micros, millis, per_second, times},
};

/// How many send at a time.
const VISITORS: u32 = 4;

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

/// What is measured, and what it is measured with.
struct Scene {
    signature: Signature,
    hash: Hash,
    cheap_hash: Hash,
    /// The provider as it is shipped.
    idp: Process,
    /// The same, and it records flows.
    recording: Process,
    /// The provider whose passwords cost next to nothing.
    cheap: Process,
    /// The same, and it records flows.
    cheap_recording: Process,
    /// A handler that does nothing.
    empty: Process,
}

/// Everything of one round, in seconds each.
struct Round {
    signature: f64,
    hash: f64,
    empty: f64,
    discovery: f64,
    jwks: f64,
    messages: [f64; MESSAGES.len()],
    with_hash: f64,
    recorded_with_hash: f64,
    /// All messages of a login that is recorded.
    recorded: f64,
    refresh: f64,
    introspection: f64,
}

/// Measures and fills `table`.
pub fn measure(extent: Extent, settings: &Settings, keys: &Path, table: &mut Table) -> Result<()> {
    let user = settings.users.first().context("there is no user")?;
    let mut scene = Scene {
        signature: Signature::new()?,
        hash: Hash::new(user.password.clone()),
        cheap_hash: Hash::new(PasswordHash::parse(server::CHEAP_HASH)?),
        idp: Process::idp(keys, "off")?,
        recording: Process::idp(keys, "on")?,
        cheap: Process::own(server::CHEAP_PASSWORDS)?,
        cheap_recording: Process::own(server::RECORDING)?,
        empty: Process::own(server::EMPTY)?,
    };
    // Whatever is made at first use is made.
    scene.round(Extent { logins: 20, hashes: 2, requests: 200, ..extent })?;
    let rounds = (0..extent.rounds).map(|_| scene.round(extent)).collect::<Result<Vec<_>>>()?;
    let of = |value: &dyn Fn(&Round) -> f64| median(rounds.iter().map(value));

    table.note("one RSA-2048 signature", micros(of(&|it| it.signature)));
    table.note("one Argon2id hash (19 MiB, two passes)", millis(of(&|it| it.hash)));
    table.note("a request to an empty handler", micros(of(&|it| it.empty)));
    for (at, message) in MESSAGES.into_iter().enumerate() {
        table.note(message, micros(of(&|it| it.messages[at])));
    }
    table.note("a login with its hash", millis(of(&|it| it.with_hash)));
    let login = of(&|it| it.messages.iter().sum::<f64>() / it.signature);
    table.judge("a login without its hash, in signatures", times(login), times(2.0));
    table.note("recording a login", micros(of(&|it| it.recorded - it.messages.iter().sum::<f64>())));
    let recorded = of(&|it| it.recorded_with_hash / it.with_hash);
    table.judge("a login that is recorded, in logins that are not", times(recorded), times(1.15));
    let token = of(&|it| it.messages[5] - it.signature);
    table.judge("the token request, beyond its signature", micros(token), micros(150e-6));
    let (discovery, jwks) = (of(&|it| it.discovery - it.empty), of(&|it| it.jwks - it.empty));
    table.judge("discovery, beyond the empty handler", micros(discovery), micros(30e-6));
    table.judge("the key set, beyond the empty handler", micros(jwks), micros(30e-6));
    let (refresh, introspection) = (of(&|it| it.refresh), of(&|it| it.introspection));
    table.note("a refresh", micros(refresh));
    table.note("an introspection", micros(introspection));
    let beyond = of(&|it| it.refresh - it.signature);
    table.judge("a refresh, beyond its signature", micros(beyond), micros(200e-6));
    let beyond = of(&|it| it.introspection - it.empty);
    table.judge("an introspection, beyond the empty handler", micros(beyond), micros(120e-6));
    table.note("refreshes in a second of the processor", per_second(refresh));
    table.note("introspections in a second of the processor", per_second(introspection));
    Ok(())
}

/// Has `count` logins made at the provider called `issuer`, which somebody started under a profiler.
pub fn drive(issuer: &str, count: u32) -> Result<()> {
    let mut sites = (0..VISITORS).map(|_| Site::at(issuer)).collect::<Result<Vec<_>, _>>()?;
    together(&mut sites, |site| {
        (0..count.div_ceil(VISITORS)).try_for_each(|_| {
            let code = Browser::default().signs_in(site, &CLIENT1, demo::PEOPLE[0])?;
            Ok(expect(&CLIENT1.redeems(site, &code)?, 200)?)
        })
    })
}

impl Scene {
    fn round(&mut self, extent: Extent) -> Result<Round> {
        let signature = floor(extent.logins, || self.signature.compute())?;
        let hash = floor(extent.hashes, || self.hash.compute())?;
        let cheap_hash = floor(extent.logins, || self.cheap_hash.compute())?;
        let requests = |server: &Process, target: &str| -> Result<f64> {
            let mut sites = (0..VISITORS).map(|_| server.site()).collect::<Result<Vec<_>>>()?;
            let count = extent.requests / VISITORS;
            let all = server.cpu_of(|| {
                together(&mut sites, |site| {
                    (0..count).try_for_each(|_| Ok(expect(&site.get(target.as_bytes(), &[])?, 200)?))
                })
            })?;
            Ok(each(all, count * VISITORS))
        };
        let mut messages = logins(&self.cheap, extent.logins)?;
        messages[2] -= cheap_hash;
        let mut holders = (0..VISITORS).map(|_| Holder::at(&self.cheap)).collect::<Result<Vec<_>>>()?;
        let mut afterwards = |count: u32, work: fn(&mut Holder) -> Result<()>| -> Result<f64> {
            let share = count.div_ceil(VISITORS);
            let all = self
                .cheap
                .cpu_of(|| together(&mut holders, |holder| (0..share).try_for_each(|_| work(holder))))?;
            Ok(each(all, share * VISITORS))
        };
        Ok(Round {
            signature,
            hash,
            empty: requests(&self.empty, "/")?,
            discovery: requests(&self.idp, "/.well-known/openid-configuration")?,
            jwks: requests(&self.idp, "/oauth/jwks")?,
            messages,
            with_hash: logins(&self.idp, extent.hashes)?.iter().sum(),
            recorded_with_hash: logins(&self.recording, extent.hashes)?.iter().sum(),
            recorded: logins(&self.cheap_recording, extent.logins)?.iter().sum::<f64>() - cheap_hash,
            refresh: afterwards(extent.logins, Holder::renews)?,
            introspection: afterwards(extent.requests, Holder::is_asked_about)?,
        })
    }
}

/// What one `work` takes in this process.
fn floor(count: u32, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut outcome = Ok(());
    let all = own_cpu_of(|| outcome = (0..count).try_for_each(|_| work()))?;
    outcome.map(|()| each(all, count))
}

/// Many logins at once, message by message, so that each kind of message can be measured by itself; several visitors at a
/// time send them.
fn logins(server: &Process, count: u32) -> Result<[f64; MESSAGES.len()]> {
    let share = count.div_ceil(VISITORS);
    let mut visitors = (0..VISITORS).map(|_| Visitor::at(server, share)).collect::<Result<Vec<_>>>()?;
    let mut all = |step: Step| -> Result<f64> {
        let cpu = server.cpu_of(|| together(&mut visitors, |visitor| visitor.sends(step)))?;
        Ok(each(cpu, share * VISITORS))
    };
    let steps: [Step; MESSAGES.len()] = [
        |site, login| on(&login.browser.asks(site, &CLIENT1)?),
        |site, login| Ok(login.browser.loads(site)?),
        |site, login| {
            let (username, password) = demo::PEOPLE[0];
            on(&login.browser.submits(site, &[("username", username), ("password", password)])?)
        },
        |site, login| Ok(login.browser.loads(site)?),
        |site, login| match login.browser.submits(site, CONSENT)? {
            Led::Back(code) => {
                login.code = code;
                Ok(())
            }
            Led::On => bail!("no code"),
        },
        |site, login| Ok(expect(&CLIENT1.redeems(site, &login.code)?, 200)?),
    ];
    let mut costs = [0.0; MESSAGES.len()];
    for (cost, step) in costs.iter_mut().zip(steps) {
        *cost = all(step)?;
    }
    Ok(costs)
}

/// What is done in one message of a login.
type Step = fn(&mut Site, &mut Login) -> Result<()>;

/// A login under way, and the code that it brought.
#[derive(Default)]
struct Login {
    browser: Browser,
    code: String,
}

/// Somebody with a connection of their own, and many logins.
struct Visitor {
    site: Site,
    logins: Vec<Login>,
}

impl Visitor {
    fn at(server: &Process, logins: u32) -> Result<Self> {
        Ok(Self { site: server.site()?, logins: (0..logins).map(|_| Login::default()).collect() })
    }

    fn sends(&mut self, step: Step) -> Result<()> {
        self.logins.iter_mut().try_for_each(|login| step(&mut self.site, login))
    }
}

/// Has all do their work at the same time: a server that is asked by one visitor only spends its time falling asleep and
/// waking up.
fn together<T: Send>(all: &mut [T], work: impl Fn(&mut T) -> Result<()> + Sync) -> Result<()> {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = all.iter_mut().map(|one| scope.spawn(move || work(one))).collect();
        running.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow!("a thread broke"))?)
    })
}

fn on(led: &Led) -> Result<()> {
    ensure!(*led == Led::On, "a page was left out");
    Ok(())
}
