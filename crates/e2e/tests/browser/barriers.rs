//! No page keeps anybody out, as far as axe-core can tell.

use e2e::{learner::Learner, pair::Pair, tour::tour};

/// Contrast is a matter of colours, order and overlap one of width: each page is looked at twice.
const SIGHTS: [(&str, u32); 2] = [("light", 1280), ("dark", 390)];

#[actix_web::test]
async fn no_page_has_serious_barriers_in_either_colours_wide_or_narrow() {
    let mut pair = Pair::start();
    let learner = Learner::of(&pair).await;
    let mut found = Vec::new();
    let mut seen = 0;
    tour(&mut pair, &learner, async |page| {
        for (scheme, width) in SIGHTS {
            learner.prefers(scheme).await;
            learner.widens_to(width).await;
            let barriers = learner.barriers().await;
            found.extend(
                barriers.into_iter().map(|barrier| format!("{page}, {width} pixels, {scheme}: {barrier}")),
            );
        }
        learner.prefers(SIGHTS[0].0).await;
        learner.widens_to(SIGHTS[0].1).await;
        seen += 1;
    })
    .await;
    assert!(seen > 60, "{seen}");
    assert!(found.is_empty(), "{}", found.join("\n"));
    // One that is there would be found.
    learner.runs("document.querySelector('main').innerHTML = '<img src=x>'").await;
    assert!(learner.barriers().await.concat().contains("image-alt"));
}
