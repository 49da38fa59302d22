//! What was checked, in Traditional Chinese of Taiwan.

use std::fmt::Write;

use super::super::ceremony::aloud;
use super::{Checked, list};
use crate::shown;
use crate::time::Times;

pub(super) fn text(checked: &Checked) -> String {
    let mut text = String::new();
    write(&mut text, checked).expect("a String takes all");
    text
}

fn write(text: &mut String, checked: &Checked) -> std::fmt::Result {
    let genesis = &checked.genesis;
    let times = Times::of(genesis.time_ms);
    writeln!(
        text,
        "網路        {}，鏈識別碼 {}",
        shown::line(&genesis.name),
        genesis.chain_id
    )?;
    writeln!(text, "時間        {}（{}）", times.taipei, times.utc)?;
    writeln!(text, "創世檔雜湊  {}", genesis.hash())?;
    writeln!(text, "電話核對    {}", aloud(genesis.hash()))?;
    for (id, organisation) in &genesis.organisations {
        let names = [&organisation.name_zh_tw, &organisation.name_en].map(|it| shown::line(it));
        writeln!(text, "  {id}：{} {}", names[0], names[1])?;
        let tax_id = organisation
            .tax_id
            .as_deref()
            .map_or("無".into(), shown::line);
        let lei = organisation.lei.as_deref().map_or("無".into(), shown::line);
        writeln!(text, "    統一編號 {tax_id}，LEI {lei}")?;
        for node in genesis.nodes.iter().filter(|node| node.organisation == *id) {
            let role = match &node.validator {
                Some(entry) => format!("驗證者，投票權 {}", entry.power),
                None => "觀察節點".into(),
            };
            writeln!(text, "    {}（{role}）", shown::line(&node.name))?;
        }
    }
    match &genesis.governance {
        Some(rules) => writeln!(
            text,
            "治理        動議表決 {} 秒，延遲 {} 秒，執行期限 {} 秒；驗證者每 {} 秒更替；公眾權限：{}",
            rules.voting_period_seconds,
            rules.delay_seconds,
            rules.window_seconds,
            rules.epoch_seconds,
            list(&rules.public_permissions).unwrap_or_else(|| "無".into())
        )?,
        None => writeln!(text, "治理        無：成員與規則不能變更")?,
    }
    if checked.founders.is_none() && checked.signed.is_none() {
        return writeln!(
            text,
            "略過  創立規則、創立檔與簽章：請以 --draft、--signatures 指定"
        );
    }
    writeln!(text, "通過  識別碼、名稱、投票權")?;
    match checked.founders {
        Some(count) => writeln!(
            text,
            "通過  與 {count} 份創立檔所產生者相同；每把金鑰均已證明由其持有"
        )?,
        None => writeln!(text, "略過  創立檔：未比對（--draft）")?,
    }
    for it in &checked.predeploys {
        writeln!(
            text,
            "通過  {}（{}）位於 {}：程式碼與已知者相同",
            it.name, it.contract, it.address
        )?;
    }
    match checked.signed {
        Some(count) => writeln!(text, "通過  {count} 個創立機構全數簽署"),
        None => writeln!(text, "略過  簽章：未查驗（--signatures）"),
    }
}
