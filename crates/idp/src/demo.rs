//! The demo that is built in: clients and users as in the tutorial, and a few more to compare with. Their secrets are
//! public on purpose. With a configuration file of one's own nothing of this exists.

use jsonwebtoken::Algorithm;
use shared::{
    ids::{ClientId, Subject},
    scope::Scope,
    secret::Secret,
};
use url::Url;

use crate::domain::{
    auth_method::AuthMethod,
    claims::{Address, StandardClaims},
    client::{AccessTokenFormat, Client, GrantType},
    client_keys::ClientKeys,
    password::{HashError, PasswordHash},
    redirect_uri::RedirectUri,
    user::{User, Username},
};

/// What the demo users type. The login page shows it.
pub const PEOPLE: [(&str, &str); 2] = [("demo", "DemoTest2024!"), ("alice", "AliceTest2024!")];

// The hashes ship with the program: making them at every start would take as long as a login each.
const DEMO_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$h6NCzqqm9y0i9dPI2ryx+w$d2KvmeOi3pPCgLVRwj6MD4mJoicR3gfhdt/h7RqYxhE";
const ALICE_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$+kKhA+F78b6KGlOr/15pHg$MTSDBKVPrpVh4ChIwcyoC7tJarsHE1FRxTwBofdKh14";

/// Where a second RP would listen, beside the first.
const SECOND_RP: &str = "http://127.0.0.1:5003/auth";

/// The clients. `redirect_uri` is the RP's; each of the clients may be tried there.
pub fn clients(redirect_uri: &RedirectUri) -> Vec<Client> {
    let second = RedirectUri::parse(SECOND_RP).unwrap_or_else(|_| redirect_uri.clone());
    let both = vec![redirect_uri.clone(), second];
    let client1 = Client {
        name: "Relying Party クライアントアプリ".into(),
        uri: redirect_uri.site().into(),
        secret: Some(Secret::new("client1-secret")),
        // The RP publishes the key that it signs with, whichever of the clients it is.
        keys: Url::parse(&format!("{}jwks", redirect_uri.site())).ok().map(ClientKeys::Published),
        redirect_uris: vec![redirect_uri.clone()],
        post_logout_redirect_uris: after_logout(redirect_uri),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        // The RP asks for offline_access only when it is told to: a login looks like the tutorial's.
        scope: scope("openid profile email api.access rp.login offline_access"),
        // A learner sees the consent page every time.
        remember_consent: false,
        ..Client::of("client1")
    };
    let like_client1 = |id: &str, name: &str, secret: Option<&str>| Client {
        id: ClientId::new(id),
        name: name.into(),
        secret: secret.map(Secret::new),
        redirect_uris: both.clone(),
        post_logout_redirect_uris: both.iter().flat_map(after_logout).collect(),
        ..client1.clone()
    };
    let client2 = Client {
        scope: scope("openid profile email address phone api.access rp.login offline_access"),
        remember_consent: true,
        ..like_client1("client2", "Second Client 二つ目のアプリ", Some("client2-secret"))
    };
    // RFC 7518 §3.2: a secret that signs with HS256 has 32 bytes at least.
    let hs256_secret = Some("client-hs256-secret-of-32-bytes-or-more");
    let client_hs256 = Client {
        // One that cannot renew its tokens, to compare with.
        grant_types: vec![GrantType::AuthorizationCode],
        scope: scope("openid profile email api.access rp.login"),
        id_token_signed_response_alg: Some(Algorithm::HS256),
        ..like_client1("client-hs256", "HS256 Client 共有鍵のアプリ", hs256_secret)
    };
    let client_jwt = Client {
        access_token_format: AccessTokenFormat::Jwt,
        ..like_client1("client-jwt", "JWT Client JWT のアプリ", Some("client-jwt-secret"))
    };
    // One for each other way to authenticate.
    let client_post = Client {
        auth_method: AuthMethod::ClientSecretPost,
        ..like_client1("client-post", "Post Client フォームで示すアプリ", Some("client-post-secret"))
    };
    let jwt_secret = Some("client-secret-jwt-secret-of-32-bytes-or-more");
    let client_secret_jwt = Client {
        auth_method: AuthMethod::ClientSecretJwt,
        ..like_client1("client-secret-jwt", "Assertion Client 表明するアプリ", jwt_secret)
    };
    let client_private_key = Client {
        auth_method: AuthMethod::PrivateKeyJwt,
        ..like_client1("client-private-key", "Private Key Client 秘密鍵のアプリ", None)
    };
    let in_the_browser = RedirectUri::parse(&format!("{}spa", redirect_uri.site()));
    let client_public = Client {
        auth_method: AuthMethod::None,
        redirect_uris: both.iter().cloned().chain(in_the_browser.clone()).collect(),
        post_logout_redirect_uris: in_the_browser
            .into_iter()
            .chain(both.iter().flat_map(after_logout))
            .collect(),
        ..like_client1("client-public", "Public Client 公開クライアント", None)
    };
    vec![
        client1,
        client2,
        client_hs256,
        client_jwt,
        client_post,
        client_secret_jwt,
        client_private_key,
        client_public,
    ]
}

fn scope(values: &str) -> Scope {
    Scope::parse(values).unwrap_or_default()
}

/// The API that comes with the provider, for whoever wants to ask about tokens in its name: it answers for `resource`,
/// and signs nobody in.
pub fn resource_server(resource: String) -> Client {
    Client { resource: vec![resource], ..without_users("api", "Notes API メモの API", "api-secret") }
}

/// A program that calls the API for itself.
pub fn service() -> Client {
    Client {
        grant_types: vec![GrantType::ClientCredentials],
        access_token_format: AccessTokenFormat::Jwt,
        ..without_users("service", "Nightly Service 夜間の処理", "service-secret")
    }
}

/// A client that signs nobody in.
fn without_users(id: &str, name: &str, secret: &str) -> Client {
    Client {
        name: name.into(),
        secret: Some(Secret::new(secret)),
        grant_types: Vec::new(),
        scope: scope("api.access"),
        ..Client::of(id)
    }
}

/// The RP's page after a sign-out lies beside its callback.
fn after_logout(redirect_uri: &RedirectUri) -> Vec<RedirectUri> {
    let base = redirect_uri.as_str().strip_suffix("/auth");
    base.and_then(|base| RedirectUri::parse(&format!("{base}/logout/done")).ok()).into_iter().collect()
}

/// The users: the tutorial's, and one of whom everything is known.
pub fn users() -> Result<Vec<User>, HashError> {
    let [(demo, _), (alice, _)] = PEOPLE;
    Ok(vec![
        User::new(
            Subject::new("1"),
            Username::parse(demo),
            PasswordHash::parse(DEMO_HASH)?,
            &StandardClaims {
                name: Some("Demo User".into()),
                email: Some("1@example.com".into()),
                email_verified: Some(true),
                ..StandardClaims::default()
            },
        ),
        User::new(
            Subject::new("2"),
            Username::parse(alice),
            PasswordHash::parse(ALICE_HASH)?,
            &alice_claims(),
        ),
    ])
}

fn alice_claims() -> StandardClaims {
    let text = |text: &str| Some(text.to_owned());
    StandardClaims {
        name: text("Alice Mary Example"),
        given_name: text("Alice"),
        family_name: text("Example"),
        middle_name: text("Mary"),
        nickname: text("Ali"),
        preferred_username: text("alice"),
        profile: text("https://people.example/alice"),
        picture: text("https://people.example/alice.png"),
        website: text("https://alice.example"),
        gender: text("female"),
        birthdate: text("1990-04-01"),
        zoneinfo: text("Asia/Tokyo"),
        locale: text("ja-JP"),
        updated_at: Some(1_767_225_600),
        email: text("2@example.com"),
        email_verified: Some(true),
        address: Some(Address {
            formatted: text("1-1 Example-cho, Chiyoda-ku, Tokyo 100-0000, Japan"),
            street_address: text("1-1 Example-cho, Chiyoda-ku"),
            locality: text("Tokyo"),
            region: None,
            postal_code: text("100-0000"),
            country: text("JP"),
        }),
        phone_number: text("+81 3 0000 0000"),
        phone_number_verified: Some(false),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shared::random::SystemRandom;

    use super::*;
    use crate::passwords::Passwords;

    #[tokio::test]
    async fn each_demo_user_signs_in_with_the_password_that_the_page_shows() {
        let passwords = Arc::new(Passwords::new(&SystemRandom).unwrap());
        for (user, (username, password)) in users().unwrap().into_iter().zip(PEOPLE) {
            assert_eq!(user.username.as_str(), username);
            assert_eq!(passwords.verify(Secret::new(password), Some(user.password)).await, Ok(true));
        }
    }

    #[test]
    fn wherever_a_demo_client_signs_in_it_also_signs_out() {
        let first = RedirectUri::parse("http://127.0.0.1:5002/auth").unwrap();
        for client in clients(&first) {
            for redirect_uri in client.redirect_uris.iter().filter(|it| it.as_str().ends_with("/auth")) {
                let back = format!("{}logout/done", redirect_uri.site());
                assert!(
                    client.post_logout_redirect_uris.iter().any(|it| it.as_str() == back),
                    "{back} of {}",
                    client.id
                );
            }
        }
    }
}
