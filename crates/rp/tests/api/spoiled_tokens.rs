//! Every way to spoil an ID token that we know of, what our checks say to it, and what the library says.

use std::{collections::BTreeSet, sync::Arc};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rp::{
    provider::KeySet,
    validate::{self, DIVERGENCES, Divergence, Expected},
};
use serde_json::{Value, json};
use shared::{
    clock::Timestamp,
    flow::{Checks, Failed, NoRecording, Rule},
    id_token::at_hash,
};

use crate::keys::{EVIL, HONEST, NEXT, key_set, unsigned};

const NOW: i64 = 1_795_496_600;
const ISSUER: &str = "https://op.example";
const ACCESS_TOKEN: &str = "access-token-1";

/// What our own checks should say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ours {
    Accept,
    Refuse(Rule),
}

/// What the library should say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    Accepts,
    Refuses,
}

use Library::{Accepts, Refuses};
use Ours::{Accept, Refuse};

struct Spoiled {
    name: &'static str,
    ours: Ours,
    library: Library,
    token: String,
}

fn good_header() -> Value {
    json!({ "typ": "JWT", "alg": "RS256", "kid": "honest" })
}

fn good_claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "1", "aud": "client1", "exp": NOW + 3600, "iat": NOW, "auth_time": NOW,
        "nonce": "n-1", "at_hash": at_hash(ACCESS_TOKEN), "amr": ["pwd"], "name": "Demo User",
    })
}

/// A token that the honest key signed, with another value for one claim; `Null` leaves it out.
fn claim(name: &'static str, value: Value) -> String {
    let mut claims = good_claims();
    set(&mut claims, name, value);
    HONEST.sign(&good_header(), &claims)
}

/// A token that the honest key signed, with another value for one header member.
fn header(name: &'static str, value: Value) -> String {
    let mut header = good_header();
    set(&mut header, name, value);
    HONEST.sign(&header, &good_claims())
}

/// A token that somebody else signed, with another value for one header member.
fn forged(name: &'static str, value: Value) -> String {
    let mut header = good_header();
    set(&mut header, name, value);
    EVIL.sign(&header, &good_claims())
}

fn set(object: &mut Value, name: &str, value: Value) {
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}

fn spoiled(name: &'static str, ours: Ours, library: Library, token: String) -> Spoiled {
    Spoiled { name, ours, library, token }
}

#[rustfmt::skip]
fn headers() -> Vec<Spoiled> {
    let hmac_with_public_key = |alg: &str| {
        let signed = unsigned(&json!({ "alg": alg, "kid": "honest" }).to_string(), &good_claims().to_string());
        let key = hmac::Key::new(hmac::HMAC_SHA256, HONEST.public_bytes());
        let signature = hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let without_signature = |alg: &str| unsigned(&json!({ "alg": alg }).to_string(), &good_claims().to_string()) + ".";
    let rs512 = json!({ "alg": "RS512", "kid": "honest" });
    vec![
        spoiled("alg none", Refuse(Rule::Algorithm), Refuses, without_signature("none")),
        spoiled("alg nOnE", Refuse(Rule::Algorithm), Refuses, without_signature("nOnE")),
        spoiled("alg none, signed all the same", Refuse(Rule::Algorithm), Refuses, header("alg", json!("none"))),
        spoiled("alg HS256 with the public key", Refuse(Rule::Algorithm), Refuses, hmac_with_public_key("HS256")),
        spoiled("alg RS512, signed with it", Refuse(Rule::Algorithm), Refuses, HONEST.sign_rs512(&rs512, &good_claims())),
        spoiled("alg of its own making", Refuse(Rule::Algorithm), Refuses, header("alg", json!("XS1"))),
        spoiled("alg missing", Refuse(Rule::Algorithm), Refuses, header("alg", Value::Null)),
        spoiled("alg a list", Refuse(Rule::Algorithm), Refuses, header("alg", json!(["RS256"]))),
        spoiled("jwk embedded", Refuse(Rule::Signature), Refuses, forged("jwk", EVIL.jwk())),
        spoiled("jku to another key set", Refuse(Rule::Signature), Refuses, forged("jku", json!("https://evil.example/jwks"))),
        spoiled("x5u to another certificate", Refuse(Rule::Signature), Refuses, forged("x5u", json!("https://evil.example/x5u"))),
        spoiled("jku on an honest token", Accept, Accepts, header("jku", json!("https://evil.example/jwks"))),
        spoiled("kid with ../", Refuse(Rule::Signature), Refuses, header("kid", json!("../../../dev/null"))),
        spoiled("kid of no key", Refuse(Rule::Signature), Refuses, header("kid", json!("unknown"))),
        spoiled("kid a number", Refuse(Rule::TokenWellFormed), Refuses, header("kid", json!(7))),
        spoiled("no kid, several keys", Accept, Refuses, header("kid", Value::Null)),
        spoiled("crit", Refuse(Rule::CriticalHeader), Refuses, header("crit", json!(["exp"]))),
        spoiled("crit empty", Refuse(Rule::CriticalHeader), Refuses, header("crit", json!([]))),
        spoiled("typ of an access token", Refuse(Rule::TokenWellFormed), Refuses, header("typ", json!("at+jwt"))),
        spoiled("typ of a logout token", Refuse(Rule::TokenWellFormed), Refuses, header("typ", json!("logout+jwt"))),
        spoiled("typ JOSE", Refuse(Rule::TokenWellFormed), Accepts, header("typ", json!("JOSE"))),
        spoiled("typ missing", Accept, Accepts, header("typ", Value::Null)),
        spoiled("cty present", Accept, Refuses, header("cty", json!("JWT"))),
        spoiled("a header of 256 KB", Refuse(Rule::TokenWellFormed), Accepts, header("x", json!("x".repeat(256 * 1024)))),
    ]
}

#[rustfmt::skip]
fn claims() -> Vec<Spoiled> {
    vec![
        spoiled("nothing", Accept, Accepts, HONEST.sign(&good_header(), &good_claims())),
        spoiled("iss of another issuer", Refuse(Rule::IssuerClaim), Refuses, claim("iss", json!("https://evil.example"))),
        spoiled("iss with a slash", Refuse(Rule::IssuerClaim), Refuses, claim("iss", json!("https://op.example/"))),
        spoiled("iss in capitals", Refuse(Rule::IssuerClaim), Refuses, claim("iss", json!("https://OP.example"))),
        spoiled("iss missing", Refuse(Rule::IssuerClaim), Refuses, claim("iss", Value::Null)),
        spoiled("iss a list", Refuse(Rule::IssuerClaim), Refuses, claim("iss", json!([ISSUER]))),
        spoiled("sub missing", Refuse(Rule::SubjectClaim), Refuses, claim("sub", Value::Null)),
        spoiled("sub empty", Refuse(Rule::SubjectClaim), Accepts, claim("sub", json!(""))),
        spoiled("sub a number", Refuse(Rule::SubjectClaim), Refuses, claim("sub", json!(1))),
        spoiled("sub of 255 characters", Accept, Accepts, claim("sub", json!("x".repeat(255)))),
        spoiled("sub of 256 characters", Refuse(Rule::SubjectClaim), Accepts, claim("sub", json!("x".repeat(256)))),
        spoiled("sub not ASCII", Refuse(Rule::SubjectClaim), Accepts, claim("sub", json!("ユーザー"))),
        spoiled("aud of another client", Refuse(Rule::Audience), Refuses, claim("aud", json!("client2"))),
        spoiled("aud missing", Refuse(Rule::Audience), Refuses, claim("aud", Value::Null)),
        spoiled("aud empty", Refuse(Rule::Audience), Refuses, claim("aud", json!([]))),
        spoiled("aud with another beside us", Refuse(Rule::Audience), Refuses, claim("aud", json!(["client1", "client2"]))),
        spoiled("aud with a number beside us", Refuse(Rule::Audience), Refuses, claim("aud", json!(["client1", 7]))),
        spoiled("aud that begins like us", Refuse(Rule::Audience), Refuses, claim("aud", json!("client10"))),
        spoiled("aud a list of us", Accept, Accepts, claim("aud", json!(["client1"]))),
        spoiled("azp of another client", Refuse(Rule::AuthorizedParty), Accepts, claim("azp", json!("client2"))),
        spoiled("azp a number", Refuse(Rule::AuthorizedParty), Refuses, claim("azp", json!(7))),
        spoiled("azp us", Accept, Accepts, claim("azp", json!("client1"))),
        spoiled("exp 60 s ago", Refuse(Rule::Expiry), Refuses, claim("exp", json!(NOW - 60))),
        spoiled("exp 59 s ago", Accept, Accepts, claim("exp", json!(NOW - 59))),
        spoiled("exp yesterday", Refuse(Rule::Expiry), Refuses, claim("exp", json!(NOW - 86_400))),
        spoiled("exp a text", Refuse(Rule::Expiry), Refuses, claim("exp", json!((NOW + 3600).to_string()))),
        spoiled("exp missing", Refuse(Rule::Expiry), Refuses, claim("exp", Value::Null)),
        spoiled("exp a fraction", Accept, Accepts, claim("exp", json!(1_795_500_200.5))),
        spoiled("exp beyond all numbers", Refuse(Rule::Expiry), Refuses, claim("exp", json!(1e300))),
        spoiled("exp in the year 3 billion", Accept, Refuses, claim("exp", json!(100_000_000_000_000_000_i64))),
        spoiled("iat 61 s ahead", Refuse(Rule::IssuedAt), Accepts, claim("iat", json!(NOW + 61))),
        spoiled("iat 60 s ahead", Accept, Accepts, claim("iat", json!(NOW + 60))),
        spoiled("iat missing", Refuse(Rule::IssuedAt), Refuses, claim("iat", Value::Null)),
        spoiled("iat a text", Refuse(Rule::IssuedAt), Refuses, claim("iat", json!(NOW.to_string()))),
        spoiled("nonce of another login", Refuse(Rule::Nonce), Refuses, claim("nonce", json!("n-2"))),
        spoiled("nonce missing", Refuse(Rule::Nonce), Refuses, claim("nonce", Value::Null)),
        spoiled("nonce empty", Refuse(Rule::Nonce), Refuses, claim("nonce", json!(""))),
        spoiled("nonce a list", Refuse(Rule::Nonce), Refuses, claim("nonce", json!(["n-1"]))),
        spoiled("at_hash of another token", Refuse(Rule::AccessTokenHash), Accepts, claim("at_hash", json!(at_hash("another")))),
        spoiled("at_hash by SHA-512", Refuse(Rule::AccessTokenHash), Accepts, claim("at_hash", json!("x".repeat(43)))),
        spoiled("at_hash a number", Refuse(Rule::AccessTokenHash), Refuses, claim("at_hash", json!(7))),
        spoiled("at_hash missing", Accept, Accepts, claim("at_hash", Value::Null)),
        spoiled("name is a number", Accept, Refuses, claim("name", json!(7))),
    ]
}

#[rustfmt::skip]
fn forms() -> Vec<Spoiled> {
    let good = HONEST.sign(&good_header(), &good_claims());
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let (header, claims) = (good_header().to_string(), good_claims().to_string());
    let twice = |object: &str, member: &str| object.replacen('{', &format!("{{{member},"), 1);
    let other_sub = encoded(&claims.replace(r#""sub":"1""#, r#""sub":"2""#));
    let unknown_twice = twice(&twice(&claims, r#""x":1"#), r#""x":2"#);
    let unknown_twice_above = twice(&twice(&header, r#""x":1"#), r#""x":2"#);
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    vec![
        spoiled("signed by another key", Refuse(Rule::Signature), Refuses, EVIL.sign(&good_header(), &good_claims())),
        spoiled("claims changed behind the signature", Refuse(Rule::Signature), Refuses, format!("{head}.{other_sub}.{signature}")),
        spoiled("one bit of the signature changed", Refuse(Rule::Signature), Refuses, format!("{head}.{body}.{flipped}{}", &signature[1..])),
        spoiled("signature cut off", Refuse(Rule::Signature), Refuses, format!("{head}.{body}.")),
        spoiled("signature cut short", Refuse(Rule::Signature), Refuses, format!("{head}.{body}.{}", &signature[..signature.len() - 2])),
        spoiled("stray bits behind the signature", Refuse(Rule::TokenWellFormed), Accepts, with_stray_bits(&good)),
        spoiled("one part", Refuse(Rule::TokenWellFormed), Refuses, head.to_owned()),
        spoiled("two parts", Refuse(Rule::TokenWellFormed), Refuses, format!("{head}.{body}")),
        spoiled("four parts", Refuse(Rule::TokenWellFormed), Refuses, format!("{good}.{signature}")),
        spoiled("five parts", Refuse(Rule::TokenWellFormed), Refuses, format!("{head}.{body}.{signature}.{body}.{signature}")),
        spoiled("nothing at all", Refuse(Rule::TokenWellFormed), Refuses, String::new()),
        spoiled("two dots", Refuse(Rule::TokenWellFormed), Refuses, "..".to_owned()),
        spoiled("an opaque token", Refuse(Rule::TokenWellFormed), Refuses, ACCESS_TOKEN.to_owned()),
        spoiled("padded", Refuse(Rule::TokenWellFormed), Refuses, format!("{good}=")),
        spoiled("a line end behind it", Refuse(Rule::TokenWellFormed), Refuses, format!("{good}\n")),
        spoiled("a header that is not JSON", Refuse(Rule::TokenWellFormed), Refuses, HONEST.sign_text("RS256", &claims)),
        spoiled("claims that are not JSON", Refuse(Rule::TokenWellFormed), Refuses, HONEST.sign_text(&header, "sub=1")),
        spoiled("claims in a list", Refuse(Rule::TokenWellFormed), Refuses, HONEST.sign_text(&header, &format!("[{claims}]"))),
        spoiled("claims and more claims", Refuse(Rule::TokenWellFormed), Refuses, HONEST.sign_text(&header, &format!("{claims}{claims}"))),
        spoiled("sub twice", Refuse(Rule::TokenWellFormed), Refuses, HONEST.sign_text(&header, &twice(&claims, r#""sub":"2""#))),
        spoiled("iss twice", Refuse(Rule::TokenWellFormed), Refuses, HONEST.sign_text(&header, &twice(&claims, r#""iss":"https://evil.example""#))),
        spoiled("alg twice", Refuse(Rule::TokenWellFormed), Refuses, HONEST.sign_text(&twice(&header, r#""alg":"none""#), &claims)),
        spoiled("an unknown claim twice", Refuse(Rule::TokenWellFormed), Accepts, HONEST.sign_text(&header, &unknown_twice)),
        spoiled("an unknown header member twice", Refuse(Rule::TokenWellFormed), Accepts, HONEST.sign_text(&unknown_twice_above, &claims)),
    ]
}

/// 256 bytes are 342 characters of which the last has four bits too many; a loose reader does not look at them.
fn with_stray_bits(token: &str) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = token.split_at(token.len() - 1);
    let at = alphabet.find(last).unwrap();
    format!("{rest}{}", &alphabet[at + 1..at + 2])
}

fn corpus() -> Vec<Spoiled> {
    [headers(), claims(), forms()].into_iter().flatten().collect()
}

fn keys() -> KeySet {
    KeySet::read(key_set(&[&HONEST, &NEXT]).to_string().as_bytes()).unwrap()
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: ISSUER,
        client_id: "client1",
        nonce: "n-1",
        access_token: ACCESS_TOKEN,
        now: Timestamp::from_unix(NOW),
    }
}

/// What the RP does with a token: both opinions together.
fn judged(token: &str) -> Result<(), Rule> {
    let mut checks = Checks::new(Arc::new(NoRecording));
    let failed = |Failed(check)| check.rule;
    let jwt = validate::read(token, &mut checks).map_err(failed)?;
    validate::validate(jwt, &keys(), &expected(), &mut checks).map(|_| ()).map_err(failed)
}

#[test]
fn each_spoiled_token_is_judged_as_the_table_says() {
    for Spoiled { name, ours, library, token } in corpus() {
        let wanted = match (ours, library) {
            (Refuse(rule), _) => Err(rule),
            (Accept, Refuses) => Err(Rule::LibraryVerifier),
            (Accept, Accepts) => Ok(()),
        };
        assert_eq!(judged(&token), wanted, "{name}");
        let accepts = validate::library_accepts(&token, &keys(), &expected());
        assert_eq!(accepts, library == Accepts, "the library on: {name}");
    }
}

#[test]
fn the_list_of_divergences_is_complete_and_true() {
    let found: BTreeSet<_> = corpus()
        .iter()
        .filter(|spoiled| (spoiled.ours == Accept) != (spoiled.library == Accepts))
        .map(|spoiled| (spoiled.name, spoiled.library == Accepts))
        .collect();
    let listed: BTreeSet<_> =
        DIVERGENCES.iter().map(|divergence| (divergence.token, divergence.library_accepts)).collect();
    assert_eq!(found, listed);
}

#[test]
fn no_two_spoiled_tokens_have_one_name() {
    let corpus = corpus();
    let names: BTreeSet<_> = corpus.iter().map(|spoiled| spoiled.name).collect();
    assert_eq!(names.len(), corpus.len());
}

#[test]
fn a_single_key_needs_no_name() {
    let mut key = HONEST.jwk();
    set(&mut key, "kid", Value::Null);
    let keys = KeySet::read(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
    let token = header("kid", Value::Null);
    let mut checks = Checks::new(Arc::new(NoRecording));
    let jwt = validate::read(&token, &mut checks).unwrap();
    let id_token = validate::validate(jwt, &keys, &expected(), &mut checks).unwrap();
    assert_eq!(id_token.subject, "1");
}

#[test]
fn every_divergence_stands_in_the_documentation_with_its_reason() {
    let documented = include_str!("../../../../docs/security.md");
    for Divergence { token, because, .. } in DIVERGENCES {
        assert!(documented.contains(&format!("| {token} | {because} |")), "{token}: {because}");
    }
}
