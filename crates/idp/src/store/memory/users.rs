//! The users, by each of the names that they have.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use shared::ids::Subject;

use crate::{
    domain::user::{User, Username},
    store::{Stored, UserStore},
};

pub(super) struct Users {
    subjects: HashMap<Subject, Arc<User>>,
    usernames: HashMap<Username, Arc<User>>,
    emails: HashMap<Username, Arc<User>>,
}

impl From<Vec<User>> for Users {
    fn from(users: Vec<User>) -> Self {
        let users: Vec<_> = users.into_iter().map(Arc::new).collect();
        Self {
            subjects: users.iter().map(|user| (user.subject.clone(), Arc::clone(user))).collect(),
            usernames: users.iter().map(|user| (user.username.clone(), Arc::clone(user))).collect(),
            emails: users.iter().filter_map(|user| Some((user.email()?, Arc::clone(user)))).collect(),
        }
    }
}

#[async_trait]
impl UserStore for Users {
    async fn find_by_name(&self, name: &Username) -> Stored<Option<Arc<User>>> {
        Ok(self.usernames.get(name).or_else(|| self.emails.get(name)).cloned())
    }

    async fn find(&self, subject: &Subject) -> Stored<Option<Arc<User>>> {
        Ok(self.subjects.get(subject).cloned())
    }
}
