//! `admin_*`.

use super::entry::Kind::{List, One};
use super::entry::{Audience, Namespace, Schema, call, json};
use crate::admin;

const NODE_INFO: Schema = json(
    "NodeInfo",
    "This node, in the shape of go-ethereum; `id` and `enode` are libp2p's.",
    r#"{"type":"object","required":["id","name","enode","ip","ports","listenAddr","protocols"]}"#,
);

const NEIGHBOUR: Schema = json(
    "Neighbour",
    "A connected peer, in the shape of go-ethereum; `id` and `enode` are libp2p's.",
    r#"{"type":"object","required":["id","name","enode","caps","network","protocols"]}"#,
);

pub(super) const NAMESPACE: Namespace = Namespace {
    name: "admin",
    about: "This node and its neighbours.",
    audience: Audience::Operator,
    methods: &[
        call(
            "admin_nodeInfo",
            "This node.",
            &[],
            One(&NODE_INFO),
            admin::node_info,
        ),
        call(
            "admin_peers",
            "The connected peers.",
            &[],
            List(&NEIGHBOUR),
            admin::peers,
        ),
    ],
};
