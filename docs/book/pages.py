#!/usr/bin/env python3
"""Prepares the pages of the book, as a preprocessor of mdBook.

Pages that exist elsewhere in the repository are included, not written twice. mdBook would leave
their links as they are, and those lead nowhere from where the book is. So these directives are
carried out here, with links that hold in the book:

    {{#include ../../../governance.md:3:}}   a page from its third line on, without its title
    {{#include ../../../../README.md:node}}  what stands between ANCHOR: node and ANCHOR_END: node
    {{#pages ../../../runbooks}}             all pages of a folder, one after the other
    {{#help}}                                what each command says with --help

A link to a page of the book leads there, a link to a page of the other language's book to that,
and a link to anything else becomes its text with the path behind it.
"""

import json
import re
import sys
from pathlib import Path

BOOK = Path(__file__).resolve().parent
ROOT = BOOK.parent.parent
LANGUAGES = ("en", "zh-TW")
HELP = ROOT / "node/cli/tests/help"

INCLUDE = re.compile(r"^\{\{#include (\S+?\.md)(?::([\w-]+))?(:)?\}\}$", re.M)
PAGES = re.compile(r"^\{\{#pages (\S+)\}\}$", re.M)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")


def folder(language):
    return BOOK / "src" / language


def inside(path):
    """Where a file is in the repository."""
    return path.resolve().relative_to(ROOT).as_posix()


def directory(path, language):
    """The pages of a folder in a language, without its index: `x.zh-TW.md` is `x.md` in Chinese,
    which stands for itself where nobody has translated it."""
    pages = []
    for page in sorted(path.glob("*.md")):
        if page.name == "README.md" or page.name.endswith(".zh-TW.md"):
            continue
        translated = page.with_name(f"{page.stem}.zh-TW.md")
        pages.append(translated if language != "en" and translated.exists() else page)
    return pages


def slug(words):
    """What a link says of a heading: as Git forges and mdBook have it."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", words)
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", words.lower()))


def owners(language):
    """Which page of the book holds which file of the repository; of a folder's pages, where."""
    held = {}
    for page in sorted(folder(language).glob("*.md")):
        held[inside(page)] = page.name
        text = page.read_text(encoding="utf-8")
        for path, anchor, rest in INCLUDE.findall(text):
            if rest or not anchor:
                held[inside(page.parent / path)] = page.name
        for path in PAGES.findall(text):
            for found in directory(page.parent / path, language):
                title = re.search(r"^# (.+)$", found.read_text(encoding="utf-8"), re.M)
                held[inside(found)] = f"{page.name}#{slug(title.group(1))}"
    return held


def outside_code(text, change):
    """Applies `change` to the lines that are not in a fenced block."""
    lines, fence = [], None
    for line in text.split("\n"):
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        if mark and (fence is None or line.strip() == fence):
            fence = None if fence else mark.group(1)
            lines.append(line)
        else:
            lines.append(line if fence else change(line))
    return "\n".join(lines)


def relink(text, source, language, held, others):
    """The text of a file as it stands in the book: its links lead on from there."""

    def lead(match):
        picture, words, target = match.groups()
        path, _, anchor = target.partition("#")
        if picture or not path or ":" in path:
            return match.group(0)
        where = inside(source.parent / path)
        behind = f"#{anchor}" if anchor else ""
        page, _, part = (held.get(where) or others.get(where) or "").partition("#")
        behind = behind or (f"#{part}" if part else "")
        if where in held:
            return f"[{words}]({page}{behind})"
        if where in others:
            other = LANGUAGES[1 - LANGUAGES.index(language)]
            page = page.removesuffix(".md").replace("README", "index")
            return f"[{words}](../{other}/{page}.html{behind})"
        return words if where in words else f"{words} (`{where}`)"

    return outside_code(text, lambda line: LINK.sub(lead, line))


def between(text, anchor):
    """What stands between two marks."""
    found = re.search(
        rf"^<!-- ANCHOR: {re.escape(anchor)} -->\n(.*?)^<!-- ANCHOR_END: {re.escape(anchor)} -->$",
        text,
        re.M | re.S,
    )
    if not found:
        raise ValueError(f"there is no ANCHOR: {anchor} with an ANCHOR_END")
    return found.group(1)


def included(source, anchor, rest):
    text = source.read_text(encoding="utf-8")
    if not anchor:
        return text
    if not rest:
        return between(text, anchor)
    return "\n".join(text.split("\n")[int(anchor) - 1 :])


def lowered(text):
    """Headings one level lower."""
    return outside_code(text, lambda line: f"#{line}" if re.match(r"#+ ", line) else line)


def helps():
    """What each command says with `--help`, as the test of the program keeps it."""
    parts = []
    for page in sorted(HELP.glob("*.txt"), key=lambda page: page.stem.replace("-", " ")):
        words = heading_of(page.stem)
        parts.append(f"## {words}\n\n```text\n{page.read_text(encoding='utf-8').rstrip()}\n```\n")
    return "\n".join(parts)


def is_group(page):
    return page.exists() and "\nCommands:\n" in page.read_text(encoding="utf-8")


def heading_of(stem):
    """`tbsi-keys-reset-sign-state` is `tbsi keys reset-sign-state`: groups have files of their own."""
    words, known = [], ""
    for part in stem.split("-"):
        if words and is_group(HELP / f"{known}.txt"):
            words.append(part)
        elif words:
            words[-1] += f"-{part}"
        else:
            words = [part]
        known = f"{known}-{part}" if known else part
    return " ".join(words)


def expand(text, page, language, held, others):
    """A page with its directives carried out."""

    def include(match):
        path, anchor, rest = match.groups()
        source = page.parent / path
        return relink(included(source, anchor, rest), source, language, held, others).strip("\n")

    def pages(match):
        parts = []
        for source in directory(page.parent / match.group(1), language):
            body = source.read_text(encoding="utf-8")
            parts.append(lowered(relink(body, source, language, held, others)).strip("\n"))
        return "\n\n".join(parts)

    # Its own links first: those of what is included are told from where it comes.
    text = relink(text, page, language, held, others)
    text = INCLUDE.sub(include, text)
    text = PAGES.sub(pages, text)
    return text.replace("{{#help}}", helps())


def whole(language):
    """All pages of a language's book by name, as readers see them."""
    other = LANGUAGES[1 - LANGUAGES.index(language)]
    held, others = owners(language), owners(other)
    return {
        page.name: expand(page.read_text(encoding="utf-8"), page, language, held, others)
        for page in sorted(folder(language).glob("*.md"))
    }


def fill(items, pages):
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter:
            path = chapter.get("source_path") or chapter.get("path")
            if path:
                chapter["content"] = pages[Path(path).name]
            fill(chapter["sub_items"], pages)


def main():
    if sys.argv[1:2] == ["supports"]:
        return
    context, book = json.load(sys.stdin)
    language = Path(context["config"]["book"]["src"]).name
    # mdBook 0.4 says `sections`, 0.5 `items`.
    fill(book.get("items") or book.get("sections"), whole(language))
    json.dump(book, sys.stdout)


if __name__ == "__main__":
    main()
