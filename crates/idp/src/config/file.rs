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
    use shared::secret::Secret;

    use super::*;
    use crate::{
        config::example::{HASH, LEAST, parsed, said, spoiled},
        demo,
        domain::redirect_uri::RedirectUri,
    };

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
    fn nobody_is_mistaken_for_a_client_that_acts_for_itself() {
        let acts = LEAST.replace("sub = '1'", "sub = 'app'");
        assert!(parsed(&acts).is_ok(), "a client that acts for users only is never a sub");
        let acts = acts.replacen("client_id", "grant_types = ['client_credentials']\nclient_id", 1);
        let reason = "is the client_id of a client that is registered for client_credentials";
        assert_eq!(said(&acts), format!("idp.toml:8: users[0].sub: {reason}"));
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
