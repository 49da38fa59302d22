//! Who may use whose data set (SPEC §20), as the acts say.

use std::collections::VecDeque;

use alloy_primitives::{Address, B256};
use tbsi_types::{AuthorisationAct, AuthorisationEvent, AuthorisedTerms, TermsAct};

use super::{Registry, Since};
use crate::limits::{AUTHORISATION_ACTS_MAX, AUTHORISATION_USES_MAX};
use crate::source::Act;

/// An authorisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthorisationRecord {
    pub(crate) grantor: u32,
    pub(crate) grantee: u32,
    pub(crate) data_set: B256,
    /// The last terms that were accepted or narrowed.
    pub(crate) terms: Option<AuthorisedTerms>,
    /// How many terms there were.
    pub(crate) versions: u32,
    /// What waits for the grantee.
    pub(crate) offered: Option<AuthorisedTerms>,
    pub(crate) begun: Option<Since>,
    pub(crate) revoked: Option<Since>,
    /// The newest acts.
    pub(crate) acts: VecDeque<AuthorisationStep>,
    /// The newest uses.
    pub(crate) uses: VecDeque<UseRecord>,
    pub(crate) uses_total: u64,
}

/// An act of one of the parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthorisationStep {
    pub(crate) what: &'static str,
    pub(crate) by: u32,
    pub(crate) account: Address,
    pub(crate) since: Since,
    pub(crate) version: Option<u32>,
    pub(crate) terms: Option<AuthorisedTerms>,
    pub(crate) reason: Option<u16>,
}

/// A use of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UseRecord {
    pub(crate) version: u32,
    pub(crate) account: Address,
    pub(crate) purpose: B256,
    pub(crate) subject: B256,
    pub(crate) since: Since,
}

impl AuthorisationRecord {
    /// Its state at a block time in milliseconds.
    pub(crate) fn status(&self, time_ms: u64) -> &'static str {
        let over = |terms: &AuthorisedTerms| terms.until.saturating_mul(1_000) <= time_ms;
        match (&self.revoked, &self.terms) {
            (Some(_), _) => "revoked",
            (None, None) => "offered",
            (None, Some(terms)) if over(terms) => "over",
            (None, Some(_)) => "active",
        }
    }

    fn new(grantor: u32, grantee: u32) -> Self {
        Self {
            grantor,
            grantee,
            data_set: B256::ZERO,
            terms: None,
            versions: 0,
            offered: None,
            begun: None,
            revoked: None,
            acts: VecDeque::new(),
            uses: VecDeque::new(),
            uses_total: 0,
        }
    }

    fn step(&mut self, step: AuthorisationStep) {
        if self.acts.len() == AUTHORISATION_ACTS_MAX {
            self.acts.pop_front();
        }
        self.acts.push_back(step);
    }

    fn used(&mut self, one: UseRecord) {
        self.uses_total += 1;
        if self.uses.len() == AUTHORISATION_USES_MAX {
            self.uses.pop_front();
        }
        self.uses.push_back(one);
    }
}

/// Takes an act in. One of an authorisation whose offer is not known says its parties itself.
pub(super) fn apply(registry: &mut Registry, act: &Act, since: Since) {
    let read = AuthorisationEvent::decode(act.leaf.event, &act.topics, &act.data);
    let Some(event) = read else {
        return;
    };
    let data_set = event.stated().map(|it| it.data_set);
    let record = registry
        .authorisations
        .entry(event.authorisation)
        .or_insert_with(|| AuthorisationRecord::new(event.grantor, event.grantee));
    record.data_set = data_set.unwrap_or(record.data_set);
    let stated = |what, it: &TermsAct| AuthorisationStep {
        what,
        by: it.by,
        account: it.account,
        since,
        version: Some(it.version),
        terms: Some(it.terms.clone()),
        reason: None,
    };
    match event.act {
        AuthorisationAct::Offered(it) => {
            record.step(stated("offered", &it));
            record.offered = Some(it.terms);
        }
        AuthorisationAct::Accepted(it) => {
            record.step(stated("accepted", &it));
            in_force(record, *it, since);
        }
        AuthorisationAct::Narrowed(it) => {
            record.step(stated("narrowed", &it));
            in_force(record, *it, since);
        }
        AuthorisationAct::Revoked {
            by,
            account,
            reason,
        } => {
            record.step(AuthorisationStep {
                what: "revoked",
                by,
                account,
                since,
                version: None,
                terms: None,
                reason: Some(reason),
            });
            record.offered = None;
            record.revoked = Some(since);
        }
        AuthorisationAct::ReliedOn {
            version,
            account,
            purpose,
            subject,
        } => record.used(UseRecord {
            version,
            account,
            purpose,
            subject,
            since,
        }),
    }
}

fn in_force(record: &mut AuthorisationRecord, stated: TermsAct, since: Since) {
    record.versions = stated.version.saturating_add(1);
    record.terms = Some(stated.terms);
    record.offered = None;
    record.begun.get_or_insert(since);
}
