#!/usr/bin/env python3
"""Checks the documents of this repository. Each rule is a function from texts to complaints, and
`test_check.py` shows each rule a bad example.

    tests/book/check.py            all rules
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "docs/book"))
import pages  # noqa: E402

WORDS_MAX = 60
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(([^()\s]+)\)")
INLINE = re.compile(r"`([^`\n]+)`")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")

# Words of Chinese that are not used, and the one that is. The pages that say so are excepted.
REPLACED = {
    "投票權重": "投票權",
    "表決權重": "投票權",
    "議案": "動議",
    "無法判定": "無法判斷",
    "雜湊值": "雜湊 or 摘要",
    "哈希": "雜湊",
    "帳號": "帳戶",
    "用戶端": "客戶端",
    "納入證明": "位置證明",
    "網絡": "網路",
    "軟件": "軟體",
    "硬件": "硬體",
    "服務器": "伺服器",
    "數據庫": "資料庫",
    "默認": "預設",
    "信息": "訊息 or 資訊",
    "視頻": "影片",
    "字節": "位元組",
    "鏈接": "連結",
    "內存": "記憶體",
    "線程": "執行緒",
}
# Characters of simplified Chinese that traditional Chinese does not have.
SIMPLIFIED = set(
    "们这为发会国与务义链验证书签数据节点络认关开东车门问间见说话请读写对将应该当还进过运动无实现权时块区户"
    "检计记设许论识语调试诉评译词详误资质费赛赞贴贺账货购贵败贯负责财页顶项顺须预领频题额风飞马鱼鸟龙变电"
    "脑视网业产亿个习乡买乱争亚仅众优传伤体储儿党兰"
)


def headings(text):
    """Level and words of each heading outside fenced code."""
    found, fence = [], None
    for line in text.split("\n"):
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        if mark and (fence is None or line.strip() == fence):
            fence = None if fence else mark.group(1)
        elif not fence and (match := re.match(r"(#+) (.+)", line)):
            found.append((len(match.group(1)), match.group(2).strip()))
    return found


def anchors(text):
    """What `#…` may say in a link to a page."""
    seen = {}
    for _, words in headings(text):
        slug = pages.slug(words)
        count = seen.get(slug)
        seen[slug if count is None else f"{slug}-{count}"] = 0
        seen[slug] = 1 if count is None else count + 1
    return set(seen)


def links(text):
    """Targets of links outside code, with their lines."""
    prose = []
    pages.outside_code(text, lambda line: prose.append(line) or line)
    for line in prose:
        yield from LINK.findall(INLINE.sub("`code`", line))


def check_links(files):
    """Links between files; `files` are texts by path, or None for what is there and no text."""
    complaints = []
    known = {path: anchors(text) for path, text in files.items() if text is not None}
    folders = {str(parent) for path in files for parent in Path(path).parents}
    for path, text in files.items():
        if text is None or not path.endswith(".md"):
            continue
        for target in links(text):
            where, _, anchor = target.partition("#")
            if ":" in where:
                continue
            to = path if not where else normal(Path(path).parent / where)
            if to not in files and to not in folders:
                complaints.append(f"{path}: `{target}` leads nowhere")
            elif anchor and anchor not in known.get(to, set()):
                complaints.append(f"{path}: {to} has no heading `#{anchor}`")
    return complaints


def normal(path):
    parts = []
    for part in path.parts:
        if part == "..":
            parts = parts[:-1] if parts and parts[-1] != ".." else parts + [part]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def check_twins(summaries, books):
    """Both languages have the same pages, in one order, and the same headings."""
    complaints = []
    first, second = pages.LANGUAGES
    listed = {
        language: [(len(indent), name) for indent, name in
                   re.findall(r"^( *)-? ?\[[^\]]+\]\(([^)]+)\)", text, re.M)]
        for language, text in summaries.items()
    }
    if listed[first] != listed[second]:
        complaints.append(f"SUMMARY.md of {first} and {second} list other pages, or in another order")
    for language, book in books.items():
        names = {name for _, name in listed[language]}
        for name in sorted(names ^ (set(book) - {"SUMMARY.md"})):
            complaints.append(f"{language}/{name}: SUMMARY.md and the folder differ")
    for name in sorted(set(books[first]) & set(books[second])):
        if name == "SUMMARY.md":
            continue
        levels = [[level for level, _ in headings(book[name])] for book in books.values()]
        if levels[0] != levels[1]:
            complaints.append(
                f"{name}: {len(levels[0])} headings in {first}, {len(levels[1])} in {second}, "
                "or at other levels"
            )
    return complaints


def commands(text):
    """Command lines that begin with `tbsi`: in blocks of code and in the text."""
    block, fence, before = [], None, ""
    prose = []
    for line in text.split("\n"):
        mark = re.match(r"\s*(`{3,}|~{3,})(\w*)", line)
        if mark and (fence is None or line.strip() == fence[0]):
            fence = None if fence else (mark.group(1), mark.group(2))
            continue
        indented = not fence and line.startswith("    ") and not re.match(r"\s*([-*]|\d+\.) ", line)
        if fence and fence[1] == "text":
            continue
        if fence or indented:
            before += line.strip()
            if before.endswith("\\"):
                before = before[:-1] + " "
                continue
            block.append(before)
            before = ""
        else:
            prose.append(line)
    for line in block:
        for piece in re.split(r"[|;]|&&|\$\(|^\$ ", line.split(" # ")[0].split("  #")[0]):
            piece = re.sub(r"^\s*(sudo (-u \w+ )?|exec |ExecStart=\S*/)", "", piece.strip().lstrip('"('))
            if piece.startswith("tbsi "):
                # What a substitution closes with is not the command's.
                closed = piece.count(")") > piece.count("(")
                yield piece[: piece.rindex(")")] if closed else piece
    for line in prose:
        yield from (code for code in INLINE.findall(line) if code.startswith("tbsi "))


def check_commands(texts, help_of):
    """Commands and flags are those of the program; `help_of` is what each command says."""
    complaints = []
    for path, text in texts.items():
        for line in commands(text):
            for complaint in wrong(line, help_of):
                complaints.append(f"{path}: `{line}`: {complaint}")
    return complaints


def wrong(line, help_of):
    try:
        words = shlex.split(line.replace("…", " ").replace("...", " "), comments=True)
    except ValueError as error:
        return [str(error)]
    return wrong_words(words[1:], "tbsi", help_of)


def wrong_words(words, command, help_of):
    """What is wrong with what follows a command."""
    while words:
        group = "\nCommands:\n" in help_of[command]
        if not group or words[0].startswith("-"):
            break
        # `a|b|c` stands for three commands, with what follows for each.
        choices = words[0].split("|")
        if len(choices) > 1:
            every = (wrong_words([it] + words[1:], command, help_of) for it in choices)
            return [complaint for one in every for complaint in one]
        if re.fullmatch(r"[A-Z]+", words[0]):
            return []
        if f"{command} {words[0]}" not in help_of:
            return [f"there is no command `{command} {words[0]}`"]
        command, words = f"{command} {words[0]}", words[1:]
    said = set(FLAG.findall(help_of[command]))
    given = [word.split("=")[0] for word in words if word.startswith("--")]
    return [f"`{command}` has no {flag}" for flag in given if flag not in said]


def check_words(texts):
    complaints = []
    for path, text in texts.items():
        for index, line in enumerate(text.split("\n"), 1):
            for word, instead in REPLACED.items():
                if word in line:
                    complaints.append(f"{path}:{index}: say {instead} instead of {word}")
            for letter in sorted(SIMPLIFIED & set(line)):
                complaints.append(f"{path}:{index}: {letter} is simplified Chinese")
    return complaints


def check_sentences(texts):
    """English sentences have at most `WORDS_MAX` words. Code counts as one word."""
    complaints = []
    for path, text in texts.items():
        prose = []
        pages.outside_code(text, lambda line: prose.append(line) or line)
        for line in prose:
            if line.startswith("    ") and not re.match(r"\s*([-*]|\d+\.) ", line):
                continue
            for cell in line.split(" | ") if line.startswith("|") else [line]:
                for sentence in re.split(r"(?<=[.!?])\)?\*{0,2} +(?=[A-Z*`\"(\[])", INLINE.sub("`c`", cell)):
                    count = sum(1 for word in sentence.split() if re.search(r"\w", word))
                    if count > WORDS_MAX:
                        complaints.append(f"{path}: {count} words in one sentence: {sentence[:60]}…")
    return complaints


def check_contents(spec):
    """The list at the top of the specification is that of its sections."""
    listed = re.findall(r"^- \[(\d+\. [^\]]+)\]\(#", spec, re.M)
    sections = [words for level, words in headings(spec) if level == 2 and words[0].isdigit()]
    if listed == sections:
        return []
    return ["SPEC.md: Contents and sections differ: " + ", ".join(
        sorted(set(listed) ^ set(sections)) or ["their order"])]


def check_records(files):
    """Records of decisions are numbered, dated, have their parts and are in the list."""
    complaints = []
    index = files.get("README.md", "")
    records = sorted(name for name in files if name != "README.md")
    for number, name in enumerate(records, 1):
        text = files[name]
        if not name.startswith(f"{number:04}-") or not text.startswith(f"# {number}. "):
            complaints.append(f"{name}: it is record {number}, and name and title have to say so")
        if not re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: ", text, re.M):
            complaints.append(f"{name}: has no line `Date: YYYY-MM-DD. Status: …`")
        for part in ("**Decision.**", "**Why.**", "**What follows.**"):
            if part not in text:
                complaints.append(f"{name}: has no part {part}")
        if f"({name})" not in index:
            complaints.append(f"{name}: is not in README.md")
    return complaints


def tracked():
    """All files of the repository; texts of those that have one."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = {}
    for path in filter(None, listed.split("\0")):
        file = ROOT / path
        if file.exists():
            readable = path.endswith((".md", ".rs", ".ts", ".txt", ".sh", ".html"))
            files[path] = file.read_text(encoding="utf-8") if readable else None
    return files


def helps():
    texts = {}
    for page in pages.HELP.glob("*.txt"):
        texts[pages.heading_of(page.stem)] = page.read_text(encoding="utf-8")
    return texts


def book_files(language, book):
    """The book as mdBook sees it: pages beside their drawings."""
    drawings = pages.folder(language).glob("drawings/*")
    files = {f"drawings/{drawing.name}": None for drawing in drawings}
    # What leads to the other language's book is the concern of that book's own pages.
    outside = re.compile(r"\]\(\.\./[^()\s]+\)")
    return files | {name: outside.sub("](:)", text) for name, text in book.items()}


def documents(files):
    return {path: text for path, text in files.items()
            if path.endswith(".md") and path != "CHANGELOG.md" and not path.startswith("docs/book/")}


def speaks_chinese(path):
    """Whether people read Chinese from it: not what says which words and letters are not used."""
    if "glossary" in path or "confusables" in path or path.startswith("tests/"):
        return False
    return path.endswith(".zh-TW.md") or path.startswith("docs/book/src/zh-TW/") or not path.endswith(".md")


def complaints_of_all():
    files = tracked()
    books = {language: pages.whole(language) for language in pages.LANGUAGES}
    summaries = {language: book["SUMMARY.md"] for language, book in books.items()}
    # Headings of pages that include others are known after that; files have to be there at once.
    raw = {path: re.sub(r"\]\(([^()\s#]+)#[^()\s]+\)", r"](\1)", text)
           if text and path.startswith("docs/book/") else text for path, text in files.items()}
    found = check_links(raw)
    for language, book in books.items():
        found += [f"{language}/{it}" for it in check_links(book_files(language, book))]
    found += check_twins(summaries, books)
    shown = {f"{language}/{name}": text for language, book in books.items()
             for name, text in book.items() if name != "cli.md"}
    found += check_commands(shown | documents(files), helps())
    found += check_words({path: text for path, text in files.items() if text and speaks_chinese(path)})
    english = {path: text for path, text in files.items() if text
               and path.startswith(("docs/book/src/en/", "docs/decisions/")) or path in ("SPEC.md", "CONTRIBUTING.md", "GOVERNANCE.md", "SECURITY.md", "docs/governance.md")}
    found += check_sentences(english)
    found += check_contents(files["SPEC.md"])
    found += check_records({Path(path).name: text for path, text in files.items()
                            if path.startswith("docs/decisions/")})
    return found


def main():
    found = complaints_of_all()
    for complaint in found:
        print(complaint, file=sys.stderr)
    if found:
        print(f"{len(found)} complaints about documents", file=sys.stderr)
        sys.exit(1)
    print("documents: links, commands, headings, words, sentences: passed")


if __name__ == "__main__":
    main()
