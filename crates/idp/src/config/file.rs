//! The configuration file: the clients and the users of one's own, instead of the demo's. It is read once, at start.
//! Settings are no part of it; they are flags and environment variables.

use std::{collections::HashMap, fs, path::Path};

use clap::CommandFactory as _;
use shared::clock::Timestamp;

use super::{
    Arguments, clients,
    document::{self, Mistakes, Table},
    users,
};
use crate::domain::{
    client::{Client, GrantType},
    user::{User, Username},
};

/// The demo as a configuration file: where to start from.
pub const DEMO: &str = include_str!("demo.toml");

/// Who is registered.
#[derive(Clone, Debug)]
pub struct Registrations {
    /// Who may ask.
    pub clients: Vec<Client>,
    /// Who can sign in.
    pub users: Vec<User>,
}

/// Reads the file at `path`. The error is for whoever wrote it: every mistake on a line of its own.
pub fn read(path: &Path, now: Timestamp) -> Result<Registrations, String> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| format!("{file} cannot be read: {error}"))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(&file, &text, folder, now).map_err(|mistakes| mistakes.to_string())
}

/// Reads `text`, which stands in `file`; paths in it begin at `folder`.
pub fn parse(file: &str, text: &str, folder: &Path, now: Timestamp) -> Result<Registrations, Mistakes> {
    document::read(file, text, |root| {
        root.refuse_others(&["clients", "users"], &[], setting);
        let clients = root.tables("clients");
        let users = root.tables("users");
        unique(&clients, &["client_id"], str::to_owned);
        unique(&users, &["sub"], str::to_owned);
        // Both are names to sign in with, so that nobody's may be another's.
        unique(&users, &["username", "email"], |name| Username::parse(name).as_str().to_owned());
        let clients: Vec<Client> = clients.iter().map(|table| clients::client(table, folder)).collect();
        apart(&clients, &users);
        Some(Registrations {
            clients,
            users: users.iter().filter_map(|table| users::user(table, now)).collect(),
        })
    })
}

/// What to say of a member that is the name of a setting.
fn setting(name: &str) -> Option<String> {
    let command = Arguments::command();
    let long = name.replace('_', "-");
    let argument = command.get_arguments().find(|argument| argument.get_long() == Some(&long))?;
    let variable = argument.get_env()?.to_string_lossy().into_owned();
    Some(format!("settings do not stand in this file; this one is {variable}, or --{long}"))
}

/// Notes every name that another table has already: what stands under `members`, compared as `form` writes it.
fn unique(tables: &[Table<'_>], members: &[&str], form: impl Fn(&str) -> String) {
    let mut taken = HashMap::new();
    for (index, table) in tables.iter().enumerate() {
        for member in members.iter().filter_map(|name| table.get(name)) {
            let Some(name) = member.as_text() else { continue };
            let (holder, line) = *taken.entry(form(name)).or_insert_with(|| (index, member.line()));
            if holder != index {
                member.mistake(format_args!("{name:?} is taken, in line {line}"));
            }
        }
    }
}

/// RFC 9068 §5: where a client acts for itself its `client_id` stands as `sub`, and must not be mistaken for a user.
fn apart(clients: &[Client], users: &[Table<'_>]) {
    let acts = |name: &str| {
        clients.iter().any(|it| it.may_use(GrantType::ClientCredentials) && it.id.as_str() == name)
    };
    for member in users.iter().filter_map(|table| table.get("sub")) {
        if member.as_text().is_some_and(acts) {
            member.mistake("is the client_id of a client that is registered for client_credentials");
        }
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Algorithm;
    use shared::secret::Secret;

    use super::*;
    use crate::{
        demo,
        domain::{
            auth_method::AuthMethod,
            client::{AccessTokenFormat, RedirectUri},
            client_keys::ClientKeys,
        },
    };

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$h6NCzqqm9y0i9dPI2ryx+w$d2KvmeOi3pPCgLVRwj6MD4mJoicR3gfhdt/h7RqYxhE";
    const LEAST: &str = "[[clients]]
client_id = 'app'
client_secret = 'app-secret'
redirect_uris = ['https://app.example/callback']

[[users]]
sub = '1'
username = 'mika'
password_hash = 'HASH'
";

    fn parsed(text: &str) -> Result<Registrations, Mistakes> {
        let (folder, now) = (Path::new("/no/such/folder"), Timestamp::from_unix(1_795_496_600));
        parse("idp.toml", &text.replace("HASH", HASH), folder, now)
    }

    /// The smallest file with `member` as the first line of `table`, in the place of its namesake; a name alone takes
    /// the namesake away.
    fn spoiled(table: &str, member: &str) -> String {
        let namesake = format!("{} =", member.split(' ').next().unwrap());
        let mut lines: Vec<_> = LEAST.lines().filter(|line| !line.starts_with(&namesake)).collect();
        if member.contains('=') {
            lines.insert(lines.iter().position(|line| *line == table).unwrap() + 1, member);
        }
        lines.join("\n")
    }

    /// What is said about a file.
    #[track_caller]
    fn said(text: &str) -> String {
        parsed(text).unwrap_err().to_string()
    }

    #[test]
    fn the_demo_that_is_printed_is_the_demo_that_is_built_in() {
        let printed = parsed(DEMO).unwrap();
        let redirect_uri = RedirectUri::parse("http://127.0.0.1:5002/auth").unwrap();
        let client = |client: &Client| {
            format!("{client:?} {}", client.secret.as_ref().map(Secret::expose).unwrap_or_default())
        };
        let mut built_in = demo::clients(&redirect_uri);
        let api = demo::resource_server("http://127.0.0.1:5001/api".into());
        built_in.extend([api, demo::service()]);
        assert_eq!(
            printed.clients.iter().map(client).collect::<Vec<_>>(),
            built_in.iter().map(client).collect::<Vec<_>>()
        );
        let user = |user: &User| format!("{user:?} {}", user.password);
        let built_in = demo::users().unwrap();
        assert_eq!(
            printed.users.iter().map(user).collect::<Vec<_>>(),
            built_in.iter().map(user).collect::<Vec<_>>()
        );
    }

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
            (
                "grant_types = ['refresh_token']",
                "grant_types: refresh_token needs offline_access in the scope",
            ),
            ("refresh_without_offline_access = true", "refresh_without_offline_access: needs refresh_token"),
            ("scope = 'openid offline_access'", "scope: offline_access needs refresh_token"),
            ("access_token_format = 'JWT'", "access_token_format: must be opaque or jwt"),
            ("resource = ['/api']", "resource[0]: must be an absolute URI without a fragment"),
            (
                "resource = ['https://a.example/#x']",
                "resource[0]: must be an absolute URI without a fragment",
            ),
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
        let key = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
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
        let short =
            said(&with_method("client_secret_jwt", "client_secret = '0123456789abcdef0123456789abcde'"));
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
            (
                "grant_types = ['client_credentials']",
                "grant_types: client_credentials is not possible, since",
            ),
            ("resource = ['https://api.example']", "resource: is not possible, since"),
            ("id_token_signed_response_alg = 'HS256'", "id_token_signed_response_alg: HS256 signs with"),
        ] {
            let said = said(&with_method("none", member));
            assert!(said.contains(&format!("clients[0].{reason}")), "{member}: {said}");
        }
    }

    #[test]
    fn nobody_is_mistaken_for_a_client_that_acts_for_itself() {
        let acts = LEAST.replace("sub = '1'", "sub = 'app'");
        assert!(parsed(&acts).is_ok(), "a client that acts for users only is never a sub");
        let acts = acts.replacen("client_id", "grant_types = ['client_credentials']\nclient_id", 1);
        let reason = "is the client_id of a client that is registered for client_credentials";
        assert_eq!(said(&acts), format!("idp.toml:8: users[0].sub: {reason}"));
    }

    #[test]
    fn who_signs_nobody_in_needs_no_address_to_return_to() {
        let api =
            spoiled("[[clients]]", "redirect_uris").replace("client_id =", "grant_types = []\nclient_id =");
        let client = &parsed(&api).unwrap().clients[0];
        assert!(client.redirect_uris.is_empty() && client.home().is_empty() && client.grant_types.is_empty());
    }

    #[test]
    fn each_mistake_of_a_user_is_named_with_its_line_and_its_reason() {
        for (member, reason) in [
            ("sub = 1", "sub: must be a text in quotes"),
            ("sub = '番号'", "sub: must be 1 to 255 characters of printable ASCII"),
            ("username = ' '", "username: must not be blank"),
            ("password = 'x'", "password: passwords do not stand in this file; give its password_hash"),
            ("password_hash = 'x'", "password_hash: not an Argon2id hash in PHC string format"),
            ("nickname = 'null'", "nickname: must not be \"null\"; leave it out instead"),
            ("nick_name = 'M'", "nick_name: there is no such member; did you mean nickname?"),
            ("website = 'mika.example'", "website: \"mika.example\" is not an absolute http"),
            ("email = 'mika'", "email: \"mika\" is not an e-mail address"),
            ("email_verified = 'yes'", "email_verified: must be true or false"),
            ("birthdate = 1990-04-01", "birthdate: must be a text in quotes"),
            ("birthdate = '1.4.1990'", "birthdate: \"1.4.1990\" is not a date such as 1990-04-01"),
            ("locale = 'en_US'", "locale: \"en_US\" is not a language tag such as ja or en-US"),
            ("updated_at = 631151999", "updated_at: must be seconds since 1970"),
            ("updated_at = 1795496601", "updated_at: must be seconds since 1970"),
            ("address = 'Tokyo'", "address: must be a table"),
            ("address = {}", "address: must have one of formatted, street_address"),
            ("address = { contry = 'JP' }", "address.contry: there is no such member; did you mean country?"),
            ("phone_number = ''", "phone_number: must not be blank"),
        ] {
            let said = said(&spoiled("[[users]]", member));
            assert!(said.starts_with(&format!("idp.toml:7: users[0].{reason}")), "{member}: {said}");
        }
        for needed in ["sub", "username", "password_hash"] {
            let said = said(&spoiled("[[users]]", needed));
            assert_eq!(said, format!("idp.toml:6: users[0]: {needed} is missing"));
        }
    }

    #[test]
    fn i11_every_password_costs_as_much_to_check_as_that_of_nobody() {
        for other in ["m=19456,t=3,p=1", "m=65536,t=2,p=1", "m=19456,t=2,p=2"] {
            let hash = HASH.replace("m=19456,t=2,p=1", other);
            let said = said(&spoiled("[[users]]", &format!("password_hash = '{hash}'")));
            assert!(
                said.contains("users[0].password_hash: must have the parameters m=19456,t=2,p=1"),
                "{said}"
            );
        }
    }

    #[test]
    fn no_two_clients_and_no_two_users_have_one_name() {
        let twice = [LEAST, &LEAST.replace("'mika'", "'MIKA '")].join("\n");
        assert_eq!(
            said(&twice),
            "idp.toml:12: clients[1].client_id: \"app\" is taken, in line 2\n\
             idp.toml:17: users[1].sub: \"1\" is taken, in line 7\n\
             idp.toml:18: users[1].username: \"MIKA \" is taken, in line 8"
        );
    }

    #[test]
    fn an_e_mail_address_is_a_name_to_sign_in_with_and_so_nobody_elses() {
        let own = LEAST.replace("'mika'", "'mika@a.example'\nemail = 'mika@a.example'");
        assert!(parsed(&own).is_ok());
        let others = format!("{own}[[users]]\nsub = '2'\nusername = 'rei'\nemail = 'Mika@A.example'");
        let others = format!("{others}\npassword_hash = 'HASH'");
        assert_eq!(said(&others), "idp.toml:14: users[1].email: \"Mika@A.example\" is taken, in line 8");
    }

    #[test]
    fn mistakes_of_the_whole_file_are_named_too() {
        assert_eq!(said(""), "idp.toml:1: there is no [[clients]]\nidp.toml:1: there is no [[users]]");
        let single = said(&LEAST.replace("[[clients]]", "[clients]"));
        assert_eq!(single, "idp.toml:1: clients: must be written [[clients]]");
        let misspelt = said(&LEAST.replace("[[clients]]", "client = 1\n[[clients]]"));
        assert_eq!(misspelt, "idp.toml:1: client: there is no such member; did you mean clients?");
        assert_eq!(
            said(&LEAST.replace("[[clients]]", "code_lifetime = 60\n[[clients]]")),
            "idp.toml:1: code_lifetime: settings do not stand in this file; \
             this one is IDP_CODE_LIFETIME, or --code-lifetime"
        );
    }

    #[test]
    fn no_mistake_tells_a_secret() {
        let secret = spoiled("[[clients]]", "client_secret = 'sesamé'");
        let said = said(&secret.replace("'HASH'", "'sesame'"));
        assert!(said.lines().count() == 2 && !said.contains("sesam"), "{said}");
        let broken = super::parse("f", "client_secret = 'sesame", Path::new(""), Timestamp::from_unix(0));
        assert!(!broken.unwrap_err().to_string().contains("sesame"));
    }

    #[test]
    fn a_secret_may_stand_in_a_file_beside_this_one() {
        let folder = std::env::temp_dir().join(format!("idp-config-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("secret"), "sesame\n").unwrap();
        let text = LEAST
            .replace("HASH", HASH)
            .replace("client_secret = 'app-secret'", "client_secret_file = 'secret'");
        fs::write(folder.join("idp.toml"), text).unwrap();
        let read = read(&folder.join("idp.toml"), Timestamp::from_unix(1_795_496_600));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(read.unwrap().clients[0].secret.as_ref().unwrap().expose(), "sesame");
    }
}
