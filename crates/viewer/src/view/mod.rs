//! Pages about flows: what stands on them, told from the story of a flow. The templates are in `templates/viewer`.
//!
//! [`flow_page`] is the workbench: the diagram (`map`), the life of each value (`ledger`), and for every place of the flow
//! (`detail`) its messages (`wire`, `curl`), the facts about their parameters (`parameters`), tokens taken apart
//! (`token`), checks, who can see what (`sight`), and the chain of refresh tokens (`family`). [`list_page`] lists flows,
//! [`compare_page`] puts two beside each other, [`glossary_page`] explains the words, and [`concealed`] leaves the secrets
//! out of what is to be saved.

mod compare;
mod concealed;
mod curl;
mod detail;
mod family;
pub(crate) mod fields;
mod glossary;
mod html;
mod ledger;
mod list;
mod map;
mod moment;
mod page;
mod parameters;
mod proof;
mod releases;
mod sight;
mod token;
mod wire;

use shared::flow::Entry;

pub(crate) use self::{
    fields::{Members, basic, plain},
    parameters::{Place, made},
};

pub use compare::{ComparePage, compare_page};
pub use concealed::{CONCEALED, concealed};
pub use glossary::{GlossaryPage, TOPICS, glossary_page};
pub use list::{ListFacts, ListPage, Listed, Show, list_page};
pub use map::arrow_texts;
pub use page::{FlowFacts, FlowPage, OtherHalf, SavedPage, flow_page, saved_page};
pub use parameters::keys as parameter_keys;
pub use proof::METHODS as AUTH_METHODS;
pub use releases::RELEASED;
pub use sight::OBSERVERS;
pub use token::{CLAIMS, JOSE, JWK, Token};

/// Where an entry stands on the page of its flow: `m8` for step 8.
pub(crate) fn anchor(entry: Entry) -> String {
    entry.step().map_or_else(|| entry.id().to_owned(), |step| format!("m{}", step.number()))
}
