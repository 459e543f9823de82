//! What is registered of a client, with its defaults, and each mistake.

use jsonwebtoken::Algorithm;

use crate::{
    config::example::{LEAST, parsed, said, spoiled},
    domain::{
        auth_method::AuthMethod,
        client::{AccessTokenFormat, GrantType},
        client_keys::ClientKeys,
    },
};

#[test]
fn what_a_client_leaves_out_has_the_value_that_the_standard_says() {
    let client = &parsed(LEAST).unwrap().clients[0];
    assert_eq!((client.name.usual(), client.home()), ("app", "https://app.example/"));
    assert_eq!(client.auth_method, AuthMethod::ClientSecretBasic);
    assert_eq!(client.scope.to_string(), "openid profile email address phone");
    assert_eq!((client.id_token_signed_response_alg, client.default_max_age), (None, None));
    assert!(client.require_pkce && client.remember_consent && !client.claims_in_id_token);
    assert!(client.post_logout_redirect_uris.is_empty());
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
    assert!(!client.refresh_without_offline_access && client.resource.is_empty());
    assert_eq!(client.access_token_format, AccessTokenFormat::Opaque);
}

#[test]
fn every_member_of_a_client_is_read() {
    let more = "client_name = 'App'
        client_uri = 'https://app.example/home'
        token_endpoint_auth_method = 'client_secret_post'
        post_logout_redirect_uris = ['https://app.example/bye']
        grant_types = ['authorization_code', 'refresh_token']
        refresh_without_offline_access = true
        scope = 'openid app.read'
        access_token_format = 'jwt'
        resource = ['https://api.example/v1', 'urn:example:api']
        id_token_signed_response_alg = 'EdDSA'
        default_max_age = 60
        jwks_uri = 'https://app.example/jwks'
        request_object_signing_alg = 'PS256'
        require_signed_request_object = true
        require_pushed_authorization_requests = true
        require_pkce = false
        remember_consent = false
        claims_in_id_token = true
        client_id";
    let client = &parsed(&LEAST.replacen("client_id", more, 1)).unwrap().clients[0];
    assert_eq!((client.id.as_str(), client.secret.as_ref().unwrap().expose()), ("app", "app-secret"));
    assert_eq!((client.name.usual(), client.home()), ("App", "https://app.example/home"));
    assert_eq!(client.auth_method, AuthMethod::ClientSecretPost);
    assert!(client.post_logout_redirect_uri("https://app.example/bye").is_some());
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
    assert_eq!(client.scope.to_string(), "openid app.read");
    assert_eq!(client.access_token_format, AccessTokenFormat::Jwt);
    assert_eq!(client.resource, ["https://api.example/v1", "urn:example:api"]);
    assert_eq!(client.id_token_signed_response_alg, Some(Algorithm::EdDSA));
    assert_eq!(client.default_max_age, Some(60));
    assert_eq!(client.request_object_signing_alg, Some(Algorithm::PS256));
    assert!(client.require_signed_request_object && client.require_pushed_authorization_requests);
    assert!(!client.require_pkce && !client.remember_consent && client.claims_in_id_token);
    assert!(client.refresh_without_offline_access);
}

#[test]
fn each_mistake_of_a_client_is_named_with_its_line_and_its_reason() {
    for (member, reason) in [
        ("client_id = 1", "client_id: must be a text in quotes"),
        ("client_id = ''", "client_id: must be printable ASCII, and not empty"),
        ("client_id = 'アプリ'", "client_id: must be printable ASCII"),
        ("client_nmae = 'App'", "client_nmae: there is no such member; did you mean client_name?"),
        ("client_name = ' '", "client_name: must not be blank"),
        ("client_uri = 'app.example'", "client_uri: \"app.example\" is not an absolute http"),
        ("client_secret = ''", "client_secret: must be printable ASCII"),
        ("client_secret_file = 'x'", "client_secret_file: there is a client_secret already"),
        ("token_endpoint_auth_method = 'None'", "token_endpoint_auth_method: must be client_sec"),
        (
            "token_endpoint_auth_signing_alg = 'RS256'",
            "token_endpoint_auth_signing_alg: is of no use with client_secret_basic",
        ),
        ("jwks = 'x'", "jwks: must be a JSON object whose member keys is a list of keys"),
        ("jwks_uri = '/jwks'", "jwks_uri: \"/jwks\" is not an absolute http"),
        ("redirect_uris = 'https://a.example'", "redirect_uris: must be a list in square brackets"),
        ("redirect_uris = []", "redirect_uris: there must be one at least"),
        ("redirect_uris = ['/cb']", "redirect_uris[0]: \"/cb\" is not an absolute http"),
        ("redirect_uris = ['http://a/#x']", "redirect_uris[0]: \"http://a/#x\" must not have a fragment"),
        ("redirect_uris = ['http://a', 1]", "redirect_uris[1]: must be a text in quotes"),
        ("post_logout_redirect_uris = ['x']", "post_logout_redirect_uris[0]: \"x\" is not an absolute"),
        ("grant_types = 'refresh_token'", "grant_types: must be a list in square brackets"),
        ("grant_types = ['password']", "grant_types[0]: must be authorization_code or refresh_token or"),
        ("grant_types = ['refresh_token']", "grant_types: refresh_token needs offline_access in the scope"),
        ("refresh_without_offline_access = true", "refresh_without_offline_access: needs refresh_token"),
        ("scope = 'openid offline_access'", "scope: offline_access needs refresh_token"),
        ("access_token_format = 'JWT'", "access_token_format: must be opaque or jwt"),
        ("resource = ['/api']", "resource[0]: must be an absolute URI without a fragment"),
        ("resource = ['https://a.example/#x']", "resource[0]: must be an absolute URI without a fragment"),
        ("scope = 'a\"b'", "scope: scope holds a character that RFC 6749 §3.3 does not allow"),
        ("scope = ' '", "scope: must name what the client may ask for"),
        ("id_token_signed_response_alg = 'none'", "id_token_signed_response_alg: must be RS256, ES"),
        ("id_token_signed_response_alg = 'HS256'", "id_token_signed_response_alg: HS256 signs with"),
        ("request_object_signing_alg = 'none'", "request_object_signing_alg: must be RS256, PS256, ES"),
        ("request_object_signing_alg = 'HS256'", "request_object_signing_alg: HS256 signs with"),
        ("request_object_signing_alg = 'ES256'", "request_object_signing_alg: needs the keys"),
        ("require_signed_request_object = 1", "require_signed_request_object: must be true or false"),
        ("require_signed_request_object = true", "require_signed_request_object: there is nothing to"),
        ("require_pushed_authorization_requests = 'x'", "require_pushed_authorization_requests: must be"),
        ("default_max_age = -1", "default_max_age: must be a whole number, zero or more"),
        ("require_pkce = 'no'", "require_pkce: must be true or false"),
        ("remember_consent = 1", "remember_consent: must be true or false"),
        ("claims_in_id_token = []", "claims_in_id_token: must be true or false"),
    ] {
        let said = said(&spoiled("[[clients]]", member));
        assert!(said.starts_with(&format!("idp.toml:2: clients[0].{reason}")), "{member}: {said}");
    }
    for needed in ["client_id", "client_secret", "redirect_uris"] {
        let said = said(&spoiled("[[clients]]", needed));
        assert!(said.starts_with(&format!("idp.toml:1: clients[0]: {needed} is missing")), "{said}");
    }
}

/// A client that authenticates with `method`, with `members` in the place of its secret.
fn with_method(method: &str, members: &str) -> String {
    let table = format!("token_endpoint_auth_method = '{method}'\n{members}");
    spoiled("[[clients]]", "client_secret").replacen("client_id", &format!("{table}\nclient_id"), 1)
}

#[test]
fn a_client_that_signs_with_its_own_key_needs_no_secret() {
    let key =
        r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let given = format!("jwks = '{key}'\ntoken_endpoint_auth_signing_alg = 'EdDSA'");
    let client = &parsed(&with_method("private_key_jwt", &given)).unwrap().clients[0];
    assert!(matches!(client.keys, Some(ClientKeys::Registered(_))) && client.secret.is_none());
    assert_eq!(client.auth_signing_alg, Some(Algorithm::EdDSA));
    let published = "jwks_uri = 'https://app.example/jwks'";
    let client = &parsed(&with_method("private_key_jwt", published)).unwrap().clients[0];
    assert!(matches!(client.keys, Some(ClientKeys::Published(_))) && client.auth_signing_alg.is_none());
    for (members, reason) in [
        (String::new(), "idp.toml:1: clients[0]: jwks_uri is missing (or jwks), which private_key_jwt"),
        (format!("{given}\n{published}"), "idp.toml:5: clients[0].jwks_uri: there is a jwks already"),
        (given.replace("EdDSA", "HS256"), "must be RS256 or PS256 or ES256 or EdDSA"),
        (given.replace("\"x\"", "\"d\": \"x\", \"x\""), "jwks: must not hold a private key or a secret"),
    ] {
        let said = said(&with_method("private_key_jwt", &members));
        assert!(said.contains(reason), "{members}: {said}");
    }
}

#[test]
fn a_secret_that_signs_is_as_long_as_its_hash() {
    let short = said(&with_method("client_secret_jwt", "client_secret = '0123456789abcdef0123456789abcde'"));
    assert!(short.contains("clients[0].client_secret: must have 32 bytes at least"), "{short}");
    let long = "client_secret = '0123456789abcdef0123456789abcdef'";
    assert!(parsed(&with_method("client_secret_jwt", long)).is_ok());
    assert!(said(&with_method("client_secret_jwt", "")).contains("client_secret is missing"));
}

#[test]
fn i8_a_public_client_cannot_be_registered_for_what_takes_more_than_a_name() {
    let client = &parsed(&with_method("none", "")).unwrap().clients[0];
    assert!(client.is_public() && client.requires_pkce() && !client.remembers_consent());
    for (member, reason) in [
        ("client_secret = 'x'", "client_secret: a client whose token_endpoint_auth_method is none"),
        ("require_pkce = false", "require_pkce: must be true, since token_endpoint_auth_method is none"),
        ("remember_consent = true", "remember_consent: must be false, since"),
        ("grant_types = ['client_credentials']", "grant_types: client_credentials is not possible, since"),
        ("resource = ['https://api.example']", "resource: is not possible, since"),
        ("id_token_signed_response_alg = 'HS256'", "id_token_signed_response_alg: HS256 signs with"),
    ] {
        let said = said(&with_method("none", member));
        assert!(said.contains(&format!("clients[0].{reason}")), "{member}: {said}");
    }
}

#[test]
fn who_signs_nobody_in_needs_no_address_to_return_to() {
    let api = spoiled("[[clients]]", "redirect_uris").replace("client_id =", "grant_types = []\nclient_id =");
    let client = &parsed(&api).unwrap().clients[0];
    assert!(client.redirect_uris.is_empty() && client.home().is_empty() && client.grant_types.is_empty());
}
