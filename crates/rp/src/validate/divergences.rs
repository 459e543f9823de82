//! Where openidconnect and the checks here judge a token differently.

use crate::algorithm::Algorithm;

/// A difference between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The token, by its name among the spoiled tokens of the tests.
    pub token: &'static str,
    /// Whether it is the library that accepts it. The checks here say the opposite.
    pub library_accepts: bool,
    /// Why they differ.
    pub because: &'static str,
    /// With which algorithms they do.
    pub algorithms: &'static [Algorithm],
}

const fn only_the_library_accepts(token: &'static str, because: &'static str) -> Divergence {
    Divergence { token, library_accepts: true, because, algorithms: &Algorithm::ALL }
}

const fn only_our_checks_accept(token: &'static str, because: &'static str) -> Divergence {
    Divergence { token, library_accepts: false, because, algorithms: &Algorithm::ALL }
}

/// All known differences between openidconnect 4.1 and the checks here. Both must accept, so each of these tokens is
/// refused.
pub const DIVERGENCES: [Divergence; 18] = [
    only_the_library_accepts("azp of another client", "it leaves azp to the application"),
    only_the_library_accepts("at_hash of another token", "it leaves at_hash to the application"),
    only_the_library_accepts("at_hash by another hash", "it leaves at_hash to the application"),
    only_the_library_accepts("iat 61 s ahead", "it leaves iat to the application"),
    only_the_library_accepts("nbf 61 s ahead", "it leaves nbf to the application"),
    only_the_library_accepts("nbf a text", "it leaves nbf to the application"),
    only_the_library_accepts("sub empty", "it asks for any text"),
    only_the_library_accepts("sub of 256 characters", "it asks for any text"),
    only_the_library_accepts("sub not ASCII", "it asks for any text"),
    only_the_library_accepts("typ JOSE", "it reads the general name of the format as well"),
    only_the_library_accepts("a header of 256 KB", "it knows no bound"),
    only_the_library_accepts("an unknown claim twice", "it looks only at claims that it knows"),
    only_the_library_accepts("an unknown header member twice", "it looks only at members that it knows"),
    only_the_library_accepts("stray bits behind the signature", "it reads base64 more loosely"),
    Divergence {
        token: "no kid, several keys",
        library_accepts: false,
        because: "it does not try the keys one after the other; with HS256 there is one",
        algorithms: &[Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa],
    },
    only_our_checks_accept("cty present", "it reads no token inside a token; we look at claims, not at cty"),
    only_our_checks_accept("exp in the year 3 billion", "it counts in calendar days"),
    only_our_checks_accept("name is a number", "it reads all standard claims, we only what we check"),
];
