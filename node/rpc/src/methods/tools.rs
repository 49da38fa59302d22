//! `net_*`, `rpc*`, `txpool_*` and `web3_*`.

use std::collections::BTreeMap;

use super::entry::Kind::{List, One};
use super::entry::{
    Audience, Method, Namespace, Run, Schema, call, json, may, method, need, object,
};
use super::objects::TRANSACTION;
use super::openrpc;
use super::schemas::{ADDRESS, BOOLEAN, BYTES, HASH, INTEGER, QUANTITY, TEXT};
use crate::api::{Reply, reply};
use crate::{net, txpool};

pub(super) const NET: Namespace = Namespace {
    name: "net",
    about: "The network.",
    audience: Audience::Public,
    methods: &[
        call("net_listening", "True.", &[], One(&BOOLEAN), net::listening).brief(),
        call(
            "net_peerCount",
            "How many peers are connected.",
            &[],
            One(&QUANTITY),
            net::peer_count,
        )
        .brief(),
        call(
            "net_version",
            "The chain id in decimal digits.",
            &[],
            One(&TEXT),
            net::version,
        )
        .brief(),
    ],
};

const MODULES: Schema = json(
    "Modules",
    "Namespaces and their versions.",
    r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
);

const DOCUMENT: Schema = json(
    "OpenRpcDocument",
    "A document of the OpenRPC specification.",
    r#"{"type":"object","required":["openrpc","info","methods"],
        "additionalProperties":true}"#,
);

pub(super) const RPC: Namespace = Namespace {
    name: "rpc",
    about: "What can be called here.",
    audience: Audience::Public,
    methods: &[
        method(
            "rpc.discover",
            "All methods with arguments and results, as an OpenRPC document.",
            &[],
            One(&DOCUMENT),
            Run::About(discover),
        ),
        method(
            "rpc_modules",
            "The namespaces.",
            &[],
            One(&MODULES),
            Run::About(modules),
        ),
    ],
};

const POOL_STATUS: Schema = object(
    "PoolStatus",
    "Transactions that the next block could have, and those that wait for an earlier nonce.",
    &[
        need("pending", One(&QUANTITY)),
        need("queued", One(&QUANTITY)),
    ],
);

pub(super) const TXPOOL: Namespace = Namespace {
    name: "txpool",
    about: "Transactions that no block has yet.",
    audience: Audience::Public,
    methods: TXPOOL_METHODS,
};

const HALVES: Schema = json(
    "PoolContent",
    "`pending` and `queued`, each by sender and by nonce in decimal digits.",
    r#"{"type":"object","required":["pending","queued"]}"#,
);

const POOL_STATISTICS: Schema = object(
    "PoolStatistics",
    "Room for transactions, how many came from clients of this node, and how many from others.",
    &[
        need("maxSize", One(&INTEGER)),
        need("localCount", One(&INTEGER)),
        need("remoteCount", One(&INTEGER)),
    ],
);

#[rustfmt::skip]
const TXPOOL_METHODS: &[Method] = &[
    call("txpool_besuPendingTransactions", "The pool's transactions in a list, as Besu has them.",
        &[may("limit", One(&INTEGER))], List(&TRANSACTION), txpool::besu_pending_transactions),
    call("txpool_besuStatistics", "How full the pool is, as Besu says it.", &[], One(&POOL_STATISTICS), txpool::besu_statistics),
    call("txpool_content", "The pool's transactions by sender and nonce.", &[], One(&HALVES), txpool::content),
    call("txpool_contentFrom", "The pool's transactions of one sender, by nonce.",
        &[need("address", One(&ADDRESS))], One(&HALVES), txpool::content_from),
    call("txpool_inspect", "The pool's transactions, a line for each.", &[], One(&HALVES), txpool::inspect),
    call("txpool_status", "How many transactions the pool has.", &[], One(&POOL_STATUS), txpool::status),
];

pub(super) const WEB3: Namespace = Namespace {
    name: "web3",
    about: "Tools.",
    audience: Audience::Public,
    methods: &[
        call(
            "web3_clientVersion",
            "Name and version of the software.",
            &[],
            One(&TEXT),
            net::client_version,
        )
        .brief(),
        call(
            "web3_sha3",
            "Keccak-256 of some bytes.",
            &[need("bytes", One(&BYTES))],
            One(&HASH),
            net::sha3,
        )
        .brief(),
    ],
};

fn discover(methods: &[&'static Method]) -> Reply {
    reply(openrpc::document(methods))
}

fn modules(methods: &[&'static Method]) -> Reply {
    let names = methods.iter().map(|method| (method.namespace(), "1.0"));
    reply(names.collect::<BTreeMap<_, _>>())
}
