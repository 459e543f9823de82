//! What is recorded of a flow: messages as they went over the wire, checks, and the lives of values.

use serde::{Deserialize, Serialize};

use super::{Check, Exchange, Release, Step};

/// One of the three who speak with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The user's browser.
    Browser,
    /// The Relying Party.
    Rp,
    /// The OpenID Provider.
    Idp,
}

impl Party {
    /// Its name in the catalogue and in stylesheets.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Browser => "web",
            Self::Rp => "rp",
            Self::Idp => "idp",
        }
    }
}

/// Something that happened in a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A message was sent or received.
    Message(Message),
    /// A check was made.
    Check(Check),
    /// Something happened to a value.
    Life(Life),
    /// A message that was held was changed, dropped or repeated, or somebody foretold what would come of it.
    Release(Release),
}

/// An event with its time and place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Who recorded it: one of the two servers, or a client that is a script in the browser.
    pub by: Party,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// The span of the request that was being answered.
    pub within: String,
    /// What happened.
    pub event: Event,
}

/// A request or a response, as one side saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What it is part of.
    pub exchange: Exchange,
    /// Who sent it.
    pub from: Party,
    /// Who received it.
    pub to: Party,
    /// Its first line.
    pub line: Line,
    /// Its headers in their order. What the HTTP library adds last (`Date`) is not among them.
    pub headers: Vec<(String, String)>,
    /// Its body as text; what is not UTF-8 stands as U+FFFD.
    pub body: String,
    /// How many bytes of the body are missing in [`Message::body`].
    pub cut: usize,
    /// What joins the two records of a back-channel message, and a request with its response: the `parent-id` of
    /// `traceparent` (W3C Trace Context §3.2), or a name that the recorder gave.
    pub span: String,
}

/// The first line of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Of a request.
    Request {
        /// `GET`, `POST`.
        method: String,
        /// Path and query, byte for byte.
        target: String,
    },
    /// Of a response.
    Status(u16),
}

impl Message {
    /// Whether it is a request.
    pub const fn is_request(&self) -> bool {
        matches!(self.line, Line::Request { .. })
    }

    /// Its status, if it is a response.
    pub const fn status(&self) -> Option<u16> {
        match self.line {
            Line::Status(status) => Some(status),
            Line::Request { .. } => None,
        }
    }

    /// The first header called `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The query of a request, without its `?`.
    pub fn query(&self) -> &str {
        match &self.line {
            Line::Request { target, .. } => target.split_once('?').map_or("", |(_, query)| query),
            Line::Status(_) => "",
        }
    }

    /// Whether the browser is one of the two who speak.
    pub fn is_front_channel(&self) -> bool {
        self.from == Party::Browser || self.to == Party::Browser
    }
}

/// A value whose life is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// `state`.
    State,
    /// `nonce`.
    Nonce,
    /// `code_verifier`.
    CodeVerifier,
    /// `code_challenge`.
    CodeChallenge,
    /// The authorization code.
    Code,
    /// The ID token.
    IdToken,
    /// The access token.
    AccessToken,
    /// The refresh token.
    RefreshToken,
    /// The RP's session.
    Session,
}

impl Value {
    /// All of them, in the order in which they come up.
    pub const ALL: [Self; 9] = [
        Self::State,
        Self::Nonce,
        Self::CodeVerifier,
        Self::CodeChallenge,
        Self::Code,
        Self::AccessToken,
        Self::IdToken,
        Self::RefreshToken,
        Self::Session,
    ];

    /// Its name in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Nonce => "nonce",
            Self::CodeVerifier => "code_verifier",
            Self::CodeChallenge => "code_challenge",
            Self::Code => "code",
            Self::IdToken => "id_token",
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::Session => "session",
        }
    }
}

/// What happens to a value at one of the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// It is made here.
    Created,
    /// It comes from the other side.
    Received,
    /// It, or its hash, is kept from now on.
    Stored,
    /// It goes to the other side.
    Sent,
    /// It is compared.
    Compared,
    /// It is kept no longer, or can never be used again.
    Destroyed,
}

impl Turn {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Created, Self::Received, Self::Stored, Self::Sent, Self::Compared, Self::Destroyed];

    /// Its name in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Received => "received",
            Self::Stored => "stored",
            Self::Sent => "sent",
            Self::Compared => "compared",
            Self::Destroyed => "destroyed",
        }
    }
}

/// One moment in the life of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// Which value.
    pub value: Value,
    /// What happens to it.
    pub turn: Turn,
    /// In which step.
    pub step: Step,
}

/// Where events are told to whoever watches the flow.
pub trait Sink: Send + Sync {
    /// Whether anybody watches this request. When nobody does, passed checks are not even written down.
    fn is_watching(&self) -> bool;

    /// Takes note of an event.
    fn record(&self, event: Event);

    /// What a message to the other server carries as `traceparent`, so that both records of it can be joined
    /// (W3C Trace Context §3.2), and the span in it.
    fn traceparent(&self) -> Option<(String, String)> {
        None
    }

    /// Takes note of what happens to values in a step.
    fn lives(&self, step: Step, moments: &[(Value, Turn)]) {
        if self.is_watching() {
            for (value, turn) in moments {
                self.record(Event::Life(Life { value: *value, turn: *turn, step }));
            }
        }
    }
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecording;

impl Sink for NoRecording {
    fn is_watching(&self) -> bool {
        false
    }

    fn record(&self, _event: Event) {}
}
