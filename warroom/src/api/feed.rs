//! New leaves as an Atom feed (RFC 4287).

use std::fmt::Write as _;

use jiff::Timestamp;
use tbsi_types::bundle::describe;

use super::leaves::{Filter, issuer_name, page};
use super::{Answer, Context, Problem};
use crate::limits::FEED_ENTRIES;
use crate::store::IndexedLeaf;

/// Text in XML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // XML has no others below the space.
            '\t' | '\n' | '\r' => safe.push(' '),
            letter if letter < ' ' || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                safe.push('\u{fffd}');
            }
            letter => safe.push(letter),
        }
    }
    safe
}

/// A block time as RFC 3339 has it.
fn rfc3339(time_ms: u64) -> String {
    let time = i64::try_from(time_ms).ok();
    let time = time.and_then(|time| Timestamp::from_millisecond(time).ok());
    time.unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// `/feed.atom`.
pub(super) fn answer(context: &Context<'_>) -> Result<Answer, Problem> {
    let filter = Filter::of(context)?;
    let limit = usize::try_from(FEED_ENTRIES).expect("it is small");
    let page = page(context, &filter, true, None, limit)?;
    let chain = context.known.trust.chain();
    let origin = escaped(&chain.log_origin());
    let network = escaped(&context.shared.genesis.name);
    let updated = page.leaves.first().map(|leaf| leaf.leaf.head.time.0);
    let updated = rfc3339(updated.unwrap_or(context.shared.genesis.time_ms.0));
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>urn:tbsi:feed:{origin}</id>\n<title>{network}</title>\n<updated>{updated}</updated>\n\
         <generator>tbsi warroom</generator>\n"
    );
    for leaf in &page.leaves {
        feed += &entry(context, leaf, &origin);
    }
    feed += "</feed>\n";
    Ok(Answer::text("application/atom+xml; charset=utf-8", feed))
}

fn entry(context: &Context<'_>, indexed: &IndexedLeaf, origin: &str) -> String {
    let head = indexed.leaf.head;
    let name = issuer_name(context, indexed);
    let issuer = match (name["zhTw"].as_str(), name["en"].as_str()) {
        (Some(""), Some(en)) => en.to_owned(),
        (Some(zh_tw), Some(en)) => format!("{zh_tw} {en}"),
        (_, _) => format!("{:#x}", head.issuer),
    };
    let statement = describe(&indexed.leaf);
    let kind = statement["kind"].as_str().unwrap_or_default();
    let (issuer, position) = (escaped(&issuer), indexed.position);
    let time = rfc3339(head.time.0);
    let mut text = String::new();
    write!(
        text,
        "<entry>\n<id>urn:tbsi:leaf:{origin}:{position}</id>\n\
         <title>{kind}: {issuer}</title>\n<updated>{time}</updated>\n\
         <author><name>{issuer}</name></author>\n\
         <link rel=\"alternate\" href=\"attestations/{position}\"/>\n\
         <content type=\"text\">{}</content>\n</entry>\n",
        escaped(&statement.to_string())
    )
    .expect("a string has room");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(
            escaped("<script>\"&'\u{1}\u{ffff}</script>"),
            "&lt;script&gt;&quot;&amp;&#39;\u{fffd}\u{fffd}&lt;/script&gt;"
        );
        assert_eq!(rfc3339(1_767_225_600_000), "2026-01-01T00:00:00Z");
    }
}
