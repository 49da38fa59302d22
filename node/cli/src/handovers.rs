//! Changes of the validator set, kept in a file and followed from the genesis file
//! (SPEC §10.6).

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use tbsi_light::{HandoverFollower, TrustAnchor};
use tbsi_types::bundle::chain::HANDOVERS_PER_PAGE;
use tbsi_types::bundle::{HandoverReader, HandoverRecord, HandoverStreamError, HandoverWriter};
use tbsi_types::log::EntryBundle;
use tbsi_types::{Genesis, Height, NamedValidators};

use crate::lang::{Language, SayContext, counted, demand};
use crate::report::{Format, refuse};
use crate::rpc::LogUrl;
use crate::shown::PathShown;
use crate::{progress, proof};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Genesis file of the network.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// File that keeps them; what is in it is verified again.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    log: LogUrl,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(crate) lang: Language,
    #[command(flatten)]
    format: Format,
}

/// How many bytes were read.
struct Counted<R> {
    source: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

/// A file of handovers that is being followed.
pub(crate) struct Kept {
    reader: HandoverReader<Counted<BufReader<File>>>,
    follower: HandoverFollower,
}

impl Kept {
    /// Reads its head. What it says of the network is compared, and not believed.
    pub(crate) fn open(path: &Path, anchor: TrustAnchor) -> anyhow::Result<Self> {
        let reading = || {
            let path = path.shown();
            (
                format!("{path} is not a file of `tbsi log handovers`"),
                format!("{path} 不是 `tbsi log handovers` 的檔案"),
            )
        };
        let source = File::open(path).or_say(|| {
            let path = path.shown();
            (format!("read {path}"), format!("讀取 {path}"))
        })?;
        let source = Counted {
            source: BufReader::new(source),
            bytes: 0,
        };
        let reader = HandoverReader::open(source).or_say(reading)?;
        let (expected, got) = (anchor.chain(), reader.chain());
        demand(expected == got, || {
            let path = path.shown();
            let (got, expected) = (got.genesis_hash, expected.genesis_hash);
            (
                format!("{path} is of the network with genesis hash {got}, trusted is {expected}"),
                format!("{path} 屬於創世檔雜湊為 {got} 的網路，您信任的是 {expected}"),
            )
        })?;
        Ok(Self {
            reader,
            follower: HandoverFollower::from(anchor),
        })
    }

    /// Follows those up to `height`, one at a time.
    pub(crate) fn follow_to(&mut self, height: Height) -> anyhow::Result<HandoverFollower> {
        while let Some((handover, next)) = self.reader.record()? {
            if handover.first.checkpoint.height > height {
                break;
            }
            self.follower.follow(&handover, &next)?;
        }
        Ok(self.follower.clone())
    }

    /// Follows all. What a write that did not end left behind is no part of it: returns where
    /// the last whole record ends.
    fn follow_all(&mut self) -> anyhow::Result<u64> {
        loop {
            let end = self.reader.source().bytes;
            match self.reader.record() {
                Ok(Some((handover, next))) => self.follower.follow(&handover, &next)?,
                Ok(None) => return Ok(end),
                Err(HandoverStreamError::Io(error))
                    if error.kind() == io::ErrorKind::UnexpectedEof =>
                {
                    return Ok(end);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A file that is whole up to its end, and what it leads to.
struct Growing {
    file: File,
    writer: HandoverWriter,
    follower: HandoverFollower,
    count: u64,
}

impl Growing {
    fn open(path: &Path, genesis: &Genesis) -> anyhow::Result<Self> {
        let anchor = TrustAnchor::genesis(genesis)?;
        if path.exists() {
            let mut kept = Kept::open(path, anchor)?;
            let end = kept.follow_all()?;
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.set_len(end)?;
            file.seek(SeekFrom::End(0))?;
            let (writer, _) = HandoverWriter::begin(anchor.chain(), kept.reader.set().clone())?;
            return Ok(Self {
                file,
                writer,
                count: kept.reader.number(),
                follower: kept.follower,
            });
        }
        let set = NamedValidators::of_genesis(genesis)?;
        let (writer, head) = HandoverWriter::begin(anchor.chain(), set)?;
        let mut file = File::create_new(path)?;
        file.write_all(&head)?;
        Ok(Self {
            file,
            writer,
            follower: HandoverFollower::from(anchor),
            count: 0,
        })
    }

    /// Adds what a page has beyond what is there.
    fn add(&mut self, page: &[u8]) -> anyhow::Result<()> {
        let mut reader = HandoverReader::open(page)?;
        let mut known = self.count % HANDOVERS_PER_PAGE;
        let mut bytes = Vec::with_capacity(page.len());
        while let Some((handover, next)) = reader.record()? {
            if known > 0 {
                known -= 1;
                continue;
            }
            self.follower.follow(&handover, &next)?;
            self.count += 1;
            bytes.extend(self.writer.record(&HandoverRecord {
                last: handover.last,
                first: handover.first,
                next,
            })?);
        }
        self.file.write_all(&bytes)?;
        Ok(())
    }
}

/// `tbsi log handovers`.
pub(crate) async fn fetch(args: &Args) -> anyhow::Result<ExitCode> {
    let genesis = proof::load_genesis(&args.genesis).map_err(refuse)?;
    let log = args.log.reader()?;
    let opening = || {
        let path = args.out.shown();
        (
            format!("{path} cannot be gone on with; choose another --out"),
            format!("無法接續 {path}；請另選 --out"),
        )
    };
    let mut kept = Growing::open(&args.out, &genesis)
        .or_say(opening)
        .map_err(refuse)?;
    let count = log.handover_count().await?;
    let before = kept.count;
    let bar = progress::count(count.saturating_sub(before), "handovers");
    while kept.count < count {
        let index = kept.count / HANDOVERS_PER_PAGE;
        let width = (count - index * HANDOVERS_PER_PAGE).min(HANDOVERS_PER_PAGE);
        let page = EntryBundle {
            index,
            width: u16::try_from(width)?,
        };
        let had = kept.count;
        let bytes = log.handovers(page).await?;
        kept.add(&bytes).or_say(|| {
            let url = args.log.url();
            (
                format!("{url} gave handovers that do not follow"),
                format!("{url} 給的交接不成立"),
            )
        })?;
        demand(kept.count > had, || {
            let url = args.log.url();
            (
                format!("{url} gave an empty page of handovers"),
                format!("{url} 給了空白的交接頁"),
            )
        })?;
        bar.inc(kept.count - had);
    }
    bar.finish_and_clear();
    kept.file.sync_all()?;
    let (new, all, lang) = (kept.count - before, kept.count, args.lang);
    let (height, shown) = (kept.follower.anchor().height(), args.out.shown());
    let text = match all {
        0 => lang.pick(
            format!("{shown}: the validators are still those of the genesis file"),
            format!("{shown}：驗證者仍與創世檔相同"),
        ),
        _ => lang.pick(
            format!(
                "{shown}: {} of the validator set, {new} of them new, each verified; the last took \
                 effect at height {height}",
                counted(all, "change")
            ),
            format!(
                "{shown}：驗證者集合變更 {all} 次，其中新增 {new} 次，均已驗證；最後一次於高度 \
                 {height} 生效"
            ),
        ),
    };
    let json = json!({
        "file": args.out.json(),
        "handovers": all,
        "new": new,
        "height": height,
    });
    args.format.print(&text, &json)
}
