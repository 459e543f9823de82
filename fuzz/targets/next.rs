//! `next`, the page that the RP's user wants to see after the login: wherever it leads, it is on the RP's own site.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rp::next;
use url::Url;
use web::origin::Origin;

static SITES: LazyLock<[Origin; 2]> = LazyLock::new(|| {
    ["http://127.0.0.1:5002", "https://apps.example/rp"].map(|site| Origin::parse(site, false).unwrap())
});

fuzz_target!(|text: &[u8]| {
    let text = String::from_utf8_lossy(text);
    for site in SITES.iter() {
        let led = next::local(Some(&text), site);
        // Read by the URL standard, as browsers do.
        let base = Url::parse(site.as_str()).unwrap();
        assert_eq!(base.join(&led).unwrap().origin(), base.origin());
        assert!(led == text || led == format!("{}/", site.path()));
        assert!(led.bytes().all(|byte| byte.is_ascii_graphic()), "it can stand in a header");
    }
});
