//! The smallest configuration file, whole and spoiled, and what is said about it: the words of the tests.

use std::path::Path;

use shared::clock::Timestamp;

use super::{
    document::Mistakes,
    file::{Registrations, parse},
};

pub(super) const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$h6NCzqqm9y0i9dPI2ryx+w$d2KvmeOi3pPCgLVRwj6MD4mJoicR3gfhdt/h7RqYxhE";
pub(super) const LEAST: &str = "[[clients]]
client_id = 'app'
client_secret = 'app-secret'
redirect_uris = ['https://app.example/callback']

[[users]]
sub = '1'
username = 'mika'
password_hash = 'HASH'
";

pub(super) fn parsed(text: &str) -> Result<Registrations, Mistakes> {
    let (folder, now) = (Path::new("/no/such/folder"), Timestamp::from_unix(1_795_496_600));
    parse("idp.toml", &text.replace("HASH", HASH), folder, now)
}

/// The smallest file with `member` as the first line of `table`, in the place of its namesake; a name alone takes
/// the namesake away.
pub(super) fn spoiled(table: &str, member: &str) -> String {
    let namesake = format!("{} =", member.split(' ').next().unwrap());
    let mut lines: Vec<_> = LEAST.lines().filter(|line| !line.starts_with(&namesake)).collect();
    if member.contains('=') {
        lines.insert(lines.iter().position(|line| *line == table).unwrap() + 1, member);
    }
    lines.join("\n")
}

/// What is said about a file.
#[track_caller]
pub(super) fn said(text: &str) -> String {
    parsed(text).unwrap_err().to_string()
}
