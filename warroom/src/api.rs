//! What is answered over HTTP: `openapi.json` is the contract. Answers follow from the index and
//! from what was verified; none of them waits for a node but the search for a transaction.

mod attestation;
mod chains;
mod consents;
mod counts;
mod feed;
mod leaves;
mod motions;
mod notice;
mod now;
mod organisations;
mod params;
mod problem;
mod provenance;
mod recount;
mod search;
mod status;
mod tiles;
mod words;

use alloy_primitives::B256;
use serde_json::{Value, json};
use tbsi_types::LeafIndex;

use crate::registry::Registry;
use crate::shared::{Knowledge, Shared};
use crate::store::View;

pub(crate) use notice::{Notice, by_receiver, check_filter, notice};
pub(crate) use params::Params;
pub(crate) use problem::Problem;

/// The document that says what is answered.
const DOCUMENT: &str = include_str!("../openapi.json");

/// Version of the document.
const VERSION: &str = "1.0.0";

/// An answer's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) kind: &'static str,
    pub(crate) body: Vec<u8>,
    /// Whether it never changes.
    pub(crate) fixed: bool,
}

impl Answer {
    fn json(value: &Value) -> Self {
        Self {
            kind: "application/json; charset=utf-8",
            body: value.to_string().into_bytes(),
            fixed: false,
        }
    }

    fn text(kind: &'static str, text: String) -> Self {
        Self {
            kind,
            body: text.into_bytes(),
            fixed: false,
        }
    }
}

/// What a node says a transaction's leaves are, asked before the index is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beside {
    pub(crate) now_ms: u64,
    pub(crate) transaction: Option<(LeafIndex, u64)>,
}

/// All that an answer is made of.
struct Context<'a> {
    shared: &'a Shared,
    known: &'a Knowledge,
    view: &'a View<'a>,
    params: &'a Params,
    beside: Beside,
    /// Leaves that are indexed.
    size: u64,
    root: B256,
}

/// The hash of a transaction that is searched for, if nodes can be asked.
pub(crate) fn asked_transaction(path: &[&str], params: &Params) -> Option<B256> {
    (path == ["search"])
        .then(|| search::as_hash(params))
        .flatten()
}

/// Answers `GET` of a path below `/api/v1`.
pub(crate) fn answer(
    shared: &Shared,
    path: &[&str],
    params: &Params,
    beside: Beside,
) -> Result<Answer, Problem> {
    match path {
        ["openapi.json"] => {
            return Ok(Answer::text(
                "application/json; charset=utf-8",
                DOCUMENT.into(),
            ));
        }
        ["genesis"] => {
            return Ok(Answer {
                kind: "application/json; charset=utf-8",
                body: shared.genesis_bytes.clone(),
                fixed: false,
            });
        }
        _ => {}
    }
    let answered = shared.read(|view| {
        let known = shared.knowledge();
        let frontier = view.frontier()?;
        let context = Context {
            shared,
            known: &known,
            view,
            params,
            beside,
            size: frontier.size().0,
            root: frontier.root(),
        };
        route(&context, path)
    });
    answered.map_err(|error| Problem::index(&error.to_string()))?
}

fn route(context: &Context<'_>, path: &[&str]) -> Result<Answer, Problem> {
    match path {
        ["status"] => status::answer(context),
        ["now"] => now::answer(context),
        ["series"] => counts::answer(context),
        ["search"] => search::answer(context),
        ["attestations"] => leaves::answer(context),
        ["attestations", position] => attestation::answer(context, position),
        ["attestations", position, "bundle"] => attestation::bundle(context, position),
        ["attestations", position, "tlog-proof"] => attestation::tlog_proof(context, position),
        ["organisations"] => organisations::list(context),
        ["organisations", number] => organisations::one(context, number),
        ["motions"] => motions::list(context),
        ["motions", number] => motions::one(context, number),
        ["chains"] => chains::answer(context),
        ["consents"] => consents::list(context),
        ["consents", number] => consents::one(context, number),
        ["provenance"] => provenance::answer(context),
        ["recount"] => recount::answer(context),
        ["feed.atom"] => feed::answer(context),
        ["tiles", rest @ ..] => tiles::answer(context, &rest.join("/")),
        _ => Err(Problem::no_path()),
    }
}

impl Context<'_> {
    fn registry(&self) -> &Registry {
        &self.known.registry
    }

    /// An organisation's legal name, null if it is not known.
    fn name(&self, number: u32) -> Value {
        let record = self.registry().organisation(number);
        record.map_or(Value::Null, |record| {
            json!({
                "organisation": number,
                "zhTw": record.name_zh_tw,
                "en": record.name_en,
                "basis": if record.founder { "genesis" } else { "registry" },
            })
        })
    }

    /// Block time of the last leaf; genesis' without leaves.
    fn time_ms(&self) -> Result<u64, Problem> {
        let last = self.view.last()?;
        Ok(last.map_or(self.shared.genesis.time_ms.0, |(_, time)| time))
    }

    /// Texts of acts that are missing make lists of the registry incomplete.
    fn missing_acts(&self, field: &str) -> Vec<Value> {
        let registry = self.registry();
        if registry.acts_total == registry.acts_read {
            return Vec::new();
        }
        vec![words::not_known(field, "noActs")]
    }
}
