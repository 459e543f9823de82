//! `idp keys list` and `idp keys rotate`, as an operator types them.

use std::fs;

use idp::keys::{Folder, KeyAlg};
use serde_json::Value;

use crate::{
    helpers::{Answer, http},
    keys::Temporary,
    process::{Running, idp},
};

/// What the program wrote, which must have ended well.
#[track_caller]
fn told(flags: &[&str]) -> String {
    let output = idp(flags).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{flags:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The one sentence by which it refused.
#[track_caller]
fn refused(flags: &[&str], code: i32) -> String {
    let output = idp(flags).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(code), 1), "{flags:?}: {said}");
    said
}

/// The table without its dates: algorithm and state.
fn states(table: &str) -> Vec<[&str; 2]> {
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.map(|cells| [cells[1], cells[2]]).collect()
}

#[test]
fn i24_keys_are_listed_with_their_state_and_replaced() {
    let folder = Temporary::named("commands");
    Folder::at(&folder.0).fill().unwrap();
    let keys = ["--keys", folder.as_str()];
    let table = told(&[&["keys", "list"][..], &keys].concat());
    assert_eq!(states(&table), [["RS256", "signing"], ["ES256", "signing"], ["EdDSA", "signing"]]);
    assert!(table.starts_with("KID "), "{table}");

    let said = told(&[&keys[..], &["keys", "rotate", "--alg", "es256"]].concat());
    let kid = said.strip_prefix("ES256: ").unwrap().split(' ').next().unwrap();
    assert!(said.lines().count() == 1 && said.ends_with("Z\n"), "{said}");
    let table = told(&[&keys[..], &["keys", "list"]].concat());
    assert_eq!(
        states(&table),
        [["RS256", "signing"], ["ES256", "signing"], ["ES256", "published"], ["EdDSA", "signing"]]
    );
    assert!(table.lines().nth(3).unwrap().starts_with(kid), "{table}");

    let again = refused(&[&keys[..], &["keys", "rotate"]].concat(), 1);
    assert!(again.contains("ES256") && again.contains("rotate again after"), "{again}");

    // At once, and said what that means.
    let said = told(&[&keys[..], &["keys", "rotate", "--alg", "EdDSA", "--wait", "0"]].concat());
    assert!(said.contains("60 seconds"), "{said}");
    let table = told(&[&keys[..], &["keys", "list"]].concat());
    assert_eq!(states(&table)[3..], [["EdDSA", "retained"], ["EdDSA", "signing"]]);
}

#[actix_web::test]
async fn i24_a_server_that_runs_takes_up_what_the_command_made() {
    let folder = Temporary::named("command-and-server");
    let keys = ["--keys", folder.as_str()];
    let running = Running::start(&keys).await;
    told(&[&keys[..], &["keys", "rotate"]].concat());
    let jwks: Value = Answer::of(http().get(format!("{}/oauth/jwks", running.issuer))).await.json();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 6);
}

#[actix_web::test]
async fn i24_what_is_wrong_in_the_folder_is_in_the_log() {
    let folder = Temporary::named("command-and-log");
    let running = Running::start(&["--keys", folder.as_str()]).await;
    fs::write(folder.0.join("rs256-9999999999.pem"), "-----BEGIN PRIVATE KEY-----\nMIIE").unwrap();
    let jwks: Value = Answer::of(http().get(format!("{}/oauth/jwks", running.issuer))).await.json();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 3);
    let log = running.log();
    let warning = log.lines().find(|line| line.contains("WARN")).unwrap_or_else(|| panic!("{log}"));
    for words in ["IDP_KEYS", "rs256-9999999999.pem", "the keys in use stay"] {
        assert!(warning.contains(words), "{words} is not in {warning}");
    }
}

#[test]
fn a_mistake_with_keys_is_said_in_one_sentence() {
    assert!(refused(&["keys", "list"], 2).contains("IDP_KEYS"));
    assert!(refused(&["keys", "rotate"], 2).contains("IDP_KEYS"));
    assert!(refused(&["keys", "rotate", "--alg", "HS256"], 2).contains("--alg"));
    assert!(refused(&["keys", "rotate", "--wait", "2m"], 2).contains("--wait"));

    let folder = Temporary::named("mistakes");
    let keys = ["--keys", folder.as_str()];
    for command in ["list", "rotate"] {
        let said = refused(&[&keys[..], &["keys", command]].concat(), 1);
        assert!(said.contains(folder.as_str()) && said.contains("no RS256 key"), "{said}");
    }
    Folder::at(&folder.0).fill().unwrap();
    fs::write(folder.0.join("eddsa.pem"), "not a key").unwrap();
    assert!(refused(&[&keys[..], &["keys", "list"]].concat(), 1).contains("eddsa.pem"));
    let start = ["--bind", "127.0.0.1:0", "--keys", folder.as_str()];
    let said = refused(&start, 1);
    assert!(
        said.contains("IDP_KEYS") && said.contains("eddsa.pem") && said.contains(KeyAlg::EdDsa.as_str()),
        "{said}"
    );
    fs::rename(folder.0.join("eddsa.pem"), folder.0.join("tls.pem")).unwrap();
    for flags in [&["keys", "list"][..], &["keys", "rotate"], &["--bind", "127.0.0.1:0"]] {
        assert!(refused(&[&keys[..], flags].concat(), 1).contains("tls.pem"));
    }
    let file = folder.0.join("tls.pem");
    assert!(refused(&["--keys", file.to_str().unwrap(), "keys", "list"], 1).contains("cannot be read"));
}
