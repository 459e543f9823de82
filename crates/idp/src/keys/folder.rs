//! The folder of keys: one file a key, in PEM, named by what it signs with and from when on. A file is there whole or
//! not at all, and is never written twice, so its name says everything.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use shared::clock::Timestamp;
use thiserror::Error;
use web::moment::Moment;

use super::{
    key::{KeyAlg, SigningKey},
    rotation::KeyName,
};

/// Why there are no keys to sign with, or no new ones.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The folder or a file cannot be read.
    #[error("{0} cannot be read: {1}")]
    Read(PathBuf, io::Error),
    /// The folder or a file cannot be written.
    #[error("{0} cannot be written: {1}")]
    Write(PathBuf, io::Error),
    /// A file that is no key of ours.
    #[error(
        "{0} is not named as a key is: rs256.pem, or es256-1795496600.pem with the second from which it signs"
    )]
    Foreign(PathBuf),
    /// A file that does not hold what its name says.
    #[error("{0} holds no private key in PEM that can sign with {1}: {2}")]
    Unusable(PathBuf, KeyAlg, String),
    /// Two files hold one key.
    #[error("{0} and {1} hold the same key: remove one of them")]
    Twice(PathBuf, PathBuf),
    /// There is no key to sign with.
    #[error("{0} holds no {1} key; the server makes what is missing when it starts")]
    Missing(PathBuf, KeyAlg),
    /// A rotation is under way.
    #[error("a new {0} key is published already and signs from {1}; rotate again after that")]
    UnderWay(KeyAlg, String),
    /// No key could be made.
    #[error("no {0} key could be made")]
    Generation(KeyAlg),
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`, which need not exist yet.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The names of all keys in it, in order.
    pub fn names(&self) -> Result<Vec<KeyName>, KeyError> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| self.unreadable(error))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| self.unreadable(error))?.path();
            if path.extension().is_some_and(|extension| extension == "pem") {
                let name = path.file_stem().and_then(|stem| stem.to_str()).and_then(KeyName::parse);
                names.push(name.ok_or(KeyError::Foreign(path))?);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Reads a key; `None` when its file is gone.
    pub fn read(&self, name: KeyName) -> Result<Option<SigningKey>, KeyError> {
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeyError::Read(path, error)),
            Ok(pem) => match SigningKey::from_pem(name.alg, &pem) {
                Ok(key) => Ok(Some(key)),
                Err(detail) => Err(KeyError::Unusable(path, name.alg, detail)),
            },
        }
    }

    /// Where a key is.
    pub fn path(&self, name: KeyName) -> PathBuf {
        self.0.join(format!("{name}.pem"))
    }

    /// What is missing for signing with every algorithm.
    pub fn missing(&self) -> Result<Vec<KeyAlg>, KeyError> {
        let names = self.names()?;
        Ok(KeyAlg::ALL.into_iter().filter(|alg| names.iter().all(|name| name.alg != *alg)).collect())
    }

    /// Makes the folder and the first keys, as far as they are missing.
    pub fn fill(&self) -> Result<(), KeyError> {
        if self.missing()?.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(&self.0).map_err(|error| self.unwritable(error))?;
        let _alone = self.lock()?;
        for alg in self.missing()? {
            self.make(KeyName::first(alg))?;
        }
        Ok(())
    }

    /// Publishes new keys that begin to sign after `wait`: of every algorithm, or of `only` one.
    pub fn rotate(
        &self,
        only: Option<KeyAlg>,
        wait: Duration,
        now: Timestamp,
    ) -> Result<Vec<(KeyName, SigningKey)>, KeyError> {
        let wanted = |alg: KeyAlg| only.is_none_or(|only| only == alg);
        if let Some(alg) = self.missing()?.into_iter().find(|alg| wanted(*alg)) {
            return Err(self.lacks(alg));
        }
        let _alone = self.lock()?;
        let names = self.names()?;
        let mut planned = Vec::new();
        for alg in KeyAlg::ALL.into_iter().filter(|alg| wanted(*alg)) {
            let newest =
                names.iter().filter(|name| name.alg == alg).max().unwrap_or(&KeyName::first(alg)).from;
            if newest > now {
                return Err(KeyError::UnderWay(alg, Moment::from(newest).iso().to_owned()));
            }
            // Two in one second would have one name.
            planned.push(KeyName { alg, from: (now + wait).max(newest + Duration::from_secs(1)) });
        }
        planned.into_iter().map(|name| self.make(name).map(|key| (name, key))).collect()
    }

    /// Removes a key whose time is over.
    pub fn remove(&self, name: KeyName) -> Result<(), KeyError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(KeyError::Write(path, error)),
            _ => Ok(()),
        }
    }

    fn make(&self, name: KeyName) -> Result<SigningKey, KeyError> {
        let made = SigningKey::generate_pem(name.alg).map_err(|_| KeyError::Generation(name.alg))?;
        let key = SigningKey::from_pem(name.alg, &made).map_err(|_| KeyError::Generation(name.alg))?;
        let path = self.path(name);
        write_whole(&path, &made).map_err(|error| KeyError::Write(path, error))?;
        Ok(key)
    }

    /// Nobody else adds keys until it is dropped; the end of the program is enough for that.
    fn lock(&self) -> Result<File, KeyError> {
        let locked = OpenOptions::new().create(true).truncate(false).write(true).open(self.0.join(".lock"));
        locked.and_then(|file| file.lock().map(|()| file)).map_err(|error| self.unwritable(error))
    }

    /// There is no key for `alg`.
    pub fn lacks(&self, alg: KeyAlg) -> KeyError {
        KeyError::Missing(self.0.clone(), alg)
    }

    fn unreadable(&self, error: io::Error) -> KeyError {
        KeyError::Read(self.0.clone(), error)
    }

    fn unwritable(&self, error: io::Error) -> KeyError {
        KeyError::Write(self.0.clone(), error)
    }
}

/// Writes a file that is there whole or not at all, readable by its owner only where the system knows owners.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that is gone after the test.
    struct Temporary(Folder);

    impl Temporary {
        fn named(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("idp-folder-{}-{name}", std::process::id()));
            // An earlier run may have been interrupted.
            let _ = fs::remove_dir_all(&path);
            Self(Folder::at(&path))
        }

        fn filled(name: &str) -> Self {
            let folder = Self::named(name);
            folder.0.fill().unwrap();
            folder
        }

        fn write(&self, file: &str, text: &str) {
            fs::write(self.0.0.join(file), text).unwrap();
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0.0);
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    const WAIT: Duration = Duration::from_secs(120);
    const ES256: Option<KeyAlg> = Some(KeyAlg::Es256);

    #[test]
    fn a_new_folder_gets_a_key_of_each_kind_once() {
        let folder = Temporary::filled("new");
        let kids = || {
            let names = folder.0.names().unwrap();
            assert_eq!(names, KeyAlg::ALL.map(KeyName::first));
            names
                .into_iter()
                .map(|name| folder.0.read(name).unwrap().unwrap().kid().to_owned())
                .collect::<Vec<_>>()
        };
        let first = kids();
        folder.0.fill().unwrap();
        assert_eq!(kids(), first);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = Temporary::filled("mode");
        folder.0.rotate(ES256, WAIT, at(1000)).unwrap();
        for name in folder.0.names().unwrap() {
            let mode = fs::metadata(folder.0.path(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_folder_with_an_rsa_key_alone_keeps_it_and_gets_the_others() {
        let folder = Temporary::named("rsa");
        fs::create_dir_all(&folder.0.0).unwrap();
        let pem = SigningKey::generate_pem(KeyAlg::Rs256).unwrap();
        folder.write("rs256.pem", &pem);
        folder.0.fill().unwrap();
        assert_eq!(folder.0.names().unwrap().len(), 3);
        assert_eq!(fs::read_to_string(folder.0.path(KeyName::first(KeyAlg::Rs256))).unwrap(), pem);
    }

    #[test]
    fn i24_a_rotation_adds_keys_that_sign_later_and_touches_no_other() {
        let folder = Temporary::filled("rotation");
        let before = folder.0.names().unwrap();
        let made = folder.0.rotate(None, WAIT, at(1000)).unwrap();
        let names: Vec<_> = made.iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, ["rs256-1120", "es256-1120", "eddsa-1120"]);
        let after = folder.0.names().unwrap();
        assert!(before.iter().all(|name| after.contains(name)) && after.len() == 6, "{after:?}");
        for (name, key) in made {
            assert_eq!(folder.0.read(name).unwrap().unwrap().kid(), key.kid());
        }
    }

    #[test]
    fn i24_a_rotation_waits_for_the_one_before() {
        let folder = Temporary::filled("twice");
        folder.0.rotate(ES256, WAIT, at(1000)).unwrap();
        let refused = folder.0.rotate(None, WAIT, at(1119)).unwrap_err().to_string();
        assert!(refused.contains("ES256") && refused.contains("1970-01-01T00:18:40Z"), "{refused}");
        // Nothing was made for the other algorithms.
        assert_eq!(folder.0.names().unwrap().len(), 4);
        folder.0.rotate(ES256, WAIT, at(1120)).unwrap();
        assert_eq!(folder.0.names().unwrap().len(), 5);
    }

    #[test]
    fn i24_of_two_rotations_at_once_one_is_refused() {
        let folder = Temporary::filled("at-once");
        let rotate = || folder.0.rotate(ES256, WAIT, at(1000)).is_ok();
        let done: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(rotate)).collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!((done, folder.0.names().unwrap().len()), (1, 4));
    }

    #[test]
    fn two_rotations_in_one_second_make_two_keys() {
        let folder = Temporary::filled("second");
        for _ in 0..2 {
            folder.0.rotate(ES256, Duration::ZERO, at(1000)).unwrap();
        }
        let names: Vec<_> = folder.0.names().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["rs256", "es256", "es256-1000", "es256-1001", "eddsa"]);
    }

    #[test]
    fn what_is_wrong_with_the_folder_is_said_with_its_name() {
        let folder = Temporary::named("wrong");
        let refused = |result: Result<_, KeyError>, named: &str| {
            let sentence = result.err().unwrap().to_string();
            assert!(sentence.contains("idp-folder") && sentence.contains(named), "{sentence}");
        };
        refused(folder.0.rotate(ES256, WAIT, at(1000)).map(drop), "no ES256 key");
        folder.0.fill().unwrap();

        folder.write("es256-2000.pem", "-----BEGIN PRIVATE KEY-----\nMIGHAgEA");
        let half = KeyName { alg: KeyAlg::Es256, from: at(2000) };
        refused(folder.0.read(half).map(drop), "es256-2000.pem");
        folder.0.remove(half).unwrap();
        folder.0.remove(half).unwrap();
        assert!(folder.0.read(half).unwrap().is_none());

        // What is no key by its ending is somebody else's business.
        for other in ["es256-3000.new", "README", ".hidden"] {
            folder.write(other, "");
        }
        assert_eq!(folder.0.names().unwrap().len(), 3);
        for foreign in ["tls.pem", "es256-x.pem", ".pem.pem"] {
            folder.write(foreign, "");
            refused(folder.0.names().map(drop), foreign);
            fs::remove_file(folder.0.0.join(foreign)).unwrap();
        }

        // The draft cannot be written, then no file at all, then there is no folder but a file.
        fs::create_dir(folder.0.0.join("es256-1120.new")).unwrap();
        refused(folder.0.rotate(ES256, WAIT, at(1000)).map(drop), "es256-1120.pem cannot be written");
        fs::remove_file(folder.0.0.join(".lock")).unwrap();
        fs::create_dir(folder.0.0.join(".lock")).unwrap();
        refused(folder.0.rotate(ES256, WAIT, at(1000)).map(drop), "cannot be written");
        let file = Folder::at(&folder.0.0.join("README"));
        refused(file.fill(), "README");
    }
}
