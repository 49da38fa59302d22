//! The gateways of a channel's peers: what the relayer asks of them.

use alloy_primitives::B256;

use super::messages::{CommitStatusResponse, Envelope, SignedRequest};
use super::proposal::Proposal;
use super::refusal::CallError;

/// What a gateway answers to an evaluation.
pub type Evaluated = Result<Vec<u8>, CallError>;

/// A channel behind the gateways of its peers.
#[expect(async_fn_in_trait, reason = "the relayer is one task")]
pub trait FabricPeers {
    /// What each gateway's peer answers to a proposal, which changes nothing.
    async fn evaluate(&self, proposal: &Proposal) -> Vec<Evaluated>;

    /// A proposal as a transaction, with endorsements of these organisations; of those that the
    /// chaincode's policy asks for if there are none. It is not signed yet.
    async fn endorse(
        &self,
        proposal: &Proposal,
        organisations: &[String],
    ) -> Result<Envelope, CallError>;

    /// Hands a signed transaction to the orderers. The same one may be handed in again.
    async fn submit(&self, id: B256, envelope: &Envelope) -> Result<(), CallError>;

    /// What one peer says became of a transaction; `None` if it is in no block yet.
    async fn commit_status(
        &self,
        request: &SignedRequest,
    ) -> Result<Option<CommitStatusResponse>, CallError>;
}

/// What so many of the answers say alike, as far as `read` looks at them. A refusal of the
/// chaincode is an answer as any other.
pub fn agreed<T: Clone + PartialEq>(
    answers: &[Evaluated],
    needed: usize,
    read: impl Fn(&[u8]) -> Result<T, String>,
) -> Result<T, CallError> {
    let read = |answer: &Evaluated| match answer {
        Ok(bytes) => read(bytes).map_err(CallError::Declined),
        Err(error) => Err(error.clone()),
    };
    let answers: Vec<Result<T, CallError>> = answers.iter().map(read).collect();
    let counts =
        |answer: &&Result<T, CallError>| matches!(answer, Ok(_) | Err(CallError::Chaincode { .. }));
    let alike =
        |answer: &Result<T, CallError>| answers.iter().filter(|other| *other == answer).count();
    let most = answers.iter().filter(counts).max_by_key(|it| alike(it));
    if let Some(most) = most.filter(|it| alike(it) >= needed) {
        return most.clone();
    }
    let problem = answers.iter().find_map(|it| it.as_ref().err());
    Err(CallError::Apart {
        agreed: most.map_or(0, alike),
        needed,
        problem: problem.map_or("they differ".into(), ToString::to_string),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(text: &str) -> Evaluated {
        Ok(text.into())
    }

    fn refused() -> Evaluated {
        Err(CallError::Chaincode {
            status: 400,
            code: "OutboxUnknown".into(),
            detail: String::new(),
        })
    }

    fn silent() -> Evaluated {
        Err(CallError::Silent("nobody there".into()))
    }

    fn check(answers: &[Evaluated], needed: usize, expected: Result<&str, &str>) {
        let read = |bytes: &[u8]| String::from_utf8(bytes.into()).map_err(|it| it.to_string());
        let got = agreed(answers, needed, read).map_err(|error| error.to_string());
        let got = got.as_deref().map_err(String::as_str);
        match (got, expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected),
            (Err(got), Err(expected)) => assert!(got.contains(expected), "{got}"),
            (got, expected) => panic!("{got:?}, {expected:?}"),
        }
    }

    #[test]
    fn an_answer_counts_if_enough_gave_it() {
        check(&[ok("a"), ok("b"), ok("a")], 2, Ok("a"));
        check(&[ok("a"), silent(), ok("a")], 2, Ok("a"));
        check(
            &[ok("a"), ok("b")],
            2,
            Err("1 of 2 gateways answered alike: they differ"),
        );
        check(
            &[ok("a"), silent()],
            2,
            Err("1 of 2 gateways answered alike: no answer"),
        );
        check(
            &[silent(), silent()],
            1,
            Err("0 of 1 gateways answered alike: no answer: nobody"),
        );
        check(&[refused(), refused()], 2, Err("OutboxUnknown"));
        check(&[refused(), ok("a")], 2, Err("1 of 2"));
        check(&[Ok(vec![0xff]), ok("a")], 2, Err("1 of 2"));
    }
}
