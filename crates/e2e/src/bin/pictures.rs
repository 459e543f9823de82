//! Photographs the pages.
//!
//! `cargo run -p e2e --bin pictures -- FOLDER` takes every page and state, in both languages, in light and dark, in three
//! widths: to be looked at after a change of looks or words. With `--readme` it takes the few that the README shows, for
//! `docs/pictures`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Parser;
use e2e::{chrome::Profile, learner::Learner, pair::Pair, tour::tour};

const LANGUAGES: [&str; 2] = ["en", "ja"];
const SCHEMES: [&str; 2] = ["light", "dark"];
const WIDTHS: [u32; 3] = [1280, 1024, 390];
/// What the README shows, and how it calls it.
const CHOSEN: [(&str, &str); 7] = [
    ("rp-home", "rp-home"),
    ("idp-login", "idp-login"),
    ("idp-consent", "idp-consent"),
    ("rp-welcome", "rp-welcome"),
    ("rp-error-issuer-mismatch", "rp-error"),
    ("viewer-flow-exchange", "flow-viewer"),
    ("viewer-list", "flows"),
];

#[derive(Parser)]
struct Arguments {
    /// Where to put the pictures
    folder: PathBuf,
    /// Only the README's, each as much of the page as a window shows
    #[arg(long)]
    readme: bool,
    /// Only the pages whose names begin like this
    #[arg(long, default_value = "", conflicts_with = "readme")]
    only: String,
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let Arguments { folder, readme, only } = Arguments::parse();
    fs::create_dir_all(&folder)?;
    for language in LANGUAGES {
        // The README shows the addresses that everybody will see.
        let mut pair = if readme { Pair::start_as_in_the_tutorial() } else { Pair::start() };
        let profile = Profile { language, ..Profile::default() };
        let learner = Learner::with(&pair, profile).await;
        let camera = Camera { folder: &folder, language, learner: &learner };
        let mut kept = Ok(());
        tour(&mut pair, &learner, async |name| {
            if kept.is_ok() && name.starts_with(&only) {
                kept =
                    if readme { camera.takes_for_readme(name).await } else { camera.takes_all(name).await };
            }
        })
        .await;
        kept?;
        pair.stops().await;
    }
    Ok(())
}

struct Camera<'a> {
    folder: &'a Path,
    language: &'static str,
    learner: &'a Learner,
}

impl Camera<'_> {
    async fn takes_all(&self, name: &str) -> io::Result<()> {
        for scheme in SCHEMES {
            self.learner.prefers(scheme).await;
            for width in WIDTHS {
                self.learner.widens_to(width).await;
                let picture = self.learner.photographs_page().await;
                let file = format!("{name}.{}.{scheme}.{width}.png", self.language);
                fs::write(self.folder.join(file), picture)?;
            }
        }
        Ok(())
    }

    async fn takes_for_readme(&self, name: &str) -> io::Result<()> {
        let Some((_, short)) = CHOSEN.iter().find(|(chosen, _)| *chosen == name) else {
            return Ok(());
        };
        self.learner.prefers("light").await;
        self.learner.widens_to(WIDTHS[0]).await;
        let picture = self.learner.photographs_window().await;
        fs::write(self.folder.join(format!("{short}-{}.png", self.language)), picture)
    }
}
