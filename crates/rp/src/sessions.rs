//! All sessions: a store for actix-session that can end any of them. A store in cookies could not, and would send the
//! tokens to the browser.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use actix_session::{
    SessionMiddleware,
    config::{BrowserSession, CookieContentSecurity},
    storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError},
};
use actix_web::cookie::{Key, SameSite, time};
use anyhow::anyhow;
use shared::{
    clock::{Clock, Timestamp},
    random::Random,
    secret::{Secret, SecretHash},
};
use web::expiring::ExpiringMap;

use crate::{
    config::Settings,
    session::{self, USER, UserKey},
};

/// How many sessions there can be at a time.
const AT_MOST: usize = 10_000;
/// How many more the store takes: requests that found room at the same moment and save a little later. By then it is
/// too late for a page that says no.
const LET_IN: usize = 1_000;
/// What a session may take on average, in bytes: an ID token, claims and the checks take a third of it. One with much
/// from the userinfo endpoint takes the room of several.
const BYTES_EACH: usize = 16 * 1024;
/// How long an ended session is remembered, so that the page can say that it has ended.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// How long a session lives in which nobody is signed in. It holds a notice for the next page and nothing else, and
/// anybody can make one.
const ANONYMOUS: Duration = Duration::from_secs(60);

/// All sessions, in the memory of this process, under the hashes of their keys.
#[derive(Clone)]
pub struct Sessions {
    entries: Arc<ExpiringMap<SecretHash, Entry>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

#[derive(Debug)]
struct Entry {
    state: HashMap<String, String>,
    user: Option<UserKey>,
}

impl From<HashMap<String, String>> for Entry {
    fn from(state: HashMap<String, String>) -> Self {
        let user = state.get(USER).and_then(|user| serde_json::from_str(user).ok());
        Self { state, user }
    }
}

impl Entry {
    /// What its texts take, in bytes.
    fn weight(&self) -> usize {
        self.state.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}

impl Sessions {
    /// No sessions yet.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let entries = ExpiringMap::shared(AT_MOST + LET_IN, Entry::weight, |_| Vec::new());
        Self { entries: Arc::new(entries.of_bytes_each(BYTES_EACH)), clock, random }
    }

    /// The middleware that gives each request its session. `signing_key` must be the same for every worker.
    pub fn middleware(&self, settings: &Settings, signing_key: Key) -> SessionMiddleware<Self> {
        let lifetime = settings.session_lifetime + REMEMBERED;
        let lifetime = time::Duration::seconds(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX));
        SessionMiddleware::builder(self.clone(), signing_key)
            .cookie_name(settings.session_cookie.clone())
            .cookie_path(settings.home())
            .cookie_secure(settings.base_url.is_https())
            .cookie_http_only(true)
            .cookie_same_site(SameSite::Lax)
            // The key in it is unguessable; the signature saves looking up what was never ours.
            .cookie_content_security(CookieContentSecurity::Signed)
            .session_lifecycle(BrowserSession::default().state_ttl(lifetime))
            .build()
    }

    /// Whether there is room for another session. Who is going to start one asks first.
    pub fn have_room(&self) -> bool {
        self.entries.has_room_below(AT_MOST, self.clock.now())
    }

    /// Ends one session, wherever it is open.
    pub fn revoke(&self, key: &Secret) {
        self.entries.take(&key.hash(), self.clock.now());
    }

    /// Ends every session of a user.
    pub fn revoke_user(&self, user: &UserKey) {
        self.entries.retain(|entry| entry.user.as_ref() != Some(user));
    }

    /// Ends every session that began after `since`, in a time that never was.
    pub fn forget_since(&self, since: Timestamp) {
        self.entries.forget_since(since);
    }

    /// Forgets sessions whose time is up.
    pub fn sweep(&self) {
        self.entries.sweep(self.clock.now());
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl SessionStore for Sessions {
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        let hash = SecretHash::of(key.as_ref());
        Ok(self.entries.read(&hash, self.clock.now(), |entry| entry.state.clone()))
    }

    async fn save(
        &self,
        state: HashMap<String, String>,
        lifetime: &time::Duration,
    ) -> Result<SessionKey, SaveError> {
        let key = Secret::mint("rps_", &*self.random);
        let now = self.clock.now();
        let entry = Entry::from(state);
        let lifetime = match entry.user {
            Some(_) => Duration::from_secs(u64::try_from(lifetime.whole_seconds()).unwrap_or(0)),
            None => ANONYMOUS,
        };
        self.entries
            .insert(key.hash(), entry, now + lifetime, now)
            .map_err(|full| SaveError::Other(anyhow!(full)))?;
        SessionKey::try_from(key.expose().to_owned()).map_err(|error| SaveError::Other(anyhow!(error)))
    }

    /// A session ends when it was to end, however often it is used. One that was revoked while this request was under
    /// way is not brought back.
    async fn update(
        &self,
        key: SessionKey,
        mut state: HashMap<String, String>,
        _lifetime: &time::Duration,
    ) -> Result<SessionKey, UpdateError> {
        let hash = SecretHash::of(key.as_ref());
        self.entries.update(&hash, self.clock.now(), |entry| {
            session::keep_newer_tokens(&entry.state, &mut state);
            *entry = state.into();
        });
        Ok(key)
    }

    async fn update_ttl(&self, _key: &SessionKey, _lifetime: &time::Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        self.entries.take(&SecretHash::of(key.as_ref()), self.clock.now());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use shared::{
        clock::{ManualClock, Timestamp},
        random::SeededRandom,
    };

    use super::*;

    const HOUR: time::Duration = time::Duration::hours(1);

    fn sessions() -> (Sessions, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(1000)));
        let sessions = Sessions::new(clock.clone(), Arc::new(SeededRandom::new(1)));
        (sessions, clock)
    }

    fn state_of(iss: &str, sub: &str) -> HashMap<String, String> {
        let user = UserKey { iss: iss.into(), sub: sub.into() };
        HashMap::from([(USER.to_owned(), serde_json::to_string(&user).unwrap())])
    }

    async fn is_open(sessions: &Sessions, key: &SessionKey) -> bool {
        sessions.load(key).await.unwrap().is_some()
    }

    #[actix_web::test]
    async fn r10_a_session_ends_when_it_was_to_end_however_often_it_is_used() {
        let (sessions, clock) = sessions();
        let key = sessions.save(state_of("i", "1"), &HOUR).await.unwrap();
        clock.advance(Duration::from_secs(3599));
        let key = sessions.update(key, state_of("i", "1"), &HOUR).await.unwrap();
        assert!(is_open(&sessions, &key).await);
        clock.advance(Duration::from_secs(1));
        assert!(!is_open(&sessions, &key).await);
    }

    #[actix_web::test]
    async fn a_session_in_which_nobody_is_signed_in_lives_a_minute() {
        let (sessions, clock) = sessions();
        let notice = HashMap::from([("notice".to_owned(), "{}".to_owned())]);
        let key = sessions.save(notice, &HOUR).await.unwrap();
        clock.advance(Duration::from_secs(59));
        assert!(is_open(&sessions, &key).await);
        clock.advance(Duration::from_secs(1));
        assert!(!is_open(&sessions, &key).await);
    }

    #[actix_web::test]
    async fn full_of_users_there_is_room_again_when_a_session_ends() {
        let (sessions, clock) = sessions();
        for _ in 0..AT_MOST {
            sessions.save(state_of("i", "1"), &HOUR).await.unwrap();
        }
        assert!(!sessions.have_room());
        clock.advance(Duration::from_secs(3600));
        assert!(sessions.have_room());
    }

    #[actix_web::test]
    async fn i23_few_large_sessions_fill_the_store_as_many_small_ones_do() {
        const LARGE: usize = 256 * 1024;
        let (sessions, clock) = sessions();
        let mut large = state_of("i", "1");
        large.insert("claims".to_owned(), "x".repeat(LARGE));
        let mut saved = 0;
        while sessions.have_room() {
            sessions.save(large.clone(), &HOUR).await.unwrap();
            saved += 1;
        }
        assert!(saved <= AT_MOST * BYTES_EACH / LARGE, "{saved}");
        clock.advance(Duration::from_secs(3600));
        assert!(sessions.have_room());
    }

    #[actix_web::test]
    async fn who_found_room_a_moment_ago_is_let_in_though_it_is_full_now() {
        let (sessions, _) = sessions();
        for _ in 1..AT_MOST {
            sessions.save(state_of("i", "1"), &HOUR).await.unwrap();
        }
        assert!(sessions.have_room());
        for _ in 0..=LET_IN {
            sessions.save(state_of("i", "1"), &HOUR).await.unwrap();
        }
        assert!(sessions.save(state_of("i", "1"), &HOUR).await.is_err(), "even that has an end");
    }

    #[actix_web::test]
    async fn r9_all_sessions_of_a_user_can_be_ended_and_only_that_users() {
        let (sessions, _) = sessions();
        let mut keys = Vec::new();
        for (iss, sub) in [("i", "1"), ("i", "1"), ("i", "2"), ("j", "1")] {
            keys.push(sessions.save(state_of(iss, sub), &HOUR).await.unwrap());
        }
        sessions.revoke_user(&UserKey { iss: "i".into(), sub: "1".into() });
        let mut open = Vec::new();
        for key in &keys {
            open.push(is_open(&sessions, key).await);
        }
        assert_eq!(open, [false, false, true, true]);
    }

    #[actix_web::test]
    async fn r10_a_revoked_session_is_not_brought_back_by_a_request_under_way() {
        let (sessions, _) = sessions();
        let key = sessions.save(state_of("i", "1"), &HOUR).await.unwrap();
        sessions.revoke(&Secret::new(key.as_ref()));
        let key = sessions.update(key, state_of("i", "1"), &HOUR).await.unwrap();
        assert!(!is_open(&sessions, &key).await);
    }

    #[actix_web::test]
    async fn r10_the_store_holds_no_key_that_would_open_a_session() {
        let (sessions, _) = sessions();
        let key = sessions.save(state_of("i", "1"), &HOUR).await.unwrap();
        let held = format!("{:?}", sessions.entries);
        assert!(!held.contains(key.as_ref()));
    }
}
