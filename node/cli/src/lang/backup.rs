//! Why a backup is not made, not right, or not restored, in Chinese.

use tbsi_node::audit::AuditFailure;
use tbsi_node::backup::BackupError;
use tbsi_node::control::ControlError;

use super::zh_tw;
use crate::shown::PathShown;

pub(super) fn words(error: &BackupError) -> Option<String> {
    Some(match error {
        BackupError::Home(error) => return zh_tw::words(error),
        BackupError::Key(error) => return zh_tw::words(error),
        BackupError::Store(_) => return None,
        BackupError::Control(error) => control(error),
        BackupError::Audit(_) => "資料庫的內容並非驗證者所簽署".into(),
        BackupError::Exists { path } => format!("{} 已存在：請指定尚不存在的目錄", path.shown()),
        BackupError::NotNew { path } => format!(
            "{} 已存在：請還原至新目錄，其中只能有 `keys`；若為先前中斷的還原所留，請移除 `keys` \
             以外的內容",
            path.shown()
        ),
        BackupError::CutShort { dir } => format!(
            "{} 沒有 manifest.json：不是備份，或製作時中斷；請改用其他備份",
            dir.shown()
        ),
        BackupError::Manifest { dir, problem } => {
            format!("{}/manifest.json：{problem}；請改用其他備份", dir.shown())
        }
        BackupError::File { path, problem } => {
            format!("{}：{problem}", path.shown())
        }
        BackupError::OtherNetwork { found, expected } => format!(
            "備份屬於創世檔雜湊為 {found} 的網路，應為 {expected}：請使用此網路的備份，或該網路的創世檔"
        ),
        BackupError::Tip { found, stated } => {
            format!("備份的資料庫為 {found}，清單則為 {stated}；請改用其他備份")
        }
        BackupError::Room { path, needed, free } => format!(
            "{} 所在之處需要 {needed} 位元組，剩餘 {free}：請清出空間，或指定其他檔案系統上的目錄",
            path.shown()
        ),
        BackupError::OtherKey {
            what,
            home,
            found,
            expected,
        } => format!(
            "{}/keys 中的金鑰（{what}）為 {found}，備份的節點為 {expected}：請放入正確的金鑰",
            home.shown()
        ),
        BackupError::NoKey { file, expected } => format!(
            "缺少 {}：備份不含金鑰，請放入另行保存的 `keys` 複本（公開部分為 {expected}），或以 \
             --observer 還原為觀察節點",
            file.shown()
        ),
        BackupError::NoMark => {
            "備份不含簽署狀態，以免放回舊的標記：請永久停止先前以此金鑰投票的節點，\
             以 --sign-state FILE 帶入其 `data/sign-state`；若已遺失，請以 --height HEIGHT 指明金鑰\
             未曾簽署的高度下限（網路若高出備份 1000 個區塊以上，另加 --checkpoint FILE）；或以 \
             --observer 還原"
                .into()
        }
        BackupError::LowMark { stated, tip } => format!(
            "--height {stated} 低於備份的最後區塊 {tip}：金鑰可能已簽署至該處以上；請指定網路目前的高度"
        ),
        BackupError::Spent { file } => format!(
            "{} 先前已帶入某個節點目錄（已改名為 `.spent`）：重複放回的簽署狀態會讓驗證者重複簽署。\
             請使用最後簽署之目錄的簽署狀態；若已遺失，請以 --height HEIGHT 指明金鑰未曾簽署的高度下限",
            file.shown()
        ),
        BackupError::Io { path, .. } => format!("無法讀寫 {}", path.shown()),
    })
}

fn control(error: &ControlError) -> String {
    match error {
        ControlError::Unreachable { socket, .. } => format!(
            "資料庫使用中，但 {} 無人回應：若非節點，請等候其結束；若為節點，請查看其日誌",
            socket.shown()
        ),
        ControlError::Refused { words } => format!("執行中的節點未能複製資料庫：{words}"),
    }
}

pub(super) fn audit(error: &AuditFailure) -> Option<String> {
    Some(match error {
        AuditFailure::Empty => "資料庫沒有區塊".into(),
        AuditFailure::Store(_) => return None,
        AuditFailure::Genesis(_) => "創世檔".into(),
        AuditFailure::GenesisBlock { found, expected } => {
            format!("區塊 0 不屬於此創世檔：載明 {found}，應為 {expected}")
        }
        AuditFailure::Missing { what, height } => format!("缺少區塊 {height} 的 {what}"),
        AuditFailure::Decision { height, .. } => {
            format!("區塊 {height} 並非由前一區塊所載的驗證者決定")
        }
        AuditFailure::Names { height, .. } => format!("區塊 {height} 的驗證者集合"),
    })
}
