//! The ten steps.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// One of the ten numbered steps of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// 1: the user clicks Login at the RP.
    Click = 1,
    /// 2: the RP sends the browser to the authorization endpoint.
    AuthorizationRequest,
    /// 3: the IdP shows its login page.
    LoginPage,
    /// 4: the user submits name and password.
    Password,
    /// 5: the IdP shows its consent page and the user decides.
    Consent,
    /// 6: the IdP sends the browser back with a code.
    Redirect,
    /// 7: the RP receives the callback and checks `state` and `iss`.
    Callback,
    /// 8: the RP exchanges the code at the token endpoint.
    TokenRequest,
    /// 9: the tokens arrive.
    TokenResponse,
    /// 10: the RP validates the ID token and starts its session.
    Validation,
}

impl Step {
    /// The ten in their order.
    pub const ALL: [Self; 10] = [
        Self::Click,
        Self::AuthorizationRequest,
        Self::LoginPage,
        Self::Password,
        Self::Consent,
        Self::Redirect,
        Self::Callback,
        Self::TokenRequest,
        Self::TokenResponse,
        Self::Validation,
    ];

    /// Its name in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::AuthorizationRequest => "authorization_request",
            Self::LoginPage => "login_page",
            Self::Password => "password",
            Self::Consent => "consent",
            Self::Redirect => "redirect",
            Self::Callback => "callback",
            Self::TokenRequest => "token_request",
            Self::TokenResponse => "token_response",
            Self::Validation => "validation",
        }
    }

    /// Its number, 1 to 10.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// By its number.
impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Self::ALL
            .into_iter()
            .find(|step| step.number() == number)
            .ok_or_else(|| D::Error::custom("unknown step"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_numbered_from_one_to_ten() {
        assert_eq!(Step::ALL.map(Step::number), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
}
