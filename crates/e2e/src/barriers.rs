//! What keeps people out of a page, as far as a program can tell: axe-core looks for it.

use std::fs;

use serde_json::{Value, json};

use crate::learner::Learner;

const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node_modules/axe-core/axe.min.js");

const LOOK: &str = "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
    .filter(it => ['serious', 'critical'].includes(it.impact))
    .flatMap(it => it.nodes.map(node => `${it.id}: ${node.html.slice(0, 200)} ${node.any[0]?.message ?? ''}`)))";

impl Learner {
    /// What axe-core finds serious or critical on the page that is there, as it is shown now.
    pub async fn barriers(&self) -> Vec<String> {
        let axe = fs::read_to_string(AXE).unwrap_or_else(|error| {
            panic!("axe-core is not installed, and this test needs it (npm ci --prefix crates/e2e): {error}")
        });
        // Over the developer tools: the policy of a page lets none of its own scripts do this.
        self.runs(&format!("window.axe || (() => {{ {axe} }})(); null")).await;
        serde_json::from_value(self.runs(LOOK).await).unwrap()
    }

    /// What a script finds out when it is run over the developer tools, a promise kept.
    pub async fn runs(&self, script: &str) -> Value {
        let question = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.asks_devtools("Runtime.evaluate", question).await;
        assert!(answer.get("exceptionDetails").is_none(), "{}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }
}
