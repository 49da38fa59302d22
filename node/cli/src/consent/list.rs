//! `tbsi consent list`.

use std::process::ExitCode;

use serde_json::{Value, json};
use tbsi_governance::contracts::{Authorisation, Authorisations, Terms};
use tbsi_types::contracts::AUTHORISATIONS;

use super::terms_words;
use crate::govern::words::{AUTHORISATION_STATUS, word};
use crate::govern::{Read, RegistryClient};
use crate::lang::Language;

pub(super) async fn run(read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let lang = registry.lang;
    let count = Authorisations::authorisationCountCall {};
    let count = registry.ask(AUTHORISATIONS, count).await?;
    let call = |from, count| Authorisations::authorisationsCall { from, count };
    let found: Vec<Authorisation> = registry
        .pages(AUTHORISATIONS, (1, count.into()), call)
        .await?;
    let (mut text, mut all) = (String::new(), Vec::new());
    for (number, it) in (1_u32..).zip(&found) {
        text += &words(&registry, number, it);
        let status = word(&AUTHORISATION_STATUS, it.status.into(), Language::En);
        all.push(json!({
            "number": number,
            "grantor": registry.named(it.grantor),
            "grantee": registry.named(it.grantee),
            "dataSet": it.dataSet,
            "status": status,
            "over": is_over(it, registry.now),
            "versions": it.versions,
            "terms": stated(&it.terms),
            "offered": stated(&it.offered),
        }));
    }
    if found.is_empty() {
        text = lang.pick("Nothing is authorised.", "尚無任何授權。").into();
    }
    let json = json!({ "authorisations": all });
    registry.format.print(&text, &json)
}

fn is_over(it: &Authorisation, now: u64) -> bool {
    it.versions != 0 && it.terms.until <= now
}

/// `null` if there are none.
fn stated(terms: &Terms) -> Value {
    if terms.purposes.is_empty() {
        return Value::Null;
    }
    json!({
        "agreement": terms.agreement,
        "from": terms.from,
        "until": terms.until,
        "purposes": terms.purposes,
    })
}

fn words(registry: &RegistryClient, number: u32, it: &Authorisation) -> String {
    let lang = registry.lang;
    let [giver, taker] = [it.grantor, it.grantee].map(|it| registry.name(it));
    let mut status = word(&AUTHORISATION_STATUS, it.status.into(), lang);
    if is_over(it, registry.now) {
        status += lang.pick(", over", "，已屆期");
    }
    let data_set = it.dataSet;
    let mut text = lang.pick(
        format!("{number:>4}  {status}: {taker} may use data set {data_set} of {giver}\n"),
        format!("{number:>4}  {status}：{taker}可使用{giver}的資料集 {data_set}\n"),
    );
    for (terms, what) in [
        (&it.terms, lang.pick("terms", "條件")),
        (&it.offered, lang.pick("offered", "待接受")),
    ] {
        if !terms.purposes.is_empty() {
            text += &format!("      {what}: {}\n", terms_words(terms, lang));
        }
    }
    text
}
