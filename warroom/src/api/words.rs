//! What is not known, and what schemas mean, for people.

use alloy_primitives::B256;
use serde_json::{Value, json};
use tbsi_types::log::lookup::BUILT_IN_SCHEMAS;

/// Why a field is null.
pub(super) fn not_known(field: &str, code: &'static str) -> Value {
    let (en, zh_tw) = match code {
        "noActs" => (
            "Texts of some acts of governance are not known: the source has their hashes alone.",
            "部分治理行為的內容不明：來源僅有其雜湊。",
        ),
        "noCertificate" => (
            "The source shows no commit certificate, only cosignatures of the log.",
            "來源未提供決議憑證，僅有日誌的聯署。",
        ),
        "noCosignatures" => (
            "No note that a quorum cosigned covers this.",
            "沒有經法定多數聯署的日誌檢查點涵蓋此項。",
        ),
        "noNode" => (
            "No node is followed that could be asked.",
            "未追蹤任何可查詢的節點。",
        ),
        "noRegistry" => (
            "Neither genesis nor an act says it.",
            "創世檔與治理行為均未載明。",
        ),
        "schemaText" => (
            "The schema's text is kept off the chain; its hash is known.",
            "綱要的文字不在鏈上；僅知其雜湊。",
        ),
        _ => ("No leaf of the log tells it.", "日誌中沒有條目載明此項。"),
    };
    json!({ "field": field, "code": code, "en": en, "zhTw": zh_tw })
}

/// The name of a built-in schema.
pub(super) fn schema_name(schema: B256) -> Option<&'static str> {
    let names = ["tbsi:file:v1", "tbsi:salted-file:v1"];
    let place = BUILT_IN_SCHEMAS.iter().position(|known| *known == schema)?;
    names.get(place).copied()
}

/// What digests under a schema commit to (SPEC §12.5).
pub(super) fn commits_to(code: Option<u8>) -> (&'static str, &'static str) {
    match code {
        Some(1) => ("The bytes of a file.", "檔案的位元組。"),
        Some(2) => (
            "A salt of 32 bytes and the bytes of a file.",
            "32 位元組的鹽值，加上檔案的位元組。",
        ),
        Some(3) => ("Canonical JSON (RFC 8785).", "正規化 JSON（RFC 8785）。"),
        Some(4) => (
            "A salt of 32 bytes and canonical JSON (RFC 8785).",
            "32 位元組的鹽值，加上正規化 JSON（RFC 8785）。",
        ),
        Some(5) => (
            "The root of a Merkle tree (RFC 9162).",
            "默克爾樹的根雜湊（RFC 9162）。",
        ),
        Some(_) => (
            "Something that this version does not know.",
            "此版本不認得的內容。",
        ),
        None => (
            "Not known: nobody registered this schema.",
            "不明：無人登記此綱要。",
        ),
    }
}
