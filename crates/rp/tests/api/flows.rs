//! What a provider tells of its half of a flow, which may be anything.

use serde_json::{Value, json};
use shared::flow::{Event, Life, Party, Recorded, Step, Turn, Value as Kept};

use crate::{provider::Canned, world::World};

/// The events of the only flow, as they stand in the file that is saved of it.
async fn saved(world: &World) -> Vec<Value> {
    let mut browser = world.browser();
    let list = browser.opens("/flows").await.text;
    let (_, rest) = list.split_once(r#"href="/flows/"#).unwrap();
    let id: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    let page = browser.opens(&format!("/flows/{id}/save")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let (_, rest) = page.text.split_once(r#"id="flow">"#).unwrap();
    let file: Value = serde_json::from_str(rest.split("</script>").next().unwrap()).unwrap();
    file["events"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn of_what_the_provider_tells_of_its_half_no_more_is_taken_than_a_flow_can_have() {
    const MOST: usize = viewer::saved::MOST_EVENTS;
    let world = World::start();
    let asked = format!("{}/flows/lookup", world.provider.issuer);
    world.provider.describes_itself(|it| it["flow_recording_endpoint"] = asked.into());
    world.logs_in(&mut world.browser()).await;
    let tells = |count: usize, by: Party| {
        let event = Event::Life(Life { value: Kept::Code, turn: Turn::Created, step: Step::Redirect });
        let event = Recorded { by, at: world.now() * 1000, within: String::new(), event };
        world.provider.answers("/flows/lookup", Canned::Json(200, json!({ "events": vec![event; count] })));
    };
    let events = saved(&world).await;
    let is_idps = |it: &&Value| it["by"] == json!(Party::Idp);
    assert!(!events.is_empty() && events.iter().filter(is_idps).count() == 0, "{events:?}");
    // It tells nothing of what the application did.
    tells(10, Party::Rp);
    assert_eq!(saved(&world).await.len(), events.len());
    tells(MOST + 1, Party::Idp);
    assert_eq!(saved(&world).await.iter().filter(is_idps).count(), MOST);
}
