//! What an attempt may become, and what may not be done with it.

use openidconnect::{AuthUrl, IssuerUrl, JsonWebKeySetUrl, TokenUrl};
use shared::{ids::ClientId, random::SeededRandom};

use super::*;
use crate::{algorithm::Algorithm, client::AuthMethod};

const NOW: Timestamp = Timestamp::from_unix(1000);
const LATER: Timestamp = Timestamp::from_unix(1600);

fn kept() -> Arc<Kept> {
    kept_with("/")
}

fn kept_with(next: &str) -> Arc<Kept> {
    let url = || "https://op.example".to_owned();
    Arc::new(Kept {
        scope: Scope::default(),
        client: Arc::new(Client {
            id: ClientId::new("client1"),
            secret: None,
            auth_method: AuthMethod::None,
            id_token_signed_response_alg: Algorithm::Rs256,
        }),
        provider: Arc::new(Metadata {
            issuer: IssuerUrl::new(url()).unwrap(),
            authorization_endpoint: AuthUrl::new(url()).unwrap(),
            pushed_authorization_request_endpoint: None,
            token_endpoint: TokenUrl::new(url()).unwrap(),
            userinfo_endpoint: None,
            jwks_uri: JsonWebKeySetUrl::new(url()).unwrap(),
            end_session_endpoint: None,
            announces_iss: true,
            revocation_endpoint: None,
            introspection_endpoint: None,
            registration_endpoint: None,
            flow_recording_endpoint: None,
            flow_steps_endpoint: None,
        }),
        nonce: Secret::new("nonce"),
        verifier: CodeVerifier::generate(&SeededRandom::new(1)),
        browser: SecretHash::of("cookie"),
        response_mode: shared::response_mode::ResponseMode::Query,
        next: next.into(),
        max_age: None,
    })
}

fn tokens() -> Tokens {
    received("access", "id")
}

fn received(access_token: &str, id_token: &str) -> Tokens {
    let (access_token, id_token) = (Secret::new(access_token), Secret::new(id_token));
    Tokens { access_token, id_token, refresh_token: None, expires: None, scope: None }
}

async fn store_with(state: &str) -> MemoryAttempts {
    let store = MemoryAttempts::with_capacity(8);
    let attempt = Attempt::Prepared(kept()).send().unwrap();
    store.begin(SecretHash::of(state), attempt, None, LATER, NOW).await.unwrap();
    store
}

#[actix_web::test]
async fn r1_a_state_is_claimed_once_and_by_its_own_browser_only() {
    let store = store_with("s").await;
    let claim = |cookie| store.claim(SecretHash::of("s"), cookie, NOW);
    assert!(matches!(claim(None).await, Claim::OtherBrowser));
    assert!(matches!(claim(Some("another")).await, Claim::OtherBrowser));
    assert!(matches!(claim(Some("cookie")).await, Claim::Claimed(_)));
    assert!(matches!(claim(Some("cookie")).await, Claim::Used));
}

#[actix_web::test]
async fn r1_a_state_is_unknown_when_its_time_is_up() {
    let store = store_with("s").await;
    let late = store.claim(SecretHash::of("s"), Some("cookie"), LATER).await;
    assert!(matches!(late, Claim::Unknown));
    let other = store.claim(SecretHash::of("t"), Some("cookie"), NOW).await;
    assert!(matches!(other, Claim::Unknown));
}

#[actix_web::test]
async fn r12_a_refusal_is_told_again_to_its_own_browser_only() {
    let store = store_with("s").await;
    store.claim(SecretHash::of("s"), Some("cookie"), NOW).await;
    let refused = Attempt::CalledBack(kept()).refuse(Problem::csrf()).unwrap();
    store.put(SecretHash::of("s"), refused, NOW).await;
    let again = store.claim(SecretHash::of("s"), Some("cookie"), NOW).await;
    assert!(matches!(again, Claim::Refused(problem) if problem.id == "csrf"));
    let stranger = store.claim(SecretHash::of("s"), None, NOW).await;
    assert!(matches!(stranger, Claim::OtherBrowser));
}

/// How many of `count` logins are begun that lead to `next`.
async fn begun(store: &MemoryAttempts, address: &str, next: &str, count: usize) -> usize {
    let mut begun = 0;
    for number in 0..count {
        let attempt = Attempt::Prepared(kept_with(next)).send().unwrap();
        let state = SecretHash::of(&format!("{address} {next} {number}"));
        begun += usize::from(store.begin(state, attempt, address.parse().ok(), LATER, NOW).await.is_ok());
    }
    begun
}

#[actix_web::test]
async fn i23_one_address_leaves_room_for_the_logins_of_others() {
    let store = MemoryAttempts::with_capacity(8);
    assert_eq!(begun(&store, "192.0.2.1", "/", 8).await, 4);
    assert_eq!(begun(&store, "192.0.2.2", "/", 4).await, 4);
    store.put(SecretHash::of("192.0.2.1 / 0"), Attempt::Validated, NOW).await;
    assert_eq!(begun(&store, "192.0.2.1", "/again", 1).await, 0, "one that is done counts until it ends");
    store.sweep(LATER).await;
    assert_eq!(begun(&store, "192.0.2.1", "/", 8).await, 4);
}

#[actix_web::test]
async fn i23_logins_fill_the_store_sooner_with_long_texts() {
    let store = MemoryAttempts::with_capacity(64);
    let long = format!("/{}", "x".repeat(16 * 1024));
    let fitted = begun(&store, "192.0.2.1", &long, 32).await;
    assert!((1..8).contains(&fitted), "{fitted}");
    let store = store_with("s").await;
    let long = |letter: &str| letter.repeat(20 * 1024);
    let received = Attempt::CalledBack(kept()).receive(received(&long("a"), &long("i")));
    store.put(SecretHash::of("s"), received.unwrap(), NOW).await;
    assert_eq!(begun(&store, "192.0.2.1", "/", 1).await, 0);
    let told = Problem::csrf().detail("d".repeat(20 * 1024));
    store.put(SecretHash::of("s"), Attempt::CalledBack(kept()).refuse(told).unwrap(), NOW).await;
    assert_eq!(begun(&store, "192.0.2.1", "/", 1).await, 0);
    store.put(SecretHash::of("s"), Attempt::Validated, NOW).await;
    assert_eq!(begun(&store, "192.0.2.1", "/", 1).await, 1);
}

#[test]
fn no_stage_can_be_skipped() {
    let sent = || Attempt::Prepared(kept()).send().unwrap();
    let called_back = || Attempt::CalledBack(kept());
    assert!(called_back().receive(tokens()).unwrap().validate().is_ok());
    assert!(called_back().decline().is_ok());
    for skipped in [
        sent().send(),
        sent().receive(tokens()),
        sent().decline(),
        sent().refuse(Problem::csrf()),
        called_back().validate(),
        Attempt::Validated.decline(),
        Attempt::Declined.validate(),
    ] {
        assert!(skipped.is_err());
    }
    let skipped = called_back().validate().unwrap_err();
    assert_eq!(skipped.to_string(), "a login attempt that is called back cannot become validated");
}
