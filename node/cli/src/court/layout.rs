//! Where on which page each line stands, and what it is part of. Lengths are in points.

use super::document::{Block, Document, Table};
use super::fonts::{Face, Faces};
use super::lines::lines;
use crate::verify::VerdictKind;

/// A4.
pub(super) const PAGE_WIDTH: f32 = 595.28;
pub(super) const PAGE_HEIGHT: f32 = 841.89;
pub(super) const MARGIN: f32 = 54.0;
const TOP: f32 = 56.0;
const BOTTOM: f32 = PAGE_HEIGHT - 64.0;
const WIDTH: f32 = PAGE_WIDTH - 2.0 * MARGIN;
/// Between the columns of a table.
const GAP: f32 = 8.0;
/// Lines of a row that are kept on one page.
const TOGETHER_MAX: usize = 12;
/// Around what stands on a colour.
const PAD: f32 = 8.0;

pub(super) type Colour = (u8, u8, u8);
const INK: Colour = (27, 31, 36);
pub(super) const GREY: Colour = (74, 85, 96);
const RULE: Colour = (205, 211, 217);
const PAPER: Colour = (243, 245, 247);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
    Mono,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) weight: Weight,
    pub(super) size: f32,
    /// From line to line.
    leading: f32,
    pub(super) colour: Colour,
}

impl Style {
    pub(super) const fn new(weight: Weight, size: f32, leading: f32, colour: Colour) -> Self {
        Self {
            weight,
            size,
            leading,
            colour,
        }
    }
}

const TITLE: Style = Style::new(Weight::Bold, 19.0, 27.0, INK);
const HEADING: Style = Style::new(Weight::Bold, 12.5, 18.0, INK);
const BODY: Style = Style::new(Weight::Regular, 9.5, 14.5, INK);
const NOTICE: Style = Style::new(Weight::Regular, 9.5, 14.5, GREY);
const VERDICT: Style = Style::new(Weight::Bold, 11.0, 16.5, INK);
const CELL: Style = Style::new(Weight::Regular, 9.0, 13.5, INK);
const CELL_HEAD: Style = Style::new(Weight::Bold, 9.0, 13.5, GREY);
const CODE: Style = Style::new(Weight::Mono, 8.0, 12.0, INK);

impl Faces {
    pub(super) fn of(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
            Weight::Mono => &self.mono,
        }
    }
}

/// Something on a page; `y` is a baseline or an upper edge.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) page: usize,
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) mark: Mark,
}

#[derive(Debug)]
pub(super) enum Mark {
    Text(String, Style),
    /// Width, height.
    Fill(f32, f32, Colour),
}

/// What lines are part of, for those who cannot see the page.
#[derive(Debug)]
pub(super) enum Node {
    Group(Part, Vec<Node>),
    /// One of [`Layout::placed`].
    Line(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Heading(u16, String),
    Paragraph,
    List,
    Item,
    Label,
    Body,
    Code,
    Table,
    Row,
    /// Of a column.
    ColumnHead,
    RowHead,
    Cell,
}

/// A document on its pages.
pub(super) struct Layout<'f> {
    faces: &'f Faces,
    page: usize,
    y: f32,
    pub(super) placed: Vec<Placed>,
    pub(super) nodes: Vec<Node>,
    /// Text, page and upper edge of each section's heading.
    pub(super) outline: Vec<(String, usize, f32)>,
}

/// A cell of a table, before it has a place.
struct Cell {
    x: f32,
    style: Style,
    part: Part,
    lines: Vec<String>,
    placed: Vec<Node>,
}

impl<'f> Layout<'f> {
    pub(super) fn of(document: &Document, faces: &'f Faces) -> Self {
        let mut layout = Self {
            faces,
            page: 0,
            y: TOP,
            placed: Vec::new(),
            nodes: Vec::new(),
            outline: Vec::new(),
        };
        let title = Part::Heading(1, document.title.clone());
        layout.text(&document.title, TITLE, title, MARGIN, WIDTH);
        layout.y += 8.0;
        layout.shaded(
            &document.verdict,
            VERDICT,
            Part::Paragraph,
            fill_of(document.kind),
        );
        layout.y += 8.0;
        layout.text(&document.notice, NOTICE, Part::Paragraph, MARGIN, WIDTH);
        for section in &document.sections {
            layout.heading(&section.heading);
            for block in &section.blocks {
                layout.block(block);
            }
        }
        layout
    }

    pub(super) fn pages(&self) -> usize {
        self.page + 1
    }

    fn heading(&mut self, text: &str) {
        self.y += 16.0;
        // Not alone at the foot of a page.
        self.keep(HEADING.leading + 4.0 * BODY.leading);
        self.outline.push((text.to_owned(), self.page, self.y));
        let part = Part::Heading(2, text.to_owned());
        self.text(text, HEADING, part, MARGIN, WIDTH);
        self.y += 3.0;
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(text) => {
                self.text(text, BODY, Part::Paragraph, MARGIN, WIDTH);
                self.y += 4.0;
            }
            Block::Code(text) => {
                let width = WIDTH - 2.0 * PAD;
                let code = self.flow(text, CODE, Part::Code, MARGIN + PAD, width, Some(PAPER));
                self.nodes.push(Node::Group(Part::Paragraph, vec![code]));
                self.y += 6.0;
            }
            Block::List(items) => self.list(items),
            Block::Table(table) => {
                self.table(table);
                self.y += 6.0;
            }
        }
    }

    /// Begins a page unless there is room for `height`.
    fn keep(&mut self, height: f32) {
        if self.y + height > BOTTOM {
            self.page += 1;
            self.y = TOP;
        }
    }

    /// One line at the present height.
    fn line(&mut self, text: String, style: Style, x: f32) -> Node {
        let baseline = self.y + (style.leading + style.size * 0.76) / 2.0;
        self.place(x, baseline, Mark::Text(text, style));
        Node::Line(self.placed.len() - 1)
    }

    fn place(&mut self, x: f32, y: f32, mark: Mark) {
        let page = self.page;
        self.placed.push(Placed { page, x, y, mark });
    }

    fn lines_of(&self, text: &str, style: Style, width: f32) -> Vec<String> {
        lines(text, self.faces.of(style.weight), width / style.size)
    }

    fn text(&mut self, text: &str, style: Style, part: Part, x: f32, width: f32) {
        let node = self.flow(text, style, part, x, width, None);
        self.nodes.push(node);
    }

    /// On a coloured ground.
    fn shaded(&mut self, text: &str, style: Style, part: Part, fill: Colour) {
        let width = WIDTH - 2.0 * PAD;
        let node = self.flow(text, style, part, MARGIN + PAD, width, Some(fill));
        self.nodes.push(node);
    }

    fn flow(
        &mut self,
        text: &str,
        style: Style,
        part: Part,
        x: f32,
        width: f32,
        fill: Option<Colour>,
    ) -> Node {
        let mut nodes = Vec::new();
        let lines = self.lines_of(text, style, width);
        let last = lines.len() - 1;
        for (at, line) in lines.into_iter().enumerate() {
            let edge = |edge: usize| {
                if at == edge && fill.is_some() {
                    PAD
                } else {
                    0.0
                }
            };
            let (above, below) = (edge(0), edge(last));
            self.keep(above + style.leading + below);
            if let Some(colour) = fill {
                let height = above + style.leading + below;
                self.place(MARGIN, self.y, Mark::Fill(WIDTH, height, colour));
            }
            self.y += above;
            nodes.push(self.line(line, style, x));
            self.y += style.leading + below;
        }
        Node::Group(part, nodes)
    }

    fn list(&mut self, items: &[String]) {
        let mut all = Vec::new();
        for item in items {
            self.keep(BODY.leading);
            let label = self.line("•".into(), BODY, MARGIN + 4.0);
            let (x, width) = (MARGIN + 18.0, WIDTH - 18.0);
            let body = self.flow(item, BODY, Part::Body, x, width, None);
            self.y += 3.0;
            let label = Node::Group(Part::Label, vec![label]);
            all.push(Node::Group(Part::Item, vec![label, body]));
        }
        self.nodes.push(Node::Group(Part::List, all));
    }

    fn table(&mut self, table: &Table) {
        let mut rows = Vec::new();
        if !table.head.is_empty() {
            rows.push(self.row(&table.head, &table.widths, |_| {
                (CELL_HEAD, Part::ColumnHead)
            }));
        }
        let headless = table.head.is_empty();
        for row in &table.rows {
            rows.push(self.row(row, &table.widths, |column| {
                if column == 0 && headless {
                    (CELL_HEAD, Part::RowHead)
                } else {
                    (CELL, Part::Cell)
                }
            }));
        }
        self.nodes.push(Node::Group(Part::Table, rows));
    }

    /// A row that is longer than what is left of a page goes on on the next, line by line.
    fn row(
        &mut self,
        texts: &[String],
        widths: &[u8],
        look: impl Fn(usize) -> (Style, Part),
    ) -> Node {
        let mut x = MARGIN;
        let mut cells = Vec::new();
        for (column, (text, percent)) in texts.iter().zip(widths).enumerate() {
            let (style, part) = look(column);
            let width = WIDTH * f32::from(*percent) / 100.0;
            cells.push(Cell {
                x,
                style,
                part,
                lines: self.lines_of(text, style, width - GAP),
                placed: Vec::new(),
            });
            x += width;
        }
        let count = cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(0);
        self.y += 3.0;
        // Short rows stay together, and of a long one more than a line.
        let together = if count <= TOGETHER_MAX { count } else { 3 };
        let together = u8::try_from(together).unwrap_or(u8::MAX);
        self.keep(f32::from(together) * CELL.leading + 4.0);
        for at in 0..count {
            self.keep(CELL.leading);
            for cell in &mut cells {
                if let Some(line) = cell.lines.get(at) {
                    let node = self.line(line.clone(), cell.style, cell.x);
                    cell.placed.push(node);
                }
            }
            self.y += CELL.leading;
        }
        self.y += 3.0;
        self.place(MARGIN, self.y, Mark::Fill(WIDTH, 0.5, RULE));
        let cells = cells.into_iter();
        let cells = cells.map(|cell| Node::Group(cell.part, cell.placed));
        Node::Group(Part::Row, cells.collect())
    }
}

fn fill_of(kind: VerdictKind) -> Colour {
    match kind {
        VerdictKind::Valid => (226, 243, 230),
        VerdictKind::Void | VerdictKind::Invalid => (252, 226, 223),
        VerdictKind::CouldNotTell => (252, 241, 211),
    }
}
