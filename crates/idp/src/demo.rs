//! The demo that is built in: one client and one user, as in the tutorial. Their secrets are public on purpose.

use shared::{
    ids::{ClientId, Subject},
    scope::Scope,
    secret::Secret,
};

use crate::domain::{
    client::{Client, RedirectUri},
    password::{HashError, PasswordHash},
    user::{User, Username},
};

/// What the demo user types as name.
pub const USERNAME: &str = "demo";
/// What the demo user types as password. The login page shows it.
pub const PASSWORD: &str = "DemoTest2024!";
/// What the demo client authenticates with.
pub const CLIENT_SECRET: &str = "client1-secret";

// The hash ships with the program: making it at every start would take as long as a login.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$h6NCzqqm9y0i9dPI2ryx+w$d2KvmeOi3pPCgLVRwj6MD4mJoicR3gfhdt/h7RqYxhE";

/// The client `client1`. `uri` is where it is at home.
pub fn client(uri: &str, redirect_uri: RedirectUri) -> Client {
    Client {
        id: ClientId::new("client1"),
        name: "Relying Party クライアントアプリ".into(),
        uri: uri.to_owned(),
        secret: Secret::new(CLIENT_SECRET).hash(),
        redirect_uris: vec![redirect_uri],
        scope: Scope::parse("openid profile email api.access rp.login").unwrap_or_default(),
    }
}

/// The user `demo`.
pub fn user() -> Result<User, HashError> {
    Ok(User {
        subject: Subject::new("1"),
        username: Username::parse(USERNAME),
        password: PasswordHash::parse(PASSWORD_HASH)?,
        name: "Demo User".into(),
        email: "1@example.com".into(),
        email_verified: true,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shared::random::SystemRandom;

    use super::*;
    use crate::passwords::Passwords;

    #[tokio::test]
    async fn the_demo_user_signs_in_with_the_password_that_the_page_shows() {
        let passwords = Arc::new(Passwords::new(&SystemRandom).unwrap());
        assert_eq!(passwords.verify(Secret::new(PASSWORD), Some(user().unwrap().password)).await, Ok(true));
    }
}
