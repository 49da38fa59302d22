//! Planted bugs: the harness finds each within so many seeds, and finds nothing in the same run
//! without it.

use tbsi_simulation::check::Rule;
use tbsi_simulation::{Mutant, Plan, run};

/// The rule that is for it finds it; others may, too.
#[track_caller]
fn finds_by(mutant: Mutant, within: u64, rule: Rule) {
    for seed in 1..=within {
        let found = run(Plan::of(seed, Some(mutant)), false).violations;
        if found.iter().all(|violation| violation.rule != rule) {
            continue;
        }
        let control = run(Plan::control(seed, mutant), false);
        assert_eq!(control.violations, [], "without {mutant:?}: {control}");
        return;
    }
    panic!("{mutant:?} was not found by {rule:?} within {within} seeds");
}

#[track_caller]
fn finds(mutant: Mutant, within: u64) {
    for seed in 1..=within {
        if run(Plan::of(seed, Some(mutant)), false)
            .violations
            .is_empty()
        {
            continue;
        }
        let control = run(Plan::control(seed, mutant), false);
        assert_eq!(control.violations, [], "without {mutant:?}: {control}");
        return;
    }
    panic!("{mutant:?} was not found within {within} seeds");
}

macro_rules! planted {
    ($($name:ident: $mutant:ident within $seeds:literal $(by $rule:ident)?;)*) => {
        $(#[test]
        fn $name() {
            planted!(@ $mutant, $seeds $(, $rule)?);
        })*
    };
    (@ $mutant:ident, $seeds:literal) => {
        finds(Mutant::$mutant, $seeds)
    };
    (@ $mutant:ident, $seeds:literal, $rule:ident) => {
        finds_by(Mutant::$mutant, $seeds, Rule::$rule)
    };
}

planted! {
    a_quorum_that_is_too_small: QuorumTooSmall within 5;
    votes_that_are_not_verified: SignaturesNotVerified within 8;
    a_disk_that_lies: DiskLies within 5;
    a_log_that_is_not_synced: LogNotSynced within 5;
    a_round_that_is_not_followed: RoundNotFollowed within 8;
    tips_that_are_believed: TipsBelieved within 8;
    a_transaction_that_is_announced_once: AnnouncedOnce within 5;
    an_acknowledgement_that_is_early: EarlyAcknowledgement within 5;
    execution_that_differs: ExecutionDiffers within 5;
    blocks_that_are_never_streamed: NeverStreams within 8;
    evidence_that_is_forgotten: ForgetsEvidence within 5;
    votes_that_are_said_once: NeverRepeats within 8;
    certificates_that_are_not_passed_on: NoCertificates within 8;
    a_proposal_timeout_that_never_comes: NoProposeTimeout within 5;
    a_precommit_timeout_that_never_comes: NoPrecommitTimeout within 5;
    a_node_that_never_syncs: NeverSyncs within 5;
    a_commit_that_is_lost: CommitLost within 12;
    a_leaf_that_is_another: WrongLeafServed within 5;
    a_sign_state_that_is_ignored: SignStateIgnored within 8;
    a_log_that_is_forgotten: LogForgotten within 8;
    a_table_that_fills: TableFills within 8;
    a_node_that_asks_only_the_liar: AsksTheLiar within 5;
    times_without_bounds: AnyTime within 8;
    attestations_by_whoever_likes: AnyoneAttests within 4 by Authorised;
    a_removal_that_is_forgotten: RemovalForgotten within 12 by SetIntegrity;
    a_rule_that_is_not_in_genesis: LocalRule within 4 by Replay;
    a_map_by_another_period: MapPeriod within 4 by MapRoots;
    a_full_disk_that_is_ignored: FullDiskIgnored within 8 by FailStop;
    a_validator_that_watches_first: WatchesFirst within 12 by Recovery;
    keys_that_sign_for_others: SignsForOthers within 12 by Standstill;
    evidence_that_is_kept: NeverAccuses within 8 by Evidence;
    cosignatures_of_what_is_not_decided: CosignsUndecided within 4 by Cosigned;
    a_target_that_keeps_another_checkpoint: TargetStoresOther within 4 by BridgeForged;
    a_target_that_goes_back: TargetGoesBack within 8 by BridgeMonotone;
    a_journal_that_is_forgotten: JournalForgotten within 8 by BridgeReplay;
    a_block_that_is_not_final_yet: FinalTooEarly within 8 by BridgeFinality;
    a_relayer_that_stays_down: RelayerStaysDown within 8 by BridgeComplete;
    a_vote_that_is_not_said_again: NeverSaysAgain within 8;
}
