//! Errors of the contract of foreign facts.

use super::{Sentence, says};

pub(super) const SENTENCES: &[Sentence] = &[
    says(
        "FactsClientUnknown(uint32)",
        "there is no client {0}; `tbsi fact clients` shows them",
        "沒有編號 {0} 的客戶端；`tbsi fact clients` 可列出",
    ),
    says(
        "FactsNotOperator(uint32,uint32)",
        "the chain is run by {0:organisation}, whose administrators alone open clients for it; \
         the account belongs to: {1:organisation}",
        "該鏈由{0:organisation}營運，只有其管理者能為它開設客戶端；此帳戶屬於：{1:organisation}",
    ),
    says(
        "FactsChainNotActive(uint32)",
        "the record of chain {0} is retired; its operator or a motion can take it up again",
        "編號 {0} 的鏈紀錄已停用；可由其營運者或動議重新啟用",
    ),
    says(
        "FactsNotEvm(string)",
        "`{0}` is no EVM chain: a client needs an id eip155:<number>",
        "「{0}」不是 EVM 鏈：客戶端需要 eip155:<數字> 形式的識別碼",
    ),
    says(
        "FactsTooManyClients(uint256)",
        "the chain's record has {0} clients, the most that are allowed; retire it and register \
         the chain anew",
        "該鏈紀錄已有 {0} 個客戶端，達到上限；請停用後重新登記",
    ),
    says(
        "FactsTrustPeriodOutOfRange(uint256,uint256,uint256)",
        "the trust period is {2} s, {0} to {1} are allowed",
        "信任期為 {2} 秒，允許 {0} 至 {1} 秒",
    ),
    says(
        "FactsTooLong(uint256,uint256)",
        "an argument has {1} bytes, at most {0} are allowed",
        "參數為 {1} 位元組，上限為 {0}",
    ),
    says(
        "FactsArgumentsNotCanonical()",
        "the call has surplus or misplaced bytes",
        "呼叫資料有多餘或錯置的位元組",
    ),
    says(
        "FactsTooFewValidators(uint256,uint256)",
        "the chain has {1} validators; fewer than {0} tolerate no fault, and no fact of it is taken",
        "該鏈有 {1} 個驗證者；少於 {0} 個無法容忍任何故障，不接受其事實",
    ),
    says(
        "FactsVerifierUnavailable()",
        "the node's precompile did not answer: the transaction has too little gas",
        "節點的預編譯合約沒有回答：交易的 gas 不足",
    ),
    says(
        "FactsHeaderRefused(uint256,uint256,uint256)",
        "the header does not follow from what is trusted (reason {0} of SPEC §16.3; {1}, {2})",
        "區塊標頭無法由所信任者推得（SPEC §16.3 原因 {0}；{1}、{2}）",
    ),
    says(
        "FactsAncestryRefused(uint256,uint256)",
        "the block is not shown to come after the known one (reason {0} of SPEC §16.5; {1}); reason \
         8: it is of another chain whose blocks the same keys seal",
        "無法證明此區塊在已知區塊之後（SPEC §16.5 原因 {0}；{1}）；原因 8：屬於由相同金鑰封存的另一條鏈",
    ),
    says(
        "FactsOriginMismatch(bytes32,bytes32)",
        "the genesis hash {0} and the hash {1} of the block below must not be zero, and for height 0 \
         be one",
        "創世雜湊 {0} 與其後區塊的雜湊 {1} 不得為零；高度 0 時兩者須相同",
    ),
    says(
        "FactsHeaderUnknown(uint32,uint64)",
        "client {0} has accepted no header of height {1}",
        "客戶端 {0} 沒有高度 {1} 的區塊標頭",
    ),
    says(
        "FactsHeaderKnown(uint32,uint64)",
        "client {0} has accepted this header of height {1} before",
        "客戶端 {0} 先前已接受高度 {1} 的這個區塊標頭",
    ),
    says(
        "FactsBelowBase(uint64,uint64)",
        "the header's height {1} is below that of the one it should follow from, {0}",
        "區塊標頭的高度 {1} 低於其所依據的高度 {0}",
    ),
    says(
        "FactsTrustedMismatch(bytes32,bytes32)",
        "the validators have hash {1}, the accepted header has {0}",
        "驗證者的雜湊為 {1}，已接受的區塊標頭為 {0}",
    ),
    says(
        "FactsExpired(uint64,uint256,uint256)",
        "the validators of height {0} were trusted until {1:time}; open a new client",
        "高度 {0} 的驗證者只信任到 {1:time}；請開設新的客戶端",
    ),
    says(
        "FactsFuture(uint64,uint256)",
        "the header's time is {0:time}, later than {1:time}: the clocks differ",
        "區塊標頭的時間 {0:time} 晚於 {1:time}：時鐘不一致",
    ),
    says(
        "FactsTimeOrder(uint64,uint64,uint64,uint64)",
        "height {0} has time {1}, height {2} has time {3}: they are not in order",
        "高度 {0} 的時間為 {1}，高度 {2} 的時間為 {3}：順序不符",
    ),
    says(
        "FactsFrozen(uint32)",
        "client {0} is frozen: two sealed headers of one height are known. Its facts count no \
         more; the chain's operator can open a new client",
        "客戶端 {0} 已凍結：同一高度出現兩個已封存的區塊標頭。其事實不再有效；可由該鏈營運者開設新的客戶端",
    ),
    says(
        "FactsNoConflict(uint32,uint64)",
        "it is the header of height {1} that client {0} has accepted: no conflict",
        "這正是客戶端 {0} 已接受的高度 {1} 區塊標頭：沒有衝突",
    ),
    says(
        "FactsProofRefused(uint256,uint256)",
        "the proof shows nothing (reason {0} of SPEC §16.4; {1})",
        "證明無法成立（SPEC §16.4 原因 {0}；{1}）",
    ),
    says(
        "FactsValueMismatch(bytes32,bytes32)",
        "the proof shows {0}, not {1}",
        "證明顯示的值是 {0}，不是 {1}",
    ),
    says(
        "FactsKnown(uint32,uint64,address,bytes32,bytes32)",
        "slot {3} of {2} at height {1} was imported before under client {0}, with value {4}",
        "{2} 的儲存格 {3} 在高度 {1} 的值先前已由客戶端 {0} 匯入，值為 {4}",
    ),
];
