//! Errors of the contract that imports entries from Fabric (SPEC §21).

use super::{Sentence, says};

pub(super) const SENTENCES: &[Sentence] = &[
    says(
        "FabricFactsDescriptionRefused(string)",
        "the description's field {0} is out of its limits (SPEC 21.2)",
        "描述的欄位 {0} 超出限制（SPEC 21.2）",
    ),
    says(
        "FabricFactsAuthorityRefused(uint256,uint256,string)",
        "certificate {1} of organisation {0} of the description, both from 0: {2}",
        "描述中第 {0} 個機構的第 {1} 張憑證（皆由 0 起算）：{2}",
    ),
    says(
        "FabricFactsMotionRefused(uint32,bytes32)",
        "motion {0} is no executed motion that resolved {1}, the SHA-256 of this description; \
         `tbsi motion propose resolve --file` proposes it",
        "動議 {0} 並非已執行且決議此描述（SHA-256 {1}）的動議；可用 `tbsi motion propose resolve --file` 提案",
    ),
    says(
        "FabricFactsMotionUsed(uint32)",
        "motion {0} has registered a channel already; each motion does so once",
        "動議 {0} 已登記過通道；每個動議僅能登記一次",
    ),
    says(
        "FabricFactsChannelUnknown(uint32)",
        "the contract has no channel {0}; `register` prints its number",
        "合約沒有通道 {0}；`register` 會印出其編號",
    ),
    says(
        "FabricFactsChannelReplaced(uint32)",
        "another registration has taken the place of channel {0}; use that one",
        "通道 {0} 已由另一次登記取代；請改用該通道",
    ),
    says(
        "FabricFactsNonceUnknown(bytes32)",
        "nobody has asked for nonce {0}",
        "沒有人請求過隨機數 {0}",
    ),
    says(
        "FabricFactsNonceUsed(bytes32)",
        "nonce {0} has been used; import again for a new one",
        "隨機數 {0} 已使用；請重新匯入以取得新的隨機數",
    ),
    says(
        "FabricFactsNonceStale(bytes32,uint256,uint256)",
        "nonce {0} could be used until {1:time}, it is {2:time}; import again for a new one",
        "隨機數 {0} 的有效期至 {1:time}，現在是 {2:time}；請重新匯入以取得新的隨機數",
    ),
    says(
        "FabricFactsKnown(bytes32,bytes32)",
        "message {0} was imported before, as attestation {1}; `tbsi prove {1}` proves it",
        "訊息 {0} 先前已匯入，存證為 {1}；可用 `tbsi prove {1}` 取得證明",
    ),
    says(
        "FabricFactsTooFew(uint256,uint256)",
        "{1} organisations stated the entry, the channel needs {0}; name more with --organisation",
        "陳述該筆紀錄的機構有 {1} 個，此通道需要 {0} 個；請以 --organisation 指定更多機構",
    ),
    says(
        "FabricFactsEntryMismatch(string)",
        "the peers' answer has another {0} than was asked for",
        "peer 的回答中，{0} 與所請求的不同",
    ),
    says(
        "FabricFactsEndorsementRefused(uint256,string)",
        "endorsement {0}, from 0, does not count: {1}",
        "第 {0} 個背書（由 0 起算）不算數：{1}",
    ),
    says(
        "FabricResponseRefused(string)",
        "what the peers signed is no read of an entry: {0}",
        "peer 所簽署的內容不是對紀錄的讀取：{0}",
    ),
    says(
        "FabricCertificateRefused(string)",
        "a certificate is refused: {0}",
        "憑證遭拒：{0}",
    ),
    says(
        "FabricDerMalformed(uint256)",
        "a certificate or signature is no DER at byte {0}",
        "憑證或簽章在第 {0} 位元組處不是 DER",
    ),
    says(
        "FabricEntryMalformed(uint256)",
        "the peers' answer is not in the chaincode's form at byte {0}",
        "peer 的回答在第 {0} 位元組處不符合鏈碼的格式",
    ),
    says(
        "FabricPemMalformed(uint256)",
        "an identity's certificate is no PEM at byte {0}",
        "身分的憑證在第 {0} 位元組處不是 PEM",
    ),
    says(
        "FabricProtobufMalformed(string,uint256)",
        "message {0} of the peers is not as peers write it, at byte {1}",
        "peer 的訊息 {0} 在第 {1} 位元組處不是 peer 的寫法",
    ),
];
