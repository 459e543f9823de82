//! The logins that somebody goes through step by step at this server, each with what is held of it. They end with the time
//! of their login, and with the server.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::{
    http::header::{HeaderName, HeaderValue},
    rt::task::JoinHandle,
};
use shared::{
    clock::{Clock, Timestamp},
    flow::{Happened, Pause},
    secret::{Secret, SecretHash},
};
use tokio::sync::{oneshot, watch};
use web::{
    expiring::{ExpiringMap, Full},
    problem::Problem,
};

use super::draft::Draft;
use crate::{recorder::FlowId, tap::PutOff};

/// How many logins one server can hold at a time.
const CAPACITY: usize = 1_000;
/// What one may weigh, in bytes: the answer of a token endpoint among it.
const BYTES_EACH: usize = 64 * 1024;

/// What became of a held message.
#[derive(Clone, Debug, PartialEq)]
pub enum Released {
    /// It goes on.
    Sent(Draft),
    /// It goes on twice.
    Repeated(Draft),
    /// It does not.
    Dropped,
}

/// How a login that was held is over.
#[derive(Clone, Debug)]
pub enum Over {
    /// The browser was led to this address.
    Led(String),
    /// It was refused.
    Refused(Box<Problem>),
    /// What the browser carried was dropped here.
    Dropped(Pause),
}

/// What waits for a message to be let go.
pub(crate) enum Then {
    /// The browser, which gets this answer.
    Answer(Vec<(HeaderName, HeaderValue)>),
    /// The server's own code.
    Run(oneshot::Sender<Released>),
}

/// Where a login is.
pub(crate) enum Stage<E> {
    /// The browser is elsewhere.
    Away,
    /// The server's own code works.
    Working,
    /// A message is held.
    Held { pause: Pause, draft: Draft, then: Then },
    /// The code has done its work; whoever comes next with this browser finishes it.
    Ended(E),
    /// Nothing more is to come.
    Over(Over),
}

/// One login.
struct Stepping<E> {
    browser: SecretHash,
    csrf: Secret,
    address: Option<IpAddr>,
    stage: Stage<E>,
    /// Counts what was held, so that a page that has been left behind lets nothing go.
    turn: u32,
    /// It is not to be held any more.
    runs_on: bool,
    /// The request that has not been answered yet.
    put_off: Option<PutOff>,
    /// What was let go last, and what was foretold of it.
    latest: Option<(Pause, Option<Happened>)>,
    work: Option<Work>,
}

/// The server's own code on its way, which ends with the login that it is for.
struct Work(JoinHandle<()>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a page needs to know of a login.
pub(crate) struct Seen {
    pub(crate) csrf: String,
    pub(crate) turn: u32,
    pub(crate) latest: Option<(Pause, Option<Happened>)>,
    /// The name of what is done in its flow after the login, if it is that.
    pub(crate) deed: Option<String>,
    /// Nothing more is held of it.
    pub(crate) runs_on: bool,
    /// For how long it is kept.
    pub(crate) left: Duration,
    pub(crate) what: What,
}

/// What is to be seen.
pub(crate) enum What {
    Away,
    Working,
    Held(Pause, Draft),
    Ended,
    Over(Over),
}

/// The logins that are gone through step by step. `E` is what the server's own code brings in the end.
pub struct Steps<E> {
    kept: ExpiringMap<FlowId, Stepping<E>, IpAddr>,
    clock: Arc<dyn Clock>,
    turned: watch::Sender<u64>,
}

impl<E: Send + Sync + 'static> Steps<E> {
    /// None yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let weigh = |stepping: &Stepping<E>| match &stepping.stage {
            Stage::Held { draft, .. } => draft.params.len() + draft.body.len() + draft.token.len(),
            _ => 0,
        };
        let kept = ExpiringMap::shared(CAPACITY, weigh, |stepping: &Stepping<E>| {
            stepping.address.into_iter().collect()
        });
        Self { kept: kept.of_bytes_each(BYTES_EACH), clock, turned: watch::Sender::new(0) }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Begins to hold what happens in `flow`, for the browser with this cookie, for as long as a login may take. Whatever was
    /// held of it before is over.
    pub(crate) fn begin(
        &self,
        flow: &str,
        browser: SecretHash,
        csrf: Secret,
        address: Option<IpAddr>,
        lifetime: Duration,
        stage: Stage<E>,
    ) -> Result<(), Full> {
        let stepping = Stepping {
            browser,
            csrf,
            address,
            stage,
            turn: 0,
            runs_on: false,
            put_off: None,
            latest: None,
            work: None,
        };
        self.kept.insert(flow.to_owned(), stepping, self.now() + lifetime, self.now())
    }

    /// Whether messages of `flow` are to be held: somebody goes through it step by step, and goes on doing so.
    pub fn holds(&self, flow: &str) -> bool {
        let holds = |stepping: &Stepping<E>| !stepping.runs_on && !matches!(stepping.stage, Stage::Over(_));
        self.kept.read(&flow.to_owned(), self.now(), holds).unwrap_or(false)
    }

    /// Whether somebody has gone through `flow` step by step, and wanted to stop no more.
    pub fn runs_on(&self, flow: &str) -> bool {
        self.kept.read(&flow.to_owned(), self.now(), |stepping| stepping.runs_on).unwrap_or(false)
    }

    /// Whether this login is known here.
    pub(crate) fn knows(&self, flow: &str) -> bool {
        self.kept.read(&flow.to_owned(), self.now(), |_| ()).is_some()
    }

    /// Goes on without holding anything.
    pub fn run_on(&self, flow: &str) {
        self.kept.update(&flow.to_owned(), self.now(), |stepping| {
            stepping.runs_on = true;
            stepping.stage = Stage::Away;
        });
        self.turned.send_modify(|turn| *turn += 1);
    }

    /// Whether the browser with this cookie began the login that `flow` is.
    pub(crate) fn belongs_to(&self, flow: &str, cookie: Option<&str>) -> bool {
        let belongs = |stepping: &Stepping<E>| cookie.is_some_and(|it| stepping.browser.matches(it));
        self.kept.read(&flow.to_owned(), self.now(), belongs).unwrap_or(false)
    }

    /// Receives the browser with this cookie, which was elsewhere, once: from now on the server's own code works.
    pub fn receive(&self, flow: &str, cookie: Option<&str>) -> bool {
        let receive = |stepping: &mut Stepping<E>| {
            let is_awaited = matches!(stepping.stage, Stage::Away)
                && !stepping.runs_on
                && cookie.is_some_and(|it| stepping.browser.matches(it));
            if is_awaited {
                stepping.stage = Stage::Working;
            }
            is_awaited
        };
        self.kept.update(&flow.to_owned(), self.now(), receive).unwrap_or(false)
    }

    /// Whether something of `flow` is held here, or worked on, for the browser with this cookie.
    pub fn is_held_for(&self, flow: &str, cookie: Option<&str>) -> bool {
        let is_held = |stepping: &Stepping<E>| {
            !matches!(stepping.stage, Stage::Away | Stage::Over(_))
                && cookie.is_some_and(|it| stepping.browser.matches(it))
        };
        self.kept.read(&flow.to_owned(), self.now(), is_held).unwrap_or(false)
    }

    /// The server's own code is at work on what came with a request, whose answer is put off. It ends with the login, or at
    /// once if that is over already.
    pub fn work(&self, put_off: &PutOff, work: JoinHandle<()>) {
        let work = Work(work);
        self.kept.update(&put_off.flow().to_owned(), self.now(), |stepping| {
            stepping.put_off = Some(put_off.clone());
            stepping.work = Some(work);
        });
    }

    /// The code has done its work.
    pub fn end(&self, flow: &str, ended: E) {
        self.kept.update(&flow.to_owned(), self.now(), |stepping| stepping.stage = Stage::Ended(ended));
        self.turned.send_modify(|turn| *turn += 1);
    }

    /// Holds a message of the server's own code until somebody lets it go.
    pub async fn hold(&self, flow: &str, pause: Pause, draft: Draft) -> Released {
        if !self.holds(flow) {
            return Released::Sent(draft);
        }
        let (let_go, released) = oneshot::channel();
        self.put(flow, Stage::Held { pause, draft, then: Then::Run(let_go) }, None);
        match released.await {
            Ok(released) => released,
            // The login is over, and this with it.
            Err(_) => std::future::pending().await,
        }
    }

    /// Holds an answer to the browser.
    pub(crate) fn hold_answer(
        &self,
        put_off: PutOff,
        pause: Pause,
        draft: Draft,
        headers: Vec<(HeaderName, HeaderValue)>,
    ) {
        let flow = put_off.flow().to_owned();
        self.put(&flow, Stage::Held { pause, draft, then: Then::Answer(headers) }, Some(put_off));
    }

    fn put(&self, flow: &str, stage: Stage<E>, put_off: Option<PutOff>) {
        self.kept.update(&flow.to_owned(), self.now(), |stepping| {
            stepping.stage = stage;
            stepping.turn += 1;
            if put_off.is_some() {
                stepping.put_off = put_off;
            }
        });
        self.turned.send_modify(|turn| *turn += 1);
    }

    /// What is to be seen of `flow` in the browser with this cookie. No other sees anything.
    pub(crate) fn see(&self, flow: &str, cookie: Option<&str>) -> Option<Seen> {
        let now = self.now();
        let seen = |stepping: &mut Stepping<E>, expires: &mut Timestamp| {
            let is_same = cookie.is_some_and(|cookie| stepping.browser.matches(cookie));
            is_same.then(|| Seen {
                csrf: stepping.csrf.expose().to_owned(),
                turn: stepping.turn,
                latest: stepping.latest,
                deed: stepping.put_off.as_ref().and_then(PutOff::deed).map(ToOwned::to_owned),
                runs_on: stepping.runs_on,
                left: expires.since(now),
                what: match &stepping.stage {
                    Stage::Away => What::Away,
                    Stage::Working => What::Working,
                    Stage::Held { pause, draft, .. } => What::Held(*pause, draft.clone()),
                    Stage::Ended(_) => What::Ended,
                    Stage::Over(over) => What::Over(over.clone()),
                },
            })
        };
        self.kept.update_with_expiry(&flow.to_owned(), now, seen)?
    }

    /// Takes what is held for turn `turn`, to be let go; only one gets it.
    pub(crate) fn take(
        &self,
        flow: &str,
        turn: u32,
        guess: Option<Happened>,
        runs_on: bool,
    ) -> Option<(Then, Option<PutOff>)> {
        let take = |stepping: &mut Stepping<E>| {
            let Stage::Held { pause, then, .. } = &stepping.stage else { return None };
            if stepping.turn != turn {
                return None;
            }
            // An answer sends the browser away; what else is let go keeps the code at work.
            let next = if matches!(then, Then::Answer(_)) { Stage::Away } else { Stage::Working };
            stepping.latest = Some((*pause, guess));
            stepping.runs_on |= runs_on;
            let Stage::Held { then, .. } = std::mem::replace(&mut stepping.stage, next) else { return None };
            Some((then, stepping.put_off.clone()))
        };
        self.kept.update(&flow.to_owned(), self.now(), take)?
    }

    /// Takes what the server's own code brought; only one gets it.
    pub(crate) fn take_ended(&self, flow: &str) -> Option<(E, Option<PutOff>)> {
        let take = |stepping: &mut Stepping<E>| {
            if !matches!(stepping.stage, Stage::Ended(_)) {
                return None;
            }
            match std::mem::replace(&mut stepping.stage, Stage::Working) {
                Stage::Ended(ended) => Some((ended, stepping.put_off.take())),
                _ => None,
            }
        };
        self.kept.update(&flow.to_owned(), self.now(), take)?
    }

    /// Nothing more is to come.
    pub(crate) fn close(&self, flow: &str, over: Over) {
        self.kept.update(&flow.to_owned(), self.now(), |stepping| {
            stepping.stage = Stage::Over(over);
            stepping.work = None;
        });
        self.turned.send_modify(|turn| *turn += 1);
    }

    /// Waits until the server's own code has come to something.
    pub async fn settled(&self, flow: &str) {
        let mut turned = self.turned.subscribe();
        let is_working = |stepping: &Stepping<E>| matches!(stepping.stage, Stage::Working);
        while self.kept.read(&flow.to_owned(), self.now(), is_working).unwrap_or(false) {
            if turned.changed().await.is_err() {
                return;
            }
        }
    }

    /// Forgets what took too long. Whoever waits for it learns that it is over.
    pub fn sweep(&self) {
        self.kept.sweep(self.now());
        self.turned.send_modify(|turn| *turn += 1);
    }

    /// Forgets what began after `since`.
    pub fn forget_since(&self, since: Timestamp) {
        self.kept.forget_since(since);
        self.turned.send_modify(|turn| *turn += 1);
    }
}
