//! Why something of the registry is not proven, in Chinese (SPEC §10.11).

use tbsi_light::ProveRegistryError;
use tbsi_types::InForce;

fn span(in_force: &InForce) -> String {
    match in_force.until {
        Some(until) => format!("自區塊 {} 起至區塊 {until} 止", in_force.since),
        None => format!("自區塊 {} 起", in_force.since),
    }
}

pub(super) fn unproven(error: &ProveRegistryError) -> String {
    match error {
        ProveRegistryError::OtherSet => "所給的驗證者不是檢查點的驗證者".into(),
        ProveRegistryError::Count { expected, got } => {
            format!("登錄部分載有 {got} 個驗證者，驗證者集合有 {expected} 個")
        }
        ProveRegistryError::Nodes(_) => "登錄的證明".into(),
        ProveRegistryError::NoMembership { account, position } => {
            format!("登錄中沒有帳戶 {account} 的第 {position} 筆歸屬")
        }
        ProveRegistryError::NotMember {
            account,
            organisation,
            in_force,
            height,
        } => format!(
            "帳戶 {account} {}屬於機構 {organisation}，並未涵蓋整個區塊 {height}",
            span(in_force)
        ),
        ProveRegistryError::Order {
            organisation,
            position,
        } => format!("機構 {organisation} 的第 {position} 筆登錄資料未依序排列，或重複"),
        ProveRegistryError::Record {
            organisation,
            expected,
            got,
        } => {
            format!("登錄中機構 {organisation} 的資料雜湊為 {expected}，證明所載資料的雜湊為 {got}")
        }
        ProveRegistryError::NoRecord { number, count } => {
            format!("引用了編號 {number} 的登錄資料，證明中只有 {count} 筆")
        }
        ProveRegistryError::OtherOrganisation { expected, got } => {
            format!("登錄資料屬於機構 {got}，應屬於機構 {expected}")
        }
        ProveRegistryError::NotInForce {
            organisation,
            position,
            in_force,
            height,
        } => format!(
            "機構 {organisation} 的第 {position} 筆登錄資料{}有效，並未涵蓋整個區塊 {height}",
            span(in_force)
        ),
        ProveRegistryError::NotValidator { validator } => {
            format!("登錄中沒有任何節點以 {validator} 為驗證者金鑰")
        }
        ProveRegistryError::Names {
            validator,
            organisation,
        } => format!("驗證者 {validator} 在集合中的名稱與機構 {organisation} 的名稱不同"),
        ProveRegistryError::Unused {
            organisation,
            position,
        } => format!("機構 {organisation} 的第 {position} 筆登錄資料在證明中不屬於任何人"),
        ProveRegistryError::Nothing => "登錄部分未載明任何人".into(),
    }
}
