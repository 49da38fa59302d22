//! Brings evidence of equivocation before the governance contracts (SPEC §13.8).
//!
//! Every node that knows of a piece could send it. They take turns, so that mostly one does:
//! the first validator by address at once, the next ones some blocks later, and all others with
//! the last of these: only one of them may have it.
//!
//! Each accused validator has a case of its own, in which few pieces are looked at at a time: who
//! has signed a thousand contradictions hides nobody who has signed one.

mod docket;

use std::sync::Arc;

use tbsi_governance::abi::{NODES, evidence_call};
use tbsi_rpc::wire::TransactionStatus;
use tbsi_types::{Address, B256, CallOutcome, CallRequest, Height};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tracing::{debug, info, warn};

use self::docket::{Docket, Pending};
use crate::account::Sender;
use crate::clock::wall_clock;
use crate::limits::{ACCUSATION_GAS, ACCUSATION_TURN_BLOCKS, ACCUSATION_TURNS_MAX, CALL_GAS_MAX};
use crate::node::{Node, causes};

/// Looks at evidence after each block until `stop` turns true.
pub(crate) async fn run(node: Arc<Node>, account: Sender, mut stop: watch::Receiver<bool>) {
    let mut heads = node.heads();
    let mut accuser = Accuser::new(node, account);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            head = heads.recv() => match head {
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
        accuser.look();
    }
}

/// A node that brings evidence before the contracts.
pub struct Accuser {
    node: Arc<Node>,
    account: Sender,
    docket: Docket,
}

impl Accuser {
    /// One that knows of nothing yet.
    pub fn new(node: Arc<Node>, account: Sender) -> Self {
        Self {
            node,
            account,
            docket: Docket::default(),
        }
    }

    /// What is to be done after a block.
    pub fn look(&mut self) {
        let mut docket = std::mem::take(&mut self.docket);
        self.look_at(&mut docket);
        self.docket = docket;
    }

    fn look_at(&self, docket: &mut Docket) {
        let tip = self.node.tip().height;
        let turn = self.turn();
        let looked = docket.look(&self.node.store, tip, |piece| {
            self.consider(piece, tip, turn)
        });
        if let Err(error) = looked {
            warn!("read evidence: {}", causes(&error));
        }
    }

    /// Blocks that this node lets pass before it sends.
    fn turn(&self) -> u64 {
        let roster = self.node.roster();
        let mut members = roster.members.set().iter();
        let own = members.position(|it| Some(it.address) == self.node.validator);
        let place = own.unwrap_or(roster.members.set().count());
        u64::try_from(place)
            .unwrap_or(u64::MAX)
            .min(ACCUSATION_TURNS_MAX)
            .saturating_mul(ACCUSATION_TURN_BLOCKS)
    }

    /// Returns whether the piece stays pending.
    fn consider(&self, piece: &mut Pending, tip: Height, turn: u64) -> bool {
        let input = evidence_call(&piece.evidence.encode());
        // Asked as nobody: a quota that is used up says nothing about the evidence.
        let request = CallRequest {
            to: Some(NODES),
            input: input.clone(),
            ..CallRequest::default()
        };
        match self.try_call(&request, tip) {
            Some(CallOutcome::Returned { .. }) => {}
            // The contract has it, or finds nothing in it.
            Some(outcome) => {
                debug!(?outcome, "evidence is not for the contract (any more)");
                return false;
            }
            None => return true,
        }
        if piece.sent.is_some_and(|hash| self.is_underway(hash)) || tip.above(piece.seen) < turn {
            return true;
        }
        let accused = piece.evidence.validator();
        match self.account.send(&self.node, NODES, ACCUSATION_GAS, input) {
            Ok(transaction) => {
                piece.sent = Some(transaction);
                info!(%accused, operator = self.node.legal_name(accused), %transaction,
                    "evidence of equivocation sent to the chain");
            }
            Err(error) => warn!("send evidence: {}", causes(&error)),
        }
        true
    }

    /// Whether a transaction with evidence needs no successor: it waits, or it is in a block. A
    /// pool that dropped it says so in its log.
    fn is_underway(&self, hash: B256) -> bool {
        match self.node.transaction_status(hash) {
            Ok(TransactionStatus::Pending { .. } | TransactionStatus::Included { .. }) => true,
            Ok(TransactionStatus::Dropped { .. } | TransactionStatus::Unknown {}) => false,
            Err(error) => {
                warn!("look for a transaction with evidence: {}", causes(&error));
                true
            }
        }
    }

    fn try_call(&self, request: &CallRequest, tip: Height) -> Option<CallOutcome> {
        let node = &self.node;
        let time = wall_clock().max(node.tip().time.next());
        let context = node.next_block_context(time, Address::ZERO);
        let state = node.store.state_at(tip).ok()?;
        tbsi_execution::call(&state, &context, request, CALL_GAS_MAX).ok()
    }
}
