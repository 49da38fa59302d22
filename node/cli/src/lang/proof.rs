//! Why a proof proves nothing, in Traditional Chinese of Taiwan.

use tbsi_light::{DecisionError, LogError, VerifyBundleError, VerifyError, VerifyMapError};
use tbsi_types::bundle::BundleError;
use tbsi_types::certificate::CertificateError;
use tbsi_types::cursor::CursorError;
use tbsi_types::log::cose::{COSE_RECEIPT_BYTES_MAX, CoseReceiptError};
use tbsi_types::log::note_key::NoteKeyError;
use tbsi_types::log::{LeafError, ProofShapeError};
use tbsi_types::map::{AnswerError, EntryError};
use tbsi_types::{KeyError, limits};

pub(super) fn bundle(error: &VerifyBundleError) -> String {
    match error {
        VerifyBundleError::Genesis { expected, got } => format!(
            "證明屬於創世檔雜湊為 {got} 的網路，您信任的是 {expected}；請改用該網路的創世檔驗證"
        ),
        VerifyBundleError::Leaf(_) => "紀錄".into(),
        VerifyBundleError::LeafChainId { expected, got } => {
            format!("紀錄的鏈識別碼是 {got}，您信任的是 {expected}")
        }
        VerifyBundleError::LeafPlace { leaf, checkpoint } => format!(
            "紀錄的高度為 {}、時間為 {} 毫秒；高度 {}、時間 {} 毫秒的檢查點不可能涵蓋它",
            leaf.0, leaf.1, checkpoint.0, checkpoint.1
        ),
        VerifyBundleError::Inclusion(_) => "日誌中的位置".into(),
        VerifyBundleError::Handover { number, .. } => format!("第 {number} 次交接"),
        VerifyBundleError::Decision(_) => "檢查點".into(),
    }
}

pub(super) fn decision(error: &DecisionError) -> String {
    match error {
        DecisionError::ChainId { expected, got } => {
            format!("檢查點的鏈識別碼是 {got}，您信任的是 {expected}")
        }
        DecisionError::GenesisHeight => {
            "檢查點的高度為 0；該高度由創世檔決定，驗證者不會簽署".into()
        }
        DecisionError::Before { trusted, got } => format!(
            "檢查點的高度 {got} 早於您信任的高度 {trusted}；請改為信任創世檔，或索取較晚檢查點的證明"
        ),
        DecisionError::Fork { height } => {
            format!("高度 {height} 的檢查點與您信任的不同")
        }
        DecisionError::Time { before, got } => {
            format!("檢查點的時間為 {got} 毫秒，應晚於 {before} 毫秒")
        }
        DecisionError::ValidatorSet { expected, got } => format!(
            "檢查點指名的驗證者集合為 {got}，您信任的是 {expected}；證明缺少交接，或該集合從未接任"
        ),
        DecisionError::Names { expected, got } => {
            format!("驗證者與法定名稱的雜湊為 {got}，檢查點指名的驗證者集合為 {expected}")
        }
        DecisionError::CertificateHeight {
            checkpoint,
            certificate,
        } => format!("檢查點的高度為 {checkpoint}，提交憑證的高度為 {certificate}"),
        DecisionError::Digest { computed, decided } => {
            format!("檢查點的摘要為 {computed}，提交憑證決定的是 {decided}")
        }
        DecisionError::Certificate(error) => verify(error),
        DecisionError::NoHandover { height } => {
            format!("高度 {height} 的檢查點並未更換驗證者集合")
        }
        DecisionError::NotNext { last, first } => {
            format!("新驗證者集合簽署的高度為 {first}，並非緊接原集合最後簽署的高度 {last}")
        }
    }
}

pub(super) fn verify(error: &VerifyError) -> String {
    match error {
        VerifyError::ForeignSigner { validator } => {
            format!("{validator} 簽署了提交憑證，但不屬於驗證者集合")
        }
        VerifyError::Signature { validator, .. } => format!("驗證者 {validator} 的簽章"),
        VerifyError::BelowQuorum { power, total } => format!(
            "簽章的投票權為 {}，總投票權為 {}，必須超過三分之二",
            power.0, total.0
        ),
        VerifyError::Genesis(_) => "創世檔".into(),
        VerifyError::ChainId { expected, got } => {
            format!("檢查點的鏈識別碼是 {got}，創世檔的是 {expected}")
        }
        VerifyError::GenesisHeight => "檢查點的高度為 0；該高度由創世檔決定，驗證者不會簽署".into(),
        VerifyError::Height {
            checkpoint,
            certificate,
        } => format!("檢查點的高度為 {checkpoint}，提交憑證的高度為 {certificate}"),
        VerifyError::Digest { computed, decided } => {
            format!("檢查點的摘要為 {computed}，提交憑證決定的是 {decided}")
        }
        VerifyError::ValidatorSet { expected, got } => {
            format!(
                "檢查點指名的驗證者集合為 {got}，創世檔的是 {expected}：若集合已經更替，須用附有\
                 交接紀錄的證明（tbsi prove、tbsi verify）"
            )
        }
    }
}

/// `None` for errors of notes, which no proof has that is read here.
pub(super) fn log(error: &LogError) -> Option<String> {
    Some(match error {
        LogError::Shape(error) => shape(error),
        LogError::Inclusion { expected, computed } => {
            format!("位置證明推得的日誌根雜湊為 {computed}，應為 {expected}")
        }
        LogError::EarlierRoot { expected, computed } => {
            format!("一致性證明推得的較早根雜湊為 {computed}，應為 {expected}")
        }
        LogError::LaterRoot { expected, computed } => {
            format!("一致性證明推得的較晚根雜湊為 {computed}，應為 {expected}")
        }
        LogError::CoseReceipt(_) => "COSE 收據".into(),
        LogError::NotSigned(_)
        | LogError::CosignedPower { .. }
        | LogError::Key(_)
        | LogError::Checkpoint(_)
        | LogError::Origin { .. }
        | LogError::Twice(_)
        | LogError::Cosignatures { .. } => return None,
    })
}

/// `None` for what no user gives.
pub(super) fn note_key(error: &NoteKeyError) -> Option<String> {
    match error {
        NoteKeyError::Signature { name } => Some(format!("`{name}` 的簽章不符")),
        NoteKeyError::Layout => Some("金鑰格式應為 `<名稱>+<8 位十六進位>+<base64>`".into()),
        NoteKeyError::KeyId { got, expected } => Some(format!(
            "金鑰的識別碼為 {got:08x}，依其名稱與金鑰應為 {expected:08x}"
        )),
        NoteKeyError::NotPostQuantum(got) => Some(format!(
            "驗證金鑰的類型為 {got:#04x}，應為 0x06（ML-DSA-44 共同簽章）"
        )),
        NoteKeyError::PostQuantumKey(got) => {
            Some(format!("ML-DSA-44 公鑰應為 1312 位元組，此為 {got}"))
        }
        NoteKeyError::Name(_)
        | NoteKeyError::Type(_)
        | NoteKeyError::PublicKey
        | NoteKeyError::Malformed { .. }
        | NoteKeyError::Time(_) => None,
    }
}

pub(super) fn cose(error: &CoseReceiptError) -> String {
    match error {
        CoseReceiptError::TooLong(got) => {
            format!("COSE 收據有 {got} 位元組，上限為 {COSE_RECEIPT_BYTES_MAX}")
        }
        CoseReceiptError::Message(detail) => {
            format!("COSE 收據不是帶標籤的 COSE_Sign1（CBOR）：{detail}")
        }
        CoseReceiptError::Part { part, expected } => {
            format!("COSE 收據的 {part} 不符，應為 {expected}")
        }
        CoseReceiptError::Size { signed, got } => {
            format!("COSE 收據的路徑屬於 {got} 筆的日誌，簽署的是 {signed} 筆的日誌")
        }
        CoseReceiptError::NotCanonical => "COSE 收據不是唯一的編碼形式（SPEC §10.8）".into(),
    }
}

pub(super) fn shape(error: &ProofShapeError) -> String {
    match error {
        ProofShapeError::Index { index, size } => {
            format!("位置 {index} 不在共 {size} 筆的日誌之內")
        }
        ProofShapeError::Sizes { first, second } => {
            format!("沒有從 {first} 筆到 {second} 筆的一致性證明；前者須至少為 1 且不大於後者")
        }
        ProofShapeError::Order { position } => {
            format!("多筆證明的位置須遞增且至少一筆：第 {position} 個")
        }
        ProofShapeError::Length { got, expected } => {
            format!("證明有 {got} 個雜湊，應有 {expected} 個")
        }
    }
}

pub(super) fn form(error: &BundleError) -> String {
    match error {
        BundleError::TooLong { size, max } => format!("證明有 {size} 位元組，上限為 {max}"),
        BundleError::Format => {
            "不是本軟體認得的證明格式；請使用較新的軟體，或改用 JSON 格式的證明".into()
        }
        BundleError::Bytes(_) => "證明的位元組".into(),
        BundleError::Number(field) => {
            format!("證明欄位 `{field}` 的數字不是最短寫法，或超出範圍")
        }
        BundleError::Count { field, got, max } => {
            format!("證明欄位 `{field}` 有 {got} 項，上限為 {max}")
        }
        BundleError::Leaf(_) => "證明欄位 `leaf`".into(),
        BundleError::Validators(problem) => format!("證明欄位 `validators`：{problem}"),
        BundleError::Certificate(_) => "證明欄位 `certificate`".into(),
        BundleError::Inclusion(_) => "證明欄位 `inclusionProof`".into(),
        BundleError::Contradiction(field) => {
            format!("證明欄位 `{field}` 與其他欄位矛盾，因此沒有精簡格式")
        }
        BundleError::NotCanonical(field) => format!("證明欄位 `{field}` 不是標準寫法"),
        BundleError::Json(error) => format!("證明不是預期形式的 JSON：{error}"),
        BundleError::Statement => {
            "證明欄位 `statement` 與 `leaf` 的內容不同；請重新取得證明".into()
        }
    }
}

pub(super) fn map(error: &VerifyMapError) -> String {
    match error {
        VerifyMapError::Bundle(error) => bundle(error),
        VerifyMapError::Leaf(_) => "對照表根雜湊的紀錄".into(),
        VerifyMapError::Place(_) => "對照表根雜湊所屬的鏈或時間".into(),
        VerifyMapError::Inclusion(_) => "對照表根雜湊在日誌中的位置".into(),
        VerifyMapError::NoRoot => "應載有對照表根雜湊的紀錄屬於其他種類".into(),
        VerifyMapError::Heights => "對照表的根雜湊不是所屬區塊前一個區塊的".into(),
        VerifyMapError::Algorithms => "已廢止的演算法與對照表根雜湊所載不符".into(),
        VerifyMapError::Answer(_) | VerifyMapError::Entry(_) => "對照表的答覆".into(),
        VerifyMapError::Root { expected, got } => {
            format!("對照表的答覆推得根雜湊 {got}，紀錄所載為 {expected}")
        }
        VerifyMapError::NoQuestion => "未向對照表提出任何問題".into(),
        VerifyMapError::Twice => "同一問題向對照表提出兩次".into(),
        VerifyMapError::Question => "向對照表所問的與證明的對象無關".into(),
        VerifyMapError::NoAttestation => "狀態所附的紀錄不是存證".into(),
        VerifyMapError::Older { attestation, root } => {
            format!("對照表的根雜湊是第 {root} 筆紀錄，存證是較晚的第 {attestation} 筆")
        }
        VerifyMapError::NoSchema => "存證已被撤銷，但證明未說明其綱要是否允許撤銷".into(),
    }
}

pub(super) fn answer(error: &AnswerError) -> String {
    match error {
        AnswerError::Depth(depth) => format!("答覆的深度為 {depth}，超過上限"),
        AnswerError::Bitmap => "答覆的點陣圖與深度不符".into(),
        AnswerError::TooDeep => "答覆的終點過深：該深度沒有旁支".into(),
        AnswerError::Siblings { got, expected } => {
            format!("答覆有 {got} 個旁支雜湊，點陣圖所示為 {expected} 個")
        }
        AnswerError::EmptySibling => "答覆寫出了應省略的空旁支".into(),
        AnswerError::OtherKey => "答覆終點的項目不在所問的路徑上".into(),
        AnswerError::Value(size) => format!("答覆的值有 {size} 位元組，超過上限"),
    }
}

pub(super) fn entry(error: &EntryError) -> String {
    match error {
        EntryError::Length => "對照表項目的長度與種類不符".into(),
        EntryError::Flag(field) => format!("對照表項目的欄位 `{field}` 有不允許的值"),
    }
}

pub(super) fn leaf(error: &LeafError) -> String {
    match error {
        LeafError::Bytes(_) => "紀錄的位元組".into(),
        LeafError::TooLong(size) => format!("紀錄有 {size} 位元組，超過上限"),
        LeafError::Version(version) => {
            format!("紀錄版本 {version} 不明；請使用較新的軟體")
        }
        LeafError::Kind(kind) => format!("紀錄種類 {kind} 不明；請使用較新的軟體"),
        LeafError::Range { field, value, max } => {
            format!("紀錄欄位 `{field}` 為 {value}，上限為 {max}")
        }
        LeafError::DigestLength { algorithm, got } => {
            format!("紀錄的摘要有 {got} 位元組，與演算法 {algorithm:#x} 不符")
        }
        LeafError::Flag(value) => {
            format!("紀錄欄位 `revocable` 為 {value}，只能是 0 或 1")
        }
    }
}

pub(super) fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Bytes(_) => "提交憑證的位元組".into(),
        CertificateError::TooMany(count) => format!(
            "提交憑證有 {count} 個簽章，上限為 {}",
            limits::VALIDATORS_MAX
        ),
        CertificateError::Order(validator) => {
            format!("提交憑證的簽章須依位址排序，每個驗證者一次：{validator}")
        }
        CertificateError::Round(round) => format!("提交憑證的回合 {round} 超過上限"),
    }
}

pub(super) fn cursor(error: &CursorError) -> String {
    match error {
        CursorError::Short {
            field,
            needed,
            left,
        } => format!("{field}：需要 {needed} 位元組，只剩 {left}"),
        CursorError::Trailing(count) => format!("最後一個欄位之後多出 {count} 位元組"),
    }
}

pub(super) fn key(error: &KeyError) -> String {
    match error {
        KeyError::SecretKey => "私鑰必須是 32 位元組、不為零且小於群的階".into(),
        KeyError::PublicKey => "公鑰必須是 33 位元組的 secp256k1 壓縮點".into(),
        KeyError::SignatureLength(length) => format!("簽章必須是 65 位元組，實際為 {length}"),
        KeyError::Signature => "簽章格式錯誤：應為 r、s（較小的一半）與 v（27 或 28）".into(),
        KeyError::WrongSigner { expected, got } => {
            format!("簽章出自 {got}，應出自 {expected}")
        }
    }
}
