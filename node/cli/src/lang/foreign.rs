//! Why nothing of another chain is imported, in Traditional Chinese of Taiwan.

use tbsi_bridge::inbound::InboundError;
use tbsi_light::foreign::limits::{
    FOREIGN_VALIDATORS_MAX, HEADER_BYTES_MAX, NODE_BYTES_MAX, PROOF_NODES_MAX,
};
use tbsi_light::foreign::{HeaderError, ProofError};

pub(super) fn inbound(error: &InboundError) -> String {
    match error {
        InboundError::Endpoint { url, .. } => format!("無法向 {url} 查詢"),
        InboundError::Silent { url } => format!("{url} 逾時未回應"),
        InboundError::ChainId { url, expected, got } => {
            format!("{url} 的鏈識別碼是 {got}，客戶端跟隨的是 {expected}：請改用該鏈的端點")
        }
        InboundError::Genesis { url, expected, got } => format!(
            "{url} 的鏈其創世區塊為 {got}，客戶端跟隨的是 {expected}：識別碼相同的另一條鏈，可能由相同\
             驗證者運作，或為該鏈重置後；請改用正確的端點"
        ),
        InboundError::NoAncestry { url, height, base } => format!(
            "{url} 無法證明區塊 {height} 在 TBSI 已接受的區塊 {base} 之後：若該鏈早於 Prague，請部署\
             雜湊保存合約（`tbsi fact keep`）並以 --keeper 指定，或先匯入較早的 --height"
        ),
        InboundError::NoBlock { url, height } => {
            format!("{url} 沒有區塊 {height}：請選擇較早的 --height，或稍候")
        }
        InboundError::BlockHash {
            url,
            height,
            said,
            computed,
        } => format!(
            "{url} 稱區塊 {height} 的雜湊為 {said}，依欄位計算為 {computed}：端點不實，\
             或該鏈的類別與客戶端不同"
        ),
        InboundError::Conflict {
            url,
            height,
            expected,
            got,
        } => format!(
            "{url} 在高度 {height} 的區塊是 {got}，TBSI 已接受的是 {expected}：端點不實，或該鏈已\
             分岔。若兩者皆由其驗證者封存，`tbsi fact freeze` 可加以證明"
        ),
        InboundError::Header { height, .. } => format!("區塊 {height} 的標頭"),
        InboundError::Proof {
            account, height, ..
        } => format!("帳戶 {account} 在區塊 {height} 的證明"),
        InboundError::TooManySteps => {
            "跟隨驗證者的變動需要過多區塊標頭：請先匯入較早的 --height".into()
        }
    }
}

pub(super) fn header(error: &HeaderError) -> String {
    match error {
        HeaderError::Kind(code) => format!("不認得客戶端類別 {code}；請使用較新的軟體"),
        HeaderError::TooLong(got) => {
            format!("標頭有 {got} 位元組，上限為 {HEADER_BYTES_MAX}")
        }
        HeaderError::Trusted(got) => format!(
            "所信任的驗證者為 {got} 位元組：每個 20 位元組，須遞增，至多 {FOREIGN_VALIDATORS_MAX} 個"
        ),
        HeaderError::Rlp => "標頭不是標準的 RLP 列表；請重新向該鏈取得".into(),
        HeaderError::Fields(got) => format!("標頭有 {got} 個欄位，應為 15、16、17、20 或 21 個"),
        HeaderError::Field(at) => format!("標頭欄位 {at} 的長度或形式不符"),
        HeaderError::Constant(at) => {
            format!("標頭欄位 {at} 不是 QBFT 與 IBFT 2.0 的值：該鏈是否為其他類別？")
        }
        HeaderError::Genesis => "區塊 0 沒有封存；請選擇較晚的區塊".into(),
        HeaderError::Extra(at) => {
            format!("extra data 第 {at} 項不符此類別的形式；客戶端的類別是否正確？")
        }
        HeaderError::ContractValidators => {
            "標頭沒有列出驗證者：該鏈由合約選出驗證者，此版本無法跟隨。請讓該鏈在標頭中列出驗證者\
             （Besu：不使用 validatorcontractaddress）"
                .into()
        }
        HeaderError::TooManyValidators(got) => {
            format!("標頭列出 {got} 個驗證者，上限為 {FOREIGN_VALIDATORS_MAX}")
        }
        HeaderError::ValidatorOrder(at) => format!("標頭的驗證者 {at} 未大於前一個"),
        HeaderError::Seal(at) => {
            format!("封存簽章 {at} 格式不符：應為 65 位元組的 r、s、v（0 或 1）")
        }
        HeaderError::SealRepeated(at) => format!("封存簽章 {at} 與先前者出自同一驗證者"),
        HeaderError::SealForeign(at) => {
            format!("封存簽章 {at} 不是標頭中任何驗證者對此標頭與回合所簽")
        }
        HeaderError::Quorum { got, needed } => {
            format!("{got} 個驗證者封存此標頭，需要 {needed} 個")
        }
        HeaderError::Overlap { got, needed } => {
            format!("{got} 個受信任的驗證者封存此標頭，需要 {needed} 個：請先帶入中間的標頭")
        }
    }
}

pub(super) fn proof(error: &ProofError) -> String {
    match error {
        ProofError::Layout => "證明不符 SPEC §16.4 的格式，或有多餘的位元組".into(),
        ProofError::TooManyNodes(got) => {
            format!("證明對一個鍵有 {got} 個節點，上限為 {PROOF_NODES_MAX}")
        }
        ProofError::NodeTooLong(at) => format!("節點 {at} 超過 {NODE_BYTES_MAX} 位元組"),
        ProofError::Hash(at) => format!("節點 {at} 的雜湊與上層所載不符；是否屬於其他區塊？"),
        ProofError::Node(at) => format!("節點 {at} 不是標準形式的 Merkle Patricia trie 節點"),
        ProofError::Missing(at) => format!("缺少節點 {at}"),
        ProofError::Surplus(at) => format!("節點 {at} 是多餘的"),
        ProofError::Account => {
            "所證明的帳戶不是 nonce、餘額、storage root、code hash 的形式".into()
        }
        ProofError::Value => "所證明的值不是 1 至 32 位元組且無前導零的字".into(),
    }
}
