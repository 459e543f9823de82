//! Every way to spoil an ID token that we know of, for each algorithm, with what our checks and the library say to it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rp::algorithm::Algorithm;
use serde_json::{Value, json};
use shared::{
    flow::Rule,
    id_token::{Hash, at_hash_by},
};

use crate::{
    keys::{HONEST, Keys, keys_for, sign_hs256, unsigned},
    provider::ACCESS_TOKEN,
};

pub const NOW: i64 = 1_795_496_600;
pub const ISSUER: &str = "https://op.example";

/// What our own checks should say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ours {
    Accept,
    Refuse(Rule),
}

/// What the library should say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    Accepts,
    Refuses,
}

use Library::{Accepts, Refuses};
use Ours::{Accept, Refuse};

pub struct Spoiled {
    pub name: &'static str,
    pub ours: Ours,
    pub library: Library,
    pub token: String,
}

/// The spoiled tokens of one algorithm.
pub struct Corpus {
    algorithm: Algorithm,
    keys: &'static Keys,
}

impl Corpus {
    pub fn of(algorithm: Algorithm) -> Self {
        Self { algorithm, keys: keys_for(algorithm) }
    }

    pub fn tokens(&self) -> Vec<Spoiled> {
        [self.headers(), self.claims(), self.forms()].into_iter().flatten().collect()
    }

    fn good_header(&self) -> Value {
        self.keys.honest.header()
    }

    fn good_claims(&self) -> Value {
        json!({
            "iss": ISSUER, "sub": "1", "aud": "client1", "exp": NOW + 3600, "iat": NOW, "auth_time": NOW,
            "nonce": "n-1", "at_hash": at_hash_by(ACCESS_TOKEN, self.algorithm.hash()), "amr": ["pwd"], "name": "Demo User",
        })
    }

    /// A token that the honest key signed, with another value for one claim; `Null` leaves it out.
    fn claim(&self, name: &'static str, value: Value) -> String {
        let mut claims = self.good_claims();
        set(&mut claims, name, value);
        self.keys.honest.sign(&self.good_header(), &claims)
    }

    /// A token that the honest key signed, with another value for one header member.
    fn header(&self, name: &'static str, value: Value) -> String {
        let mut header = self.good_header();
        set(&mut header, name, value);
        self.keys.honest.sign(&header, &self.good_claims())
    }

    /// A token that somebody else signed, with another value for one header member.
    fn forged(&self, name: &'static str, value: Value) -> String {
        let mut header = self.good_header();
        set(&mut header, name, value);
        self.keys.evil.sign(&header, &self.good_claims())
    }

    /// One that is not spoiled.
    pub fn good_token(&self) -> String {
        self.keys.honest.sign(&self.good_header(), &self.good_claims())
    }

    pub fn token_without_kid(&self) -> String {
        self.header("kid", Value::Null)
    }

    #[rustfmt::skip]
    fn headers(&self) -> Vec<Spoiled> {
        let is_secret = self.algorithm == Algorithm::Hs256;
        let public = if is_secret { &HONEST } else { &self.keys.honest }.public_bytes();
        let hs256 = sign_hs256(public, &json!({ "alg": "HS256", "kid": "honest" }), &self.good_claims());
        let by_public_key = if is_secret { Rule::Signature } else { Rule::Algorithm };
        let embedded = if is_secret { json!({ "kty": "oct", "k": "AA" }) } else { self.keys.evil.jwk() };
        // One secret needs no name.
        let (unnamed, by_library) = if is_secret { (Accept, Accepts) } else { (Refuse(Rule::Signature), Refuses) };
        let without_signature = |alg: &str| unsigned(&json!({ "alg": alg }).to_string(), &self.good_claims().to_string()) + ".";
        let rs512 = HONEST.sign_rs512(&json!({ "alg": "RS512", "kid": "honest" }), &self.good_claims());
        vec![
            spoiled("alg none", Refuse(Rule::Algorithm), Refuses, without_signature("none")),
            spoiled("alg nOnE", Refuse(Rule::Algorithm), Refuses, without_signature("nOnE")),
            spoiled("alg none, signed all the same", Refuse(Rule::Algorithm), Refuses, self.header("alg", json!("none"))),
            spoiled("alg HS256 with the public key", Refuse(by_public_key), Refuses, hs256),
            spoiled("alg RS512, signed with it", Refuse(Rule::Algorithm), Refuses, rs512),
            spoiled("alg of its own making", Refuse(Rule::Algorithm), Refuses, self.header("alg", json!("XS1"))),
            spoiled("alg missing", Refuse(Rule::Algorithm), Refuses, self.header("alg", Value::Null)),
            spoiled("alg a list", Refuse(Rule::Algorithm), Refuses, self.header("alg", json!([self.algorithm.as_str()]))),
            spoiled("jwk embedded", Refuse(Rule::Signature), Refuses, self.forged("jwk", embedded)),
            spoiled("jku to another key set", Refuse(Rule::Signature), Refuses, self.forged("jku", json!("https://evil.example/jwks"))),
            spoiled("x5u to another certificate", Refuse(Rule::Signature), Refuses, self.forged("x5u", json!("https://evil.example/x5u"))),
            spoiled("jku on an honest token", Accept, Accepts, self.header("jku", json!("https://evil.example/jwks"))),
            spoiled("kid with ../", unnamed, by_library, self.header("kid", json!("../../../dev/null"))),
            spoiled("kid of no key", unnamed, by_library, self.header("kid", json!("unknown"))),
            spoiled("kid a number", Refuse(Rule::TokenWellFormed), Refuses, self.header("kid", json!(7))),
            spoiled("no kid, several keys", Accept, by_library, self.header("kid", Value::Null)),
            spoiled("crit", Refuse(Rule::CriticalHeader), Refuses, self.header("crit", json!(["exp"]))),
            spoiled("crit empty", Refuse(Rule::CriticalHeader), Refuses, self.header("crit", json!([]))),
            spoiled("typ of an access token", Refuse(Rule::TokenWellFormed), Refuses, self.header("typ", json!("at+jwt"))),
            spoiled("typ of a logout token", Refuse(Rule::TokenWellFormed), Refuses, self.header("typ", json!("logout+jwt"))),
            spoiled("typ JOSE", Refuse(Rule::TokenWellFormed), Accepts, self.header("typ", json!("JOSE"))),
            spoiled("typ missing", Accept, Accepts, self.header("typ", Value::Null)),
            spoiled("cty present", Accept, Refuses, self.header("cty", json!("JWT"))),
            spoiled("a header of 256 KB", Refuse(Rule::TokenWellFormed), Accepts, self.header("x", json!("x".repeat(256 * 1024)))),
        ]
    }

    #[rustfmt::skip]
    fn claims(&self) -> Vec<Spoiled> {
        let other_hash = if self.algorithm.hash() == Hash::Sha256 { Hash::Sha512 } else { Hash::Sha256 };
        vec![
            spoiled("nothing", Accept, Accepts, self.good_token()),
            spoiled("iss of another issuer", Refuse(Rule::IssuerClaim), Refuses, self.claim("iss", json!("https://evil.example"))),
            spoiled("iss with a slash", Refuse(Rule::IssuerClaim), Refuses, self.claim("iss", json!("https://op.example/"))),
            spoiled("iss in capitals", Refuse(Rule::IssuerClaim), Refuses, self.claim("iss", json!("https://OP.example"))),
            spoiled("iss missing", Refuse(Rule::IssuerClaim), Refuses, self.claim("iss", Value::Null)),
            spoiled("iss a list", Refuse(Rule::IssuerClaim), Refuses, self.claim("iss", json!([ISSUER]))),
            spoiled("sub missing", Refuse(Rule::SubjectClaim), Refuses, self.claim("sub", Value::Null)),
            spoiled("sub empty", Refuse(Rule::SubjectClaim), Accepts, self.claim("sub", json!(""))),
            spoiled("sub a number", Refuse(Rule::SubjectClaim), Refuses, self.claim("sub", json!(1))),
            spoiled("sub of 255 characters", Accept, Accepts, self.claim("sub", json!("x".repeat(255)))),
            spoiled("sub of 256 characters", Refuse(Rule::SubjectClaim), Accepts, self.claim("sub", json!("x".repeat(256)))),
            spoiled("sub not ASCII", Refuse(Rule::SubjectClaim), Accepts, self.claim("sub", json!("ユーザー"))),
            spoiled("aud of another client", Refuse(Rule::Audience), Refuses, self.claim("aud", json!("client2"))),
            spoiled("aud missing", Refuse(Rule::Audience), Refuses, self.claim("aud", Value::Null)),
            spoiled("aud empty", Refuse(Rule::Audience), Refuses, self.claim("aud", json!([]))),
            spoiled("aud with another beside us", Refuse(Rule::Audience), Refuses, self.claim("aud", json!(["client1", "client2"]))),
            spoiled("aud with a number beside us", Refuse(Rule::Audience), Refuses, self.claim("aud", json!(["client1", 7]))),
            spoiled("aud that begins like us", Refuse(Rule::Audience), Refuses, self.claim("aud", json!("client10"))),
            spoiled("aud a list of us", Accept, Accepts, self.claim("aud", json!(["client1"]))),
            spoiled("azp of another client", Refuse(Rule::AuthorizedParty), Accepts, self.claim("azp", json!("client2"))),
            spoiled("azp a number", Refuse(Rule::AuthorizedParty), Refuses, self.claim("azp", json!(7))),
            spoiled("azp us", Accept, Accepts, self.claim("azp", json!("client1"))),
            spoiled("exp 60 s ago", Refuse(Rule::Expiry), Refuses, self.claim("exp", json!(NOW - 60))),
            spoiled("exp 59 s ago", Accept, Accepts, self.claim("exp", json!(NOW - 59))),
            spoiled("exp yesterday", Refuse(Rule::Expiry), Refuses, self.claim("exp", json!(NOW - 86_400))),
            spoiled("exp a text", Refuse(Rule::Expiry), Refuses, self.claim("exp", json!((NOW + 3600).to_string()))),
            spoiled("exp missing", Refuse(Rule::Expiry), Refuses, self.claim("exp", Value::Null)),
            spoiled("exp a fraction", Accept, Accepts, self.claim("exp", json!(1_795_500_200.5))),
            spoiled("exp beyond all numbers", Refuse(Rule::Expiry), Refuses, self.claim("exp", json!(1e300))),
            spoiled("exp in the year 3 billion", Accept, Refuses, self.claim("exp", json!(100_000_000_000_000_000_i64))),
            spoiled("iat 61 s ahead", Refuse(Rule::IssuedAt), Accepts, self.claim("iat", json!(NOW + 61))),
            spoiled("iat 60 s ahead", Accept, Accepts, self.claim("iat", json!(NOW + 60))),
            spoiled("iat missing", Refuse(Rule::IssuedAt), Refuses, self.claim("iat", Value::Null)),
            spoiled("iat a text", Refuse(Rule::IssuedAt), Refuses, self.claim("iat", json!(NOW.to_string()))),
            spoiled("nbf 61 s ahead", Refuse(Rule::NotBefore), Accepts, self.claim("nbf", json!(NOW + 61))),
            spoiled("nbf 60 s ahead", Accept, Accepts, self.claim("nbf", json!(NOW + 60))),
            spoiled("nbf a text", Refuse(Rule::NotBefore), Accepts, self.claim("nbf", json!(NOW.to_string()))),
            spoiled("nonce of another login", Refuse(Rule::Nonce), Refuses, self.claim("nonce", json!("n-2"))),
            spoiled("nonce missing", Refuse(Rule::Nonce), Refuses, self.claim("nonce", Value::Null)),
            spoiled("nonce empty", Refuse(Rule::Nonce), Refuses, self.claim("nonce", json!(""))),
            spoiled("nonce a list", Refuse(Rule::Nonce), Refuses, self.claim("nonce", json!(["n-1"]))),
            spoiled("at_hash of another token", Refuse(Rule::AccessTokenHash), Accepts, self.claim("at_hash", json!(at_hash_by("another", self.algorithm.hash())))),
            spoiled("at_hash by another hash", Refuse(Rule::AccessTokenHash), Accepts, self.claim("at_hash", json!(at_hash_by(ACCESS_TOKEN, other_hash)))),
            spoiled("at_hash a number", Refuse(Rule::AccessTokenHash), Refuses, self.claim("at_hash", json!(7))),
            spoiled("at_hash missing", Accept, Accepts, self.claim("at_hash", Value::Null)),
            spoiled("name is a number", Accept, Refuses, self.claim("name", json!(7))),
        ]
    }

    #[rustfmt::skip]
    fn forms(&self) -> Vec<Spoiled> {
        let good = self.good_token();
        let parts: Vec<&str> = good.split('.').collect();
        let (head, body, signature) = (parts[0], parts[1], parts[2]);
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let (header, claims) = (self.good_header().to_string(), self.good_claims().to_string());
        let twice = |object: &str, member: &str| object.replacen('{', &format!("{{{member},"), 1);
        let other_sub = encoded(&claims.replace(r#""sub":"1""#, r#""sub":"2""#));
        let unknown_twice = twice(&twice(&claims, r#""x":1"#), r#""x":2"#);
        let unknown_twice_above = twice(&twice(&header, r#""x":1"#), r#""x":2"#);
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        vec![
            spoiled("signed by another key", Refuse(Rule::Signature), Refuses, self.keys.evil.sign(&self.good_header(), &self.good_claims())),
            spoiled("claims changed behind the signature", Refuse(Rule::Signature), Refuses, format!("{head}.{other_sub}.{signature}")),
            spoiled("one bit of the signature changed", Refuse(Rule::Signature), Refuses, format!("{head}.{body}.{flipped}{}", &signature[1..])),
            spoiled("signature cut off", Refuse(Rule::Signature), Refuses, format!("{head}.{body}.")),
            spoiled("signature cut short", Refuse(Rule::Signature), Refuses, format!("{head}.{body}.{}", &signature[..signature.len() / 4 * 4])),
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
            spoiled("a header that is not JSON", Refuse(Rule::TokenWellFormed), Refuses, self.keys.honest.sign_text(self.algorithm.as_str(), &claims)),
            spoiled("claims that are not JSON", Refuse(Rule::TokenWellFormed), Refuses, self.keys.honest.sign_text(&header, "sub=1")),
            spoiled("claims in a list", Refuse(Rule::TokenWellFormed), Refuses, self.keys.honest.sign_text(&header, &format!("[{claims}]"))),
            spoiled("claims and more claims", Refuse(Rule::TokenWellFormed), Refuses, self.keys.honest.sign_text(&header, &format!("{claims}{claims}"))),
            spoiled("sub twice", Refuse(Rule::TokenWellFormed), Refuses, self.keys.honest.sign_text(&header, &twice(&claims, r#""sub":"2""#))),
            spoiled("iss twice", Refuse(Rule::TokenWellFormed), Refuses, self.keys.honest.sign_text(&header, &twice(&claims, r#""iss":"https://evil.example""#))),
            spoiled("alg twice", Refuse(Rule::TokenWellFormed), Refuses, self.keys.honest.sign_text(&twice(&header, r#""alg":"none""#), &claims)),
            spoiled("an unknown claim twice", Refuse(Rule::TokenWellFormed), Accepts, self.keys.honest.sign_text(&header, &unknown_twice)),
            spoiled("an unknown header member twice", Refuse(Rule::TokenWellFormed), Accepts, self.keys.honest.sign_text(&unknown_twice_above, &claims)),
        ]
    }
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

/// 256 and 64 bytes are 342 and 86 characters of which the last has four bits too many, 32 bytes are 43 with two; a loose
/// reader does not look at them.
fn with_stray_bits(token: &str) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = token.split_at(token.len() - 1);
    let at = alphabet.find(last).unwrap();
    format!("{rest}{}", &alphabet[at + 1..at + 2])
}
