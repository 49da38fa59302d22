//! Why others cannot be reached, in Traditional Chinese of Taiwan.

use tbsi_rpc::{HttpConfigError, HttpProblem};

use crate::shown::PathShown;

/// Why there is no answer.
pub(super) fn problem(problem: &HttpProblem) -> String {
    match problem {
        HttpProblem::NoConnection(text) => format!("{text}；節點是否正在執行？"),
        HttpProblem::Proxy(text) => format!(
            "{text}；請檢查 http.toml 的 `proxy`、`no_proxy` 與 `proxy_login`，或 HTTPS_PROXY"
        ),
        HttpProblem::Untrusted(text) => {
            format!("憑證不受信任（{text}）；請在 http.toml 的 `roots` 指定其憑證機構的根憑證檔")
        }
        HttpProblem::Dated(text) => {
            format!("憑證已過期或尚未生效（{text}）；須由對方換發，或是本機時鐘有誤")
        }
        HttpProblem::OtherName(text) => {
            format!("憑證屬於另一部主機（{text}）；請以憑證所載的名稱指定位址")
        }
        HttpProblem::Refused(text) => {
            format!("對方拒絕與本機建立 TLS（{text}）；可能要求客戶端憑證：見 http.toml 的 `login`")
        }
        HttpProblem::NoTls => "對方不使用 TLS；位址可能應為 http://".into(),
        HttpProblem::Tls(text) => format!("TLS 失敗：{text}"),
        HttpProblem::NotHttp(text) => {
            format!("對方的回應不是 HTTP（{text}）；位址可能應為 https://")
        }
        HttpProblem::Html => "對方回應網頁；這是節點的位址，還是節點之前的網頁？".into(),
        HttpProblem::Broken => "對方在回應完成前關閉連線；可能正在停止，請重試".into(),
        HttpProblem::TooMuch { bytes_max } => {
            format!("回應超過允許的 {bytes_max} 位元組")
        }
        HttpProblem::Asked { bytes, bytes_max } => {
            format!("請求有 {bytes} 位元組，上限為 {bytes_max}；請一次少要求一些")
        }
        HttpProblem::Silent { seconds } => format!("{seconds} 秒內沒有回應"),
        HttpProblem::Redirect { status, place } => format!(
            "對方轉址到 {place}（狀態碼 {status}），程式不跟隨轉址；若該位址正確，請直接指定"
        ),
        HttpProblem::NoWebSocket { status } => {
            format!("對方不開啟 WebSocket（狀態碼 {status}）；這是節點的位址嗎？")
        }
    }
}

/// Why the file about it is refused. Which value would be right stays in English.
pub(super) fn config(error: &HttpConfigError) -> String {
    match error {
        HttpConfigError::Read { file, .. } => format!("讀取 {}", file.shown()),
        HttpConfigError::Syntax {
            file,
            line,
            problem,
        } => format!("{} 第 {line} 行：{problem}", file.shown()),
        HttpConfigError::Value { file, key, problem } => {
            format!("{}：`{key}` {problem}", file.shown())
        }
    }
}
