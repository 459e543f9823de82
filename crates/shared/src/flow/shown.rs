//! What a check shows as its expected or actual value: a value of the protocol as it is, or words, which people read in
//! their own language.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeStruct as _};

/// A value, or words about one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown<'a> {
    /// A value of the protocol: `S256`, an address, a `nonce`.
    Value(Cow<'a, str>),
    /// Words.
    Words(Words),
    /// Words with a value in them.
    WordsWith(Words, Cow<'a, str>),
}

impl Shown<'_> {
    /// The same, to be kept.
    pub fn into_owned(self) -> Shown<'static> {
        match self {
            Self::Value(value) => Shown::Value(value.into_owned().into()),
            Self::Words(words) => Shown::Words(words),
            Self::WordsWith(words, value) => Shown::WordsWith(words, value.into_owned().into()),
        }
    }

    /// The words, if it is words.
    pub const fn words(&self) -> Option<Words> {
        match self {
            Self::Value(_) => None,
            Self::Words(words) | Self::WordsWith(words, _) => Some(*words),
        }
    }

    /// The value, or the value in the words; empty for mere words.
    pub fn value(&self) -> &str {
        match self {
            Self::Value(value) | Self::WordsWith(_, value) => value,
            Self::Words(_) => "",
        }
    }
}

impl<'a> From<&'a str> for Shown<'a> {
    fn from(value: &'a str) -> Self {
        Self::Value(value.into())
    }
}

impl From<String> for Shown<'_> {
    fn from(value: String) -> Self {
        Self::Value(value.into())
    }
}

impl From<Words> for Shown<'_> {
    fn from(words: Words) -> Self {
        Self::Words(words)
    }
}

/// A value, if there is one: an absent parameter is shown as such.
impl<'a> From<Option<&'a str>> for Shown<'a> {
    fn from(value: Option<&'a str>) -> Self {
        value.map_or(Self::Words(Words::Absent), Self::from)
    }
}

/// For logs, where the names of the words will do.
impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => f.write_str(value),
            Self::Words(words) => f.write_str(words.id()),
            Self::WordsWith(words, value) => write!(f, "{} {value}", words.id()),
        }
    }
}

/// `{ "words": null | id, "value": text }`, as templates read it.
impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_struct("Shown", 2)?;
        shown.serialize_field("words", &self.words().map(Words::id))?;
        shown.serialize_field("value", self.value())?;
        shown.end()
    }
}

impl<'de> Deserialize<'de> for Shown<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Kept {
            words: Option<String>,
            value: String,
        }
        let Kept { words, value } = Kept::deserialize(deserializer)?;
        let Some(id) = words else {
            return Ok(Self::Value(value.into()));
        };
        let words = Words::find(&id).ok_or_else(|| D::Error::custom("unknown words"))?;
        Ok(if value.is_empty() { Self::Words(words) } else { Self::WordsWith(words, value.into()) })
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $id:literal,)*) => {
        /// Words that a check can show: a closed set. Their texts stand in the catalogue under `shown.<id>`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Words {
            $($(#[$doc])* $name,)*
        }

        impl Words {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Their name in the catalogue.
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// The words called `id`.
            pub fn find(id: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|words| words.id() == id)
            }
        }
    };
}

words! {
    /// Nothing is there.
    Absent = "absent",
    /// Something is there.
    Present = "present",
    /// Nothing usable is there.
    AbsentOrMalformed = "absent_or_malformed",

    /// The id of a client that is registered.
    RegisteredClient = "registered_client",
    /// An address that the client is registered for.
    RegisteredAddress = "registered_address",
    /// A request that was pushed before.
    PushedRequest = "pushed_request",
    /// One that was not, or is forgotten.
    UnknownRequest = "unknown_request",
    /// A request object that the client signed.
    RequestObject = "request_object",
    /// A PKCE challenge.
    Challenge = "challenge",
    /// Values of `prompt` that can be followed.
    PromptValues = "prompt_values",
    /// An ID token that this provider issued.
    OwnIdToken = "own_id_token",
    /// One that it did not.
    OtherIdToken = "other_id_token",
    /// A number of seconds.
    Seconds = "seconds",
    /// A JSON object that asks for claims.
    ClaimsRequest = "claims_request",
    /// An `acr` that a login here reaches.
    AcrReachable = "acr_reachable",
    /// An essential `acr` that none does.
    AcrUnreachable = "acr_unreachable",
    /// A login that the request accepts.
    SuitableLogin = "suitable_login",
    /// More than one login.
    SeveralLogins = "several_logins",
    /// A consent that covers the request.
    RememberedConsent = "remembered_consent",
    /// The browser in which the login began.
    SameBrowser = "same_browser",
    /// Another browser than that.
    OtherBrowser = "other_browser",
    /// The CSRF token of this page.
    PageToken = "page_token",
    /// Another CSRF token, or none.
    OtherToken = "other_token",
    /// A try at a time when it may be made.
    AttemptDue = "attempt_due",
    /// A try before that, by so many seconds.
    TooSoon = "too_soon",
    /// The user's own password.
    CorrectPassword = "correct_password",
    /// Another password, or no such user.
    WrongPassword = "wrong_password",
    /// A client that proved who it is.
    Authenticated = "authenticated",
    /// A client that did not.
    NotAuthenticated = "not_authenticated",
    /// A client that has nothing to prove who it is with.
    PublicClient = "public_client",
    /// An assertion that the client's secret or one of its keys signed.
    SignedByClient = "signed_by_client",
    /// One that none of them signed.
    NotSignedByClient = "not_signed_by_client",
    /// A code that this provider issued.
    OwnCode = "own_code",
    /// A code that it did not issue.
    UnknownCode = "unknown_code",
    /// Issued to the client that presents it.
    ThisClient = "this_client",
    /// Issued to another client.
    OtherClient = "other_client",
    /// Within its lifetime.
    InTime = "in_time",
    /// After it.
    Late = "late",
    /// Not used before.
    Unused = "unused",
    /// Used before.
    Used = "used",
    /// A refresh token that this provider issued.
    OwnRefreshToken = "own_refresh_token",
    /// A refresh token that it did not issue, or has forgotten.
    UnknownRefreshToken = "unknown_refresh_token",
    /// What the user allowed still counts.
    Permitted = "permitted",
    /// It was taken back.
    TakenBack = "taken_back",
    /// A user who can sign in here.
    KnownUser = "known_user",
    /// Somebody who cannot, or cannot any more.
    UnknownUser = "unknown_user",
    /// A resource that somebody answers for.
    RegisteredResource = "registered_resource",
    /// Issued to whoever asks, or meant for it.
    ForWhoAsks = "for_who_asks",
    /// Neither.
    ForOthers = "for_others",
    /// A token that counts.
    Active = "active",
    /// A token that is unknown, late or revoked.
    Inactive = "inactive",

    /// A login that is under way.
    LoginUnderWay = "login_under_way",
    /// No such login.
    NoSuchLogin = "no_such_login",
    /// `iss` is absent, and was not announced.
    AbsentNotAnnounced = "absent_not_announced",
    /// The three parts of a signed JWT.
    SignedJwt = "signed_jwt",
    /// A text that is too long to be taken apart.
    TooLong = "too_long",
    /// So many parts.
    Parts = "parts",
    /// A part that is not base64url.
    NotBase64 = "not_base64",
    /// A part that is not a JSON object with unique names.
    NotJson = "not_json",
    /// Another kind of token.
    OtherType = "other_type",
    /// A `kid` that is not a text.
    KeyIdNotText = "key_id_not_text",
    /// 1 to 255 ASCII characters.
    SubjectText = "subject_text",
    /// This client and nobody else.
    NobodyElse = "nobody_else",
    /// Anything else than this.
    OtherThan = "other_than",
    /// Signed with the issuer's key of that name.
    SignedByKey = "signed_by_key",
    /// Signed with one of the issuer's keys.
    SignedByIssuer = "signed_by_issuer",
    /// Made with the client secret.
    MadeWithSecret = "made_with_secret",
    /// The issuer has no such key.
    NoSuchKey = "no_such_key",
    /// Signed by somebody else.
    SignedByOther = "signed_by_other",
    /// Ends after that moment.
    After = "after",
    /// Issued at that moment or earlier.
    NotAfter = "not_after",
    /// The library accepts it.
    Accepted = "accepted",
    /// A logout that this browser began.
    LogoutUnderWay = "logout_under_way",
    /// No such logout.
    NoSuchLogout = "no_such_logout",
    /// No claims were received.
    NoClaims = "no_claims",
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_have_names_of_their_own() {
        let names: HashSet<_> = Words::ALL.iter().map(|words| words.id()).collect();
        assert_eq!(names.len(), Words::ALL.len());
        assert_eq!(Words::find("absent"), Some(Words::Absent));
        assert_eq!(Words::find("x"), None);
    }

    #[test]
    fn what_was_shown_can_be_kept() {
        for shown in [Shown::from("S256"), Words::Absent.into(), Shown::WordsWith(Words::After, "12".into())]
        {
            let kept = serde_json::to_string(&shown).unwrap();
            assert_eq!(serde_json::from_str::<Shown<'static>>(&kept).unwrap(), shown);
        }
    }

    #[test]
    fn an_absent_value_is_shown_as_absent() {
        assert_eq!(Shown::from(None), Shown::Words(Words::Absent));
        assert_eq!(Shown::from(Some("S256")).value(), "S256");
    }
}
