//! The discovery document, as the RP fetches it before step 2. What is accepted names the issuer that was asked, and endpoints
//! that a browser or an HTTP client can go to.
#![no_main]

use std::{sync::Arc, time::Duration};

use actix_web::rt::{System, SystemRunner};
use clap::Parser as _;
use fuzz::provider::Provider;
use libfuzzer_sys::fuzz_target;
use rp::config::{Arguments, Settings};
use serde_json::Value;
use shared::{
    clock::{ManualClock, Timestamp},
    flow::NoRecording,
};
use url::Url;

struct World {
    runtime: SystemRunner,
    clock: Arc<ManualClock>,
    provider: Provider,
    known: rp::provider::Provider,
}

thread_local! {
    static WORLD: World = {
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(1_795_496_600)));
        let provider = Provider::start();
        let arguments = Arguments::parse_from(["rp", "--issuer", &provider.issuer]);
        let settings = Settings::try_from(arguments).unwrap();
        let known = rp::provider::Provider::new(&settings, clock.clone(), Arc::new(NoRecording)).unwrap();
        World { runtime: System::new(), clock, provider, known }
    };
}

fuzz_target!(|document: &[u8]| {
    WORLD.with(|world| {
        // The provider is on a port that nobody can know beforehand.
        let document =
            String::from_utf8_lossy(document).replace("https://op.example", &world.provider.issuer);
        world.provider.answers(document.as_bytes());
        world.clock.advance(Duration::from_secs(60));
        let Ok(metadata) = world.runtime.block_on(world.known.metadata()) else { return };

        let document: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["issuer"], world.provider.issuer.as_str());
        let endpoints = [
            ("authorization_endpoint", Some(metadata.authorization_endpoint.as_str())),
            ("token_endpoint", Some(metadata.token_endpoint.as_str())),
            ("userinfo_endpoint", metadata.userinfo_endpoint.as_ref().map(|url| url.as_str())),
            ("jwks_uri", Some(metadata.jwks_uri.as_str())),
        ];
        for (name, endpoint) in endpoints {
            assert_eq!(document[name].as_str(), endpoint);
            let scheme = endpoint.map(|endpoint| Url::parse(endpoint).unwrap().scheme().to_owned());
            assert!(scheme.is_none_or(|scheme| ["http", "https"].contains(&scheme.as_str())));
        }
    });
});
