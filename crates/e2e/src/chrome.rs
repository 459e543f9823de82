//! Chromium, driven through chromedriver.

use std::{
    env, fs,
    io::{self, BufRead as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use shared::random::{self, SystemRandom};
use thirtyfour::{
    ChromeCapabilities, ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// How long chromedriver may take to start.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many ports chromedriver may try.
const MOST_PORTS: usize = 5;
/// A large enough window for any page's first look.
const WINDOW: &str = "--window-size=1280,800";
const QUIET: [&str; 11] = [
    "--headless=new",
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    WINDOW,
];

/// How somebody has set up their browser.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// The language that they prefer.
    pub language: &'static str,
    /// Whether pages may run scripts.
    pub scripts: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self { language: "en", scripts: true }
    }
}

/// A browser with a fresh profile, closed when it is dropped, also by a test that fails.
pub struct Chrome {
    /// What drives it.
    pub driver: WebDriver,
    chromedriver: Chromedriver,
}

impl Chrome {
    /// Opens a window.
    pub async fn open(profile: Profile) -> Self {
        let chromium = find("chromium");
        let chromedriver = Chromedriver::start().await;
        let capabilities = capabilities(&chromium.to_string_lossy(), profile).unwrap();
        let driver = WebDriver::new(chromedriver.address(), capabilities)
            .await
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        Self { driver, chromedriver }
    }

    /// A folder that is gone when the browser is.
    pub fn folder(&self) -> &Path {
        &self.chromedriver.folder
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        // Left to itself the driver would close the window by a connection that this very thread serves, and wait for
        // ever. If chromedriver does not answer, the end of its process is all that is left to do.
        let window = format!("/session/{}", self.driver.handle().session_id());
        drop(self.driver.clone().leak());
        drop(self.chromedriver.is_told("DELETE", &window));
    }
}

fn capabilities(binary: &str, profile: Profile) -> thirtyfour::error::WebDriverResult<ChromeCapabilities> {
    let mut chrome = DesiredCapabilities::chrome();
    chrome.set_binary(binary)?;
    for argument in QUIET {
        chrome.add_arg(argument)?;
    }
    chrome.add_arg(&format!("--accept-lang={}", profile.language))?;
    if !profile.scripts {
        // As a visitor switches them off, in the settings.
        let forbidden = serde_json::json!({ "profile.managed_default_content_settings.javascript": 2 });
        chrome.add_experimental_option("prefs", forbidden)?;
    }
    chrome.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    chrome.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
    Ok(chrome)
}

/// A running chromedriver, on a port that it chose itself.
struct Chromedriver {
    port: u16,
    // Profiles and whatever else Chromium puts down.
    folder: PathBuf,
    _process: Child,
    // Nobody reads on, but a driver whose output ends nowhere would end too.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Chromedriver {
    /// It takes a port that is free in IPv6, and ends if somebody has the same one in IPv4. Then it takes another.
    async fn start() -> Self {
        for _ in 1..MOST_PORTS {
            if let Ok(started) = Self::start_somewhere().await {
                return started;
            }
        }
        Self::start_somewhere().await.unwrap_or_else(|error| panic!("chromedriver does not start: {error}"))
    }

    /// An error if it ends before it is ready.
    async fn start_somewhere() -> io::Result<Self> {
        let folder = env::temp_dir().join(format!("e2e-{}", random::token(&SystemRandom)));
        let mut process = Command::new(find("chromedriver"))
            .arg("--port=0")
            .env("TMPDIR", &folder)
            // Far enough from UTC to see which times are local.
            .env("TZ", "Asia/Tokyo")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver does not start: {error}"));
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = tokio::time::timeout(PATIENCE, port(&mut output)).await;
        let port =
            port.unwrap_or_else(|_| panic!("chromedriver was not ready within {} s", PATIENCE.as_secs()))?;
        // Only Chromium puts anything there, and none runs yet.
        fs::create_dir(&folder).unwrap();
        Ok(Self { port, folder, _process: process, _output: output })
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sends a command, and waits until it is done.
    fn is_told(&self, method: &str, path: &str) -> io::Result<()> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(PATIENCE))?;
        write!(connection, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        io::BufReader::new(connection).read_line(&mut String::new()).map(drop)
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        drop(self.is_told("GET", "/shutdown"));
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Waits for chromedriver's own word that it is ready; it names the port.
async fn port(output: &mut Lines<BufReader<ChildStdout>>) -> io::Result<u16> {
    while let Some(line) = output.next_line().await? {
        let port = line.strip_prefix("ChromeDriver was started successfully on port ");
        if let Some(port) = port.and_then(|port| port.trim_end_matches('.').parse().ok()) {
            return Ok(port);
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

fn find(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| {
            panic!(
                "{program} is not installed, and the browser tests need it \
                 (on Debian: apt-get install chromium chromium-driver fonts-ipafont-gothic)"
            )
        })
}
