//! The report as one HTML file: no script, nothing fetched.

use std::fmt::{self, Write};

use super::document::{Block, Document, Table};
use crate::lang::Language;
use crate::verify::VerdictKind;

const STYLE: &str = "\
:root{color-scheme:light}\
body{margin:0;background:#fff;color:#1b1f24;font:15px/1.6 'Noto Sans CJK TC','Noto Sans TC',\
'PingFang TC','Microsoft JhengHei',system-ui,sans-serif}\
main{max-width:52rem;margin:0 auto;padding:2rem 1.25rem 4rem}\
h1{font-size:1.6rem;line-height:1.3;margin:0 0 1rem}\
h2{font-size:1.1rem;margin:2rem 0 .5rem;padding-top:.75rem;border-top:1px solid #c9d1d9}\
.verdict{font-weight:700;font-size:1.1rem;padding:.75rem 1rem;border-left:.4rem solid;\
overflow-wrap:anywhere}\
.valid{border-color:#1a7f37;background:#eef8f0}\
.void,.invalid{border-color:#b3261e;background:#fdeeec}\
.unknown{border-color:#8a6100;background:#fdf6e3}\
.notice{color:#4a5560}\
table{border-collapse:collapse;width:100%;table-layout:fixed;margin:.5rem 0 1rem}\
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;\
border-bottom:1px solid #e1e5ea;white-space:pre-line;overflow-wrap:anywhere}\
th{font-weight:600;color:#4a5560}\
pre{background:#f3f5f7;padding:.75rem 1rem;white-space:pre-wrap;overflow-wrap:anywhere;\
font:13px/1.5 'Noto Sans Mono CJK TC',ui-monospace,monospace}\
@media print{main{max-width:none;padding:0}tr,pre{break-inside:avoid}h2{break-after:avoid}}";

pub(super) fn render(document: &Document) -> String {
    let mut html = String::new();
    write(&mut html, document).expect("a String takes all");
    html
}

fn write(html: &mut String, document: &Document) -> fmt::Result {
    let lang = match document.lang {
        Language::En => "en",
        Language::ZhTw => "zh-Hant-TW",
    };
    let title = escaped(&document.title);
    write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n"
    )?;
    let class = match document.kind {
        VerdictKind::Valid => "valid",
        VerdictKind::Void => "void",
        VerdictKind::Invalid => "invalid",
        VerdictKind::CouldNotTell => "unknown",
    };
    let (verdict, notice) = (escaped(&document.verdict), escaped(&document.notice));
    writeln!(html, "<p class=\"verdict {class}\">{verdict}</p>")?;
    writeln!(html, "<p class=\"notice\">{notice}</p>")?;
    for section in &document.sections {
        writeln!(html, "<section>\n<h2>{}</h2>", escaped(&section.heading))?;
        for block in &section.blocks {
            write_block(html, block)?;
        }
        writeln!(html, "</section>")?;
    }
    writeln!(html, "</main>\n</body>\n</html>")
}

fn write_block(html: &mut String, block: &Block) -> fmt::Result {
    match block {
        Block::Paragraph(text) => writeln!(html, "<p>{}</p>", escaped(text)),
        Block::Code(text) => writeln!(html, "<pre><code>{}</code></pre>", escaped(text)),
        Block::List(items) => {
            writeln!(html, "<ul>")?;
            for item in items {
                writeln!(html, "<li>{}</li>", escaped(item))?;
            }
            writeln!(html, "</ul>")
        }
        Block::Table(table) => write_table(html, table),
    }
}

fn write_table(html: &mut String, table: &Table) -> fmt::Result {
    write!(html, "<table>\n<colgroup>")?;
    for width in &table.widths {
        write!(html, "<col style=\"width:{width}%\">")?;
    }
    writeln!(html, "</colgroup>")?;
    if !table.head.is_empty() {
        write!(html, "<thead><tr>")?;
        for cell in &table.head {
            write!(html, "<th scope=\"col\">{}</th>", escaped(cell))?;
        }
        writeln!(html, "</tr></thead>")?;
    }
    writeln!(html, "<tbody>")?;
    for row in &table.rows {
        write!(html, "<tr>")?;
        for (column, cell) in row.iter().enumerate() {
            let cell = escaped(cell);
            if column == 0 && table.head.is_empty() {
                write!(html, "<th scope=\"row\">{cell}</th>")?;
            } else {
                write!(html, "<td>{cell}</td>")?;
            }
        }
        writeln!(html, "</tr>")?;
    }
    writeln!(html, "</tbody>\n</table>")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::court::document::Section;

    #[test]
    fn what_strangers_wrote_is_text() {
        let mut section = Section::new("<b>");
        section.paragraph("<script>alert('1')</script> & \"2\"");
        section.facts(vec![("name", "<i>\n</td>".into())]);
        section.code("cat < '&'");
        section.list(vec!["<li>".into()]);
        let html = render(&Document {
            lang: Language::En,
            title: "</title>".into(),
            kind: VerdictKind::Invalid,
            verdict: "<p>".into(),
            notice: String::new(),
            time: None,
            sections: vec![section],
        });
        assert!(html.contains("<title>&lt;/title&gt;</title>"));
        assert!(
            html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;2&quot;")
        );
        assert!(html.contains("<td>&lt;i&gt;\n&lt;/td&gt;</td>"));
        assert!(html.contains("<pre><code>cat &lt; &#39;&amp;&#39;</code></pre>"));
        assert!(!html.contains("<script") && !html.contains("<i>") && !html.contains("<b>"));
    }
}
