//! No page keeps anybody out, as far as axe-core can tell.

use e2e::{learner::Learner, pair::Pair, tour::tour};

const WIDTHS: [u32; 2] = [1280, 390];

async fn no_page_has_barriers_in(scheme: &str) {
    let mut pair = Pair::start();
    let learner = Learner::of(&pair).await;
    learner.prefers(scheme).await;
    let mut found = Vec::new();
    let mut seen = 0;
    tour(&mut pair, &learner, async |page| {
        for width in WIDTHS {
            learner.widens_to(width).await;
            let barriers = learner.barriers().await;
            found.extend(barriers.into_iter().map(|barrier| format!("{page}, {width} pixels: {barrier}")));
        }
        learner.widens_to(WIDTHS[0]).await;
        seen += 1;
    })
    .await;
    assert!(seen > 60, "{seen}");
    assert!(found.is_empty(), "{}", found.join("\n"));
    // One that is there would be found.
    learner.runs("document.querySelector('main').innerHTML = '<img src=x>'").await;
    assert!(learner.barriers().await.concat().contains("image-alt"));
}

#[actix_web::test]
async fn no_page_has_serious_barriers_in_light_colours() {
    no_page_has_barriers_in("light").await;
}

#[actix_web::test]
async fn no_page_has_serious_barriers_in_dark_colours() {
    no_page_has_barriers_in("dark").await;
}
