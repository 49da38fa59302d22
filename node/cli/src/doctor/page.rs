//! The pages that a running node shows of itself.

use std::net::SocketAddr;

use tbsi_rpc::Http;

use crate::rpc::reachable;

/// Bytes of a page.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What one page says; the body is that of any status.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Fetches a page from where a node of this machine listens.
pub(super) async fn fetch(listen: SocketAddr, path: &str) -> anyhow::Result<Page> {
    let node = Http::default().remote(&format!("http://{}", reachable(listen)))?;
    let answer = node.get(path, PAGE_BYTES_MAX).await?;
    Ok(Page {
        status: answer.status.as_u16(),
        body: String::from_utf8_lossy(&answer.body).into_owned(),
    })
}

/// What a page of metrics says: whole numbers.
pub(super) struct MetricsPage(pub(super) String);

impl MetricsPage {
    /// The value of a metric with these labels, as they are written; none: `""`.
    pub(super) fn value(&self, name: &str, labels: &str) -> Option<i64> {
        let all = self.all(name);
        all.into_iter()
            .find(|(found, _)| *found == labels)
            .map(|(_, value)| value)
    }

    /// Every value of a metric, with its labels.
    pub(super) fn all(&self, name: &str) -> Vec<(&str, i64)> {
        let values = self.0.lines().filter_map(|line| {
            let (series, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
            let labels = match series {
                "" => "",
                series => series.strip_prefix('{')?.strip_suffix('}')?,
            };
            Some((labels, value.parse().ok()?))
        });
        values.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[tokio::test]
    async fn a_page_is_fetched_from_where_a_node_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            let answer = "HTTP/1.0 503 Service Unavailable\r\na: b\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).unwrap();
            head
        });
        let everywhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
        let page = fetch(everywhere, "readyz").await.unwrap();
        assert_eq!((page.status, page.body.as_str()), (503, "{}"));
        let asked = String::from_utf8(asked.join().unwrap()).unwrap();
        assert!(asked.starts_with("GET /readyz HTTP/1.1\r\n"), "{asked}");
        assert!(fetch(address, "readyz").await.is_err());
    }

    #[test]
    fn metrics_are_read_by_name_and_labels() {
        let page = MetricsPage(
            "# HELP tbsi_a x.\ntbsi_a 7\ntbsi_a_max 9\ntbsi_b{of=\"x\"} -3\ntbsi_b{of=\"y\"} 1.5\n"
                .into(),
        );
        assert_eq!(page.value("tbsi_a", ""), Some(7));
        assert_eq!(page.value("tbsi_a_max", ""), Some(9));
        assert_eq!(page.all("tbsi_b"), [("of=\"x\"", -3)]);
        assert_eq!(page.value("tbsi_b", "of=\"y\""), None);
        assert_eq!(page.value("tbsi_c", ""), None);
    }
}
