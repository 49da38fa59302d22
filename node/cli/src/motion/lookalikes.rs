//! Organisations that one may be taken for whose names are voted on.

use tbsi_governance::confusables::alike;
use tbsi_governance::contracts::Details;

use crate::govern::RegistryClient;

/// Status of an organisation that has left.
const LEFT: u32 = 3;

/// A warning for each, or nothing; of a motion that is over, nothing.
pub(super) fn lookalikes(
    registry: &RegistryClient,
    organisation: u32,
    details: &Details,
    now: bool,
) -> String {
    let names = [details.nameZhTw.as_str(), details.nameEn.as_str()];
    let others = registry.organisations().filter(|(number, it)| {
        let there = *number != organisation && u32::from(it.status) != LEFT;
        now && there && looks_like(names, [&it.nameZhTw, &it.nameEn])
    });
    let warning = |(number, _)| {
        let other = registry.name(number);
        registry.lang.pick(
            format!("; WARNING: its name looks like that of {other}"),
            format!("；注意：名稱與{other}相似"),
        )
    };
    others.map(warning).collect()
}

/// Whether one of these names may be taken for one of those.
fn looks_like(names: [&str; 2], others: [&str; 2]) -> bool {
    let like = |name: &&str| others.iter().any(|other| alike(name, other));
    names.iter().any(like)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_name_may_look_like_either_of_another() {
        let like = |names| looks_like(names, ["臺灣測試公會", "Test Association l"]);
        assert!(like(["台灣測試公會", ""]));
        assert!(like(["", "Test Association I"]));
        assert!(!like(["", ""]));
        assert!(!like(["台灣考試公會", "Test Association 2"]));
    }
}
