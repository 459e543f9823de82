//! What a [`Learner`] does and sees in the flow viewer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use shared::random::{self, SystemRandom};
use url::Url;

use crate::{learner::Learner, wait::eventually};

/// The link at the top of every page to the flow that it belongs to, or to the list.
pub const TO_FLOWS: &str = ".strip .to-flows";
/// The first flow of the list, which is the latest.
pub const LATEST: &str = "table.flows tbody tr:first-child th a";

impl Learner {
    /// Follows the link from a page of a login to what happens in it.
    pub async fn opens_its_flow(&self) {
        self.clicks(TO_FLOWS).await;
        self.finds(".bench").await;
    }

    /// Opens the latest flow of the RP's list.
    pub async fn opens_the_latest_flow(&self) {
        self.opens(&format!("{}/flows", self.home)).await;
        self.clicks(LATEST).await;
        self.finds(".bench").await;
    }

    /// Chooses a place of the flow, `m8` for step 8, and sees what happened there.
    pub async fn chooses(&self, place: &str) {
        self.clicks(&format!(".entry a[href='#{place}']")).await;
        self.finds(&format!("#{place}:target")).await;
    }

    /// The places of the flow, and how far each is, as the class of its line says.
    pub async fn places(&self) -> Vec<(String, String)> {
        let script = "return [...document.querySelectorAll('.entry')]
            .map(it => [it.querySelector('a').hash.slice(1), it.classList[1]])";
        serde_json::from_value(self.evaluates(script, Vec::new()).await).unwrap()
    }

    /// The ten steps, how far each is.
    pub async fn steps(&self) -> Vec<String> {
        let places = self.places().await.into_iter();
        places.filter(|(place, _)| place.starts_with('m')).map(|(_, state)| state).collect()
    }

    /// What somebody who hears the page reads in `selector`.
    pub async fn hears(&self, selector: &str) -> String {
        self.finds(selector).await;
        let script = "return document.querySelector(arguments[0]).textContent";
        let text = self.evaluates(script, vec![json!(selector)]).await;
        text.as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What the page's own server answers there: the status, and the body.
    pub async fn fetches(&self, address: &str) -> (u64, String) {
        let script = format!("fetch('{address}').then(async it => [it.status, await it.text()])");
        serde_json::from_value(self.runs(&script).await).unwrap()
    }

    /// Goes to a place of the flow by its address.
    pub async fn goes_to(&self, place: &str) {
        let mut address = self.address().await;
        address.set_fragment(Some(place));
        self.opens(address.as_str()).await;
        self.finds(&format!("#{place}:target")).await;
    }

    /// Saves the flow with a link of the menu, and says where it lies.
    pub async fn saves(&self, link: &str) -> PathBuf {
        let folder = self.chrome.folder().join(random::token(&SystemRandom));
        let how = json!({ "behavior": "allow", "downloadPath": folder.to_string_lossy() });
        self.asks_devtools("Browser.setDownloadBehavior", how).await;
        self.clicks(".menu summary").await;
        self.clicks(link).await;
        eventually("a file to be saved", async || {
            let file = fs::read_dir(&folder).ok()?.next()?.ok()?.path();
            file.extension().is_some_and(|end| end != "crdownload" && end != "tmp").then_some(file)
        })
        .await
    }

    /// Puts a file into a folder that is gone when the browser is.
    pub fn keeps(&self, name: &str, text: &str) -> PathBuf {
        let file = self.chrome.folder().join(name);
        fs::write(&file, text).unwrap();
        file
    }

    /// Opens a file in the browser.
    pub async fn opens_a_file(&self, file: &Path) {
        self.opens(Url::from_file_path(file).unwrap().as_str()).await;
    }

    /// Chooses a file at the address that takes those that were saved.
    pub async fn opens_the_file(&self, at: &str, file: &Path) {
        self.opens(at).await;
        self.finds("input[type=file]").await.send_keys(file.to_string_lossy()).await.unwrap();
        self.clicks("main form button[type=submit]").await;
    }

    /// Pulls the plug.
    pub async fn goes_offline(&self) {
        self.asks_devtools("Network.enable", json!({})).await;
        self.asks_devtools(
            "Network.emulateNetworkConditions",
            json!({ "offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 }),
        )
        .await;
    }
}
