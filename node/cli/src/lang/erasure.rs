//! Why what an issuer signed does not hold, a statement that a salt was destroyed or one that others
//! send, in Traditional Chinese of Taiwan.

use tbsi_governance::delegation::{DELEGATION_BYTES_MAX, DELEGATION_FORMAT, DelegationFileError};
use tbsi_light::VerifyErasureError;
use tbsi_types::erasure::{ERASURE_BYTES_MAX, ERASURE_FORMAT, ErasureError};

use super::proof;

pub(super) fn form(error: &ErasureError) -> String {
    match error {
        ErasureError::TooLong(size) => {
            format!("聲明有 {size} 位元組，上限為 {ERASURE_BYTES_MAX}")
        }
        ErasureError::Json(error) => format!("聲明不是預期形式的 JSON：{error}"),
        ErasureError::Format(format) => {
            format!(
                "聲明欄位 `format` 是 `{format}`，本軟體認得 `{ERASURE_FORMAT}`；請使用較新的軟體"
            )
        }
        ErasureError::Signature(_) => "聲明欄位 `signature`".into(),
        ErasureError::NotCanonical => "聲明不是標準寫法：應為一行 RFC 8785，鍵依序排列".into(),
    }
}

pub(super) fn statement(error: &VerifyErasureError) -> String {
    match error {
        VerifyErasureError::Chain { expected, got } => format!(
            "聲明屬於鏈識別碼 {}、創世檔雜湊 {}；紀錄屬於 {}、{}",
            got.chain_id, got.genesis_hash, expected.chain_id, expected.genesis_hash
        ),
        VerifyErasureError::NotAttestation => "紀錄不是存證".into(),
        VerifyErasureError::Unsalted => "存證的檔案未加鹽值（tbsi:file:v1）".into(),
        VerifyErasureError::Attestation { expected, got } => {
            format!("聲明是關於存證 {got}，紀錄則是 {expected}")
        }
        VerifyErasureError::Index { expected, got } => {
            format!("聲明是關於第 {got} 筆紀錄，證明則是第 {expected} 筆")
        }
        VerifyErasureError::LeafHash { expected, got } => {
            format!("聲明所載的紀錄雜湊為 {got}，實際為 {expected}")
        }
        VerifyErasureError::Issuer { expected, got } => {
            format!("聲明出自 {got}，存證者則是 {expected}")
        }
        VerifyErasureError::Signer { expected, got } => {
            format!("聲明的簽章出自 {got}，應出自 {expected}")
        }
        VerifyErasureError::Signature(_) => "聲明的簽章".into(),
        VerifyErasureError::Leaf(error) => proof::leaf(error),
    }
}

pub(super) fn delegation(error: &DelegationFileError) -> String {
    match error {
        DelegationFileError::TooLong(size) => {
            format!("檔案有 {size} 位元組，上限為 {DELEGATION_BYTES_MAX}")
        }
        DelegationFileError::Json(error) => format!("檔案不是預期形式的 JSON：{error}"),
        DelegationFileError::Format(format) => {
            format!("欄位 `format` 是 `{format}`，不是 `{DELEGATION_FORMAT}`；請使用較新的軟體")
        }
        DelegationFileError::Signature(_) => "欄位 `v`、`r`、`s` 不是簽章".into(),
        DelegationFileError::Signer { expected, got } => {
            format!("簽章出自 {got}，不是簽發者 {expected}，或內容遭更動")
        }
    }
}
