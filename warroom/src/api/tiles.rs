//! The log as it was verified, as static files of a log: a war room is a mirror (SPEC §19.2).

use tbsi_types::log::tile::TILE_LEVELS;
use tbsi_types::log::{EntryBundle, Tile, TileSource};

use super::attestation::make_bundle;
use super::{Answer, Context, Problem};
use crate::said::said;
use crate::source::encode_acts;
use crate::store::narrowed;

/// `/tiles/{path}`.
pub(super) fn answer(context: &Context<'_>, path: &str) -> Result<Answer, Problem> {
    let bytes = |body: Vec<u8>, fixed: bool| Answer {
        kind: "application/octet-stream",
        body,
        fixed,
    };
    match path {
        "checkpoint" => {
            let log = context.known.log.as_deref();
            let note = log.and_then(|log| log.note.as_ref());
            let text = note.map(|(note, ..)| note.encode()).ok_or_else(missing)?;
            return Ok(Answer::text("text/plain; charset=utf-8", text));
        }
        "newest-bundle" => return newest_bundle(context).map(|body| bytes(body, false)),
        "handovers/count" => {
            let count = context.known.trust.handovers().len();
            return Ok(Answer::text(
                "text/plain; charset=utf-8",
                format!("{count}\n"),
            ));
        }
        _ => {}
    }
    if let Some(rest) = path.strip_prefix("handovers/") {
        let page = EntryBundle::parse_path(&format!("tile/entries/{rest}"));
        let page = page.map_err(|_| missing())?;
        let body = context.known.trust.page(page).ok_or_else(missing)?;
        return Ok(bytes(body, page.width == 256));
    }
    if let Some(rest) = path.strip_prefix("acts/") {
        let bundle = EntryBundle::parse_path(&format!("tile/entries/{rest}"));
        let bundle = inside(context, bundle.map_err(|_| missing())?)?;
        let mut acts = context.view.acts_of(bundle.index)?;
        let end = bundle.index * 256 + u64::from(bundle.width);
        acts.retain(|act| act.leaf.position.0 < end);
        return Ok(bytes(encode_acts(&acts), false));
    }
    if let Ok(bundle) = EntryBundle::parse_path(path) {
        let bundle = inside(context, bundle)?;
        let kept = context.view.bundle(bundle.index)?;
        let (width, kept) = kept.ok_or_else(missing)?;
        let body = narrowed(bundle, width, &kept).ok_or_else(missing)?;
        return Ok(bytes(body, bundle.width == 256));
    }
    let tile = Tile::parse_path(path).map_err(|_| missing())?;
    if tile.level >= TILE_LEVELS {
        return Err(missing());
    }
    let body = context.view.tile(tile).map_err(|_| missing())?;
    Ok(bytes(body, !tile.is_partial()))
}

/// A bundle that the log has.
fn inside(context: &Context<'_>, bundle: EntryBundle) -> Result<EntryBundle, Problem> {
    let end = bundle.index.checked_mul(256);
    let end = end.and_then(|start| start.checked_add(bundle.width.into()));
    match end.filter(|end| *end <= context.size) {
        Some(_) => Ok(bundle),
        None => Err(missing()),
    }
}

/// The proof of the last leaf, in its compact form: it has checkpoint, certificate and set.
fn newest_bundle(context: &Context<'_>) -> Result<Vec<u8>, Problem> {
    let log = context.known.log.as_deref().ok_or_else(missing)?;
    let last = log.size.0.checked_sub(1).ok_or_else(missing)?;
    let indexed = context.view.leaf(last)?.ok_or_else(missing)?;
    let bundle = make_bundle(context, &indexed)?;
    bundle
        .encode()
        .map_err(|error| Problem::index(&error.to_string()))
}

fn missing() -> Problem {
    Problem::not_found(&said(
        "The log has no such file, or not in this form of its path.",
        "日誌沒有此檔，或路徑格式不符。",
    ))
}
