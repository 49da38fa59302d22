//! The report as a PDF that archives keep (PDF/A-2a) and that can be read aloud (PDF/UA-1). The
//! same document and fonts give the same bytes.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use jiff::Timestamp;
use jiff::tz::Offset;
use krilla::Document as Pdf;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder, PdfVersion};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, ListNumbering, SpanTag, TableHeaderScope, Tag,
    TagGroup, TagKind, TagTree,
};
use krilla::text::{GlyphId, KrillaGlyph};
use tbsi_types::TimestampMs;

use super::document::{Block, Document};
use super::fonts::{Faces, FontFiles};
use super::layout::{
    Colour, GREY, Layout, MARGIN, Mark, Node, PAGE_HEIGHT, PAGE_WIDTH, Part, Placed, Style, Weight,
};
use super::lines::width_of;
use crate::lang::{Language, said};

const FOOTER: Style = Style::new(Weight::Regular, 8.0, 12.0, GREY);

pub(super) fn render(document: &Document, fonts: &FontFiles) -> anyhow::Result<Vec<u8>> {
    let faces = fonts.load(&characters(document))?;
    let layout = Layout::of(document, &faces);
    let mut pdf = Pdf::new_with(settings(document)?);
    let mut ids: Vec<Option<Identifier>> = layout.placed.iter().map(|_| None).collect();
    for number in 0..layout.pages() {
        let size = PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT);
        let mut page = pdf.start_page_with(size.expect("A4 has a width and a height"));
        let mut surface = page.surface();
        let placed = layout.placed.iter().zip(&mut ids);
        for (placed, id) in placed.filter(|(placed, _)| placed.page == number) {
            *id = draw(&mut surface, placed, &faces);
        }
        footer(&mut surface, document, &faces, (number + 1, layout.pages()));
        surface.finish();
        page.finish();
    }
    let mut tree = TagTree::new().with_lang(Some(language(document).into()));
    for node in &layout.nodes {
        tree.push(group(node, &mut ids).expect("the outermost nodes are groups"));
    }
    pdf.set_tag_tree(tree);
    let mut outline = Outline::new();
    for (text, page, y) in &layout.outline {
        let place = XyzDestination::new(*page, Point::from_xy(MARGIN, *y));
        outline.push_child(OutlineNode::new(text.clone(), place));
    }
    pdf.set_outline(outline);
    pdf.set_metadata(metadata(document));
    pdf.finish().map_err(|error| not_made(&error))
}

fn not_made(error: &impl std::fmt::Display) -> anyhow::Error {
    said(
        format!("make the PDF: {error}; try another --font, or write an .html report"),
        format!("製作 PDF：{error}；請另以 --font 指定字型，或改寫 .html 報告"),
    )
}

/// Archives ask for a date. A report that proves no time has none, and is no archive's.
fn settings(document: &Document) -> anyhow::Result<SerializeSettings> {
    let mut builder = ConfigurationBuilder::new()
        .with_version(PdfVersion::Pdf17)
        .with_accessibility_validator(Accessibility::UA1);
    if date(document.time).is_some() {
        builder = builder.with_archival_validator(Archival::A2_A);
    }
    let configuration = builder.finish();
    Ok(SerializeSettings {
        configuration: configuration.map_err(|error| not_made(&format!("{error:?}")))?,
        ..SerializeSettings::default()
    })
}

fn metadata(document: &Document) -> Metadata {
    let metadata = Metadata::new()
        .title(document.title.clone())
        .description(document.verdict.clone())
        .language(language(document).into())
        .creator(format!("tbsi {}", env!("CARGO_PKG_VERSION")));
    match date(document.time) {
        Some(date) => metadata.creation_date(date),
        None => metadata,
    }
}

/// That of the statement: no clock is asked.
fn date(time: Option<TimestampMs>) -> Option<DateTime> {
    let ms = i64::try_from(time?.0).ok()?;
    let at = Offset::UTC.to_datetime(Timestamp::from_millisecond(ms).ok()?);
    let date = DateTime::new(u16::try_from(at.year()).ok()?)
        .month(at.month().unsigned_abs())
        .day(at.day().unsigned_abs())
        .hour(at.hour().unsigned_abs())
        .minute(at.minute().unsigned_abs())
        .second(at.second().unsigned_abs())
        .utc_offset_hour(0);
    Some(date)
}

fn language(document: &Document) -> &'static str {
    match document.lang {
        Language::En => "en",
        Language::ZhTw => "zh-TW",
    }
}

/// All that fonts are needed for.
fn characters(document: &Document) -> BTreeSet<char> {
    let mut texts = vec![&document.title, &document.verdict, &document.notice];
    for section in &document.sections {
        texts.push(&section.heading);
        for block in &section.blocks {
            match block {
                Block::Paragraph(text) | Block::Code(text) => texts.push(text),
                Block::List(items) => texts.extend(items),
                Block::Table(table) => {
                    texts.extend(table.head.iter().chain(table.rows.iter().flatten()));
                }
            }
        }
    }
    let footer = page_of(document.lang, 0, 0);
    let all = texts.into_iter().chain([&footer]);
    all.flat_map(|text| text.chars()).collect()
}

fn draw(surface: &mut Surface<'_>, placed: &Placed, faces: &Faces) -> Option<Identifier> {
    let at = Point::from_xy(placed.x, placed.y);
    match &placed.mark {
        Mark::Text(text, style) => {
            let id = surface.start_tagged(ContentTag::Span(SpanTag::empty()));
            glyphs(surface, text, *style, faces, at);
            surface.end_tagged();
            Some(id)
        }
        Mark::Fill(width, height, colour) => {
            let artifact = Artifact::with_kind(ArtifactType::Layout);
            surface.start_tagged(ContentTag::Artifact(artifact));
            surface.set_fill(Some(fill(*colour)));
            let mut path = PathBuilder::new();
            path.move_to(at.x, at.y);
            path.line_to(at.x + width, at.y);
            path.line_to(at.x + width, at.y + height);
            path.line_to(at.x, at.y + height);
            path.close();
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
            surface.end_tagged();
            None
        }
    }
}

fn fill((red, green, blue): Colour) -> Fill {
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        opacity: NormalizedF32::ONE,
        ..Fill::default()
    }
}

fn glyphs(surface: &mut Surface<'_>, text: &str, style: Style, faces: &Faces, at: Point) {
    let face = faces.of(style.weight);
    let glyphs = text.char_indices().filter_map(|(start, character)| {
        let (id, advance) = face.glyph(character)?;
        Some(KrillaGlyph {
            glyph_id: GlyphId::new(id),
            text_range: start..start + character.len_utf8(),
            x_advance: advance,
            x_offset: 0.0,
            y_offset: 0.0,
            y_advance: 0.0,
            location: None,
        })
    });
    let glyphs: Vec<KrillaGlyph> = glyphs.collect();
    surface.set_fill(Some(fill(style.colour)));
    surface.draw_glyphs(at, &glyphs, face.font.clone(), text, style.size, false);
}

fn page_of(lang: Language, number: usize, count: usize) -> String {
    lang.pick(
        format!("Page {number} of {count}"),
        format!("第 {number} 頁，共 {count} 頁"),
    )
}

fn footer(
    surface: &mut Surface<'_>,
    document: &Document,
    faces: &Faces,
    (number, count): (usize, usize),
) {
    let right = page_of(document.lang, number, count);
    let face = faces.of(FOOTER.weight);
    let x = PAGE_WIDTH - MARGIN - width_of(&right, face) * FOOTER.size;
    let y = PAGE_HEIGHT - 36.0;
    let artifact = Artifact::with_kind(ArtifactType::Footer);
    surface.start_tagged(ContentTag::Artifact(artifact));
    let title = face.shown(&document.title);
    glyphs(surface, &title, FOOTER, faces, Point::from_xy(MARGIN, y));
    glyphs(surface, &right, FOOTER, faces, Point::from_xy(x, y));
    surface.end_tagged();
}

/// `None` for a line.
fn group(node: &Node, ids: &mut [Option<Identifier>]) -> Option<TagGroup> {
    let Node::Group(part, children) = node else {
        return None;
    };
    let mut tagged = TagGroup::new(tag(part));
    for child in children {
        match child {
            Node::Line(at) => {
                let id = ids[*at].take();
                tagged.push(id.expect("each line is drawn, and part of one group"));
            }
            Node::Group(..) => tagged.push(group(child, ids)?),
        }
    }
    Some(tagged)
}

fn tag(part: &Part) -> TagKind {
    match part {
        Part::Heading(level, text) => {
            let level = NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN);
            Tag::Hn(level, Some(text.clone())).into()
        }
        Part::Paragraph => Tag::P.into(),
        Part::List => Tag::L(ListNumbering::Disc).into(),
        Part::Item => Tag::LI.into(),
        Part::Label => Tag::Lbl.into(),
        Part::Body => Tag::LBody.into(),
        Part::Code => Tag::Code.into(),
        Part::Table => Tag::Table.into(),
        Part::Row => Tag::TR.into(),
        Part::ColumnHead => Tag::TH(TableHeaderScope::Column).into(),
        Part::RowHead => Tag::TH(TableHeaderScope::Row).into(),
        Part::Cell => Tag::TD.into(),
    }
}
