"""Each rule about documents is shown what it must complain about: a rule that never complains
looks just like one that is kept."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import check  # noqa: E402
import pages  # noqa: E402

HELP = {
    "tbsi": "Usage\n\nCommands:\n  keys\n",
    "tbsi keys": "Usage\n\nCommands:\n  new\n  show\n",
    "tbsi keys new": "Options:\n      --home <DIR>\n      --validator\n",
    "tbsi keys show": "Options:\n      --home <DIR>\n",
}


class Links(unittest.TestCase):
    def test_what_leads_nowhere_is_found(self):
        files = {
            "a.md": "# A\n[b](docs/b.md) [c](docs/c.md) [h](#none) [x](https://x.org)\n"
                    "```\n[in code](nowhere.md)\n```\n`[in code](nowhere.md)`\n",
            "docs/b.md": "# B\n## Two words\n[up](../a.md#a) [ok](#two-words) [bad](../a.md#b)\n",
        }
        self.assertEqual(check.check_links(files), [
            "a.md: `docs/c.md` leads nowhere",
            "a.md: a.md has no heading `#none`",
            "docs/b.md: a.md has no heading `#b`",
        ])

    def test_a_heading_twice_has_two_anchors(self):
        self.assertEqual(check.anchors("# A b\n## Same\n## Same\n## `x.y`: 中文\n"),
                         {"a-b", "same", "same-1", "xy-中文"})


class Twins(unittest.TestCase):
    SUMMARY = "# S\n\n[a](a.md)\n\n- [b](b.md)\n"

    def test_the_same_are_good(self):
        book = {"SUMMARY.md": "", "a.md": "# A\n## B\n", "b.md": "# B\n"}
        other = {"SUMMARY.md": "", "a.md": "# 甲\n## 乙\n", "b.md": "# 乙\n"}
        summaries = {"en": self.SUMMARY, "zh-TW": self.SUMMARY}
        self.assertEqual(check.check_twins(summaries, {"en": book, "zh-TW": other}), [])

    def test_what_differs_is_found(self):
        book = {"SUMMARY.md": "", "a.md": "# A\n## B\n", "b.md": "# B\n"}
        other = {"SUMMARY.md": "", "a.md": "# 甲\n### 乙\n", "c.md": "# 丙\n"}
        summaries = {"en": self.SUMMARY, "zh-TW": "# S\n\n[a](a.md)\n  - [b](b.md)\n"}
        self.assertEqual(check.check_twins(summaries, {"en": book, "zh-TW": other}), [
            "SUMMARY.md of en and zh-TW list other pages, or in another order",
            "zh-TW/b.md: SUMMARY.md and the folder differ",
            "zh-TW/c.md: SUMMARY.md and the folder differ",
            "a.md: 2 headings in en, 2 in zh-TW, or at other levels",
        ])


class Commands(unittest.TestCase):
    def test_they_are_found_wherever_they_stand(self):
        text = ("`tbsi keys new` and `tbsi_metric`\n\n    tbsi keys show --home H   # say\n\n"
                "```sh\nexport A=1; tbsi keys new \\\n  --home H | cat\neval \"$(tbsi keys show)\"\n```\n"
                "```text\nUsage: tbsi nothing\ntbsi nothing\n```\n")
        self.assertEqual(sorted(check.commands(text)), [
            "tbsi keys new", "tbsi keys new  --home H", "tbsi keys show", "tbsi keys show --home H",
        ])

    def test_right_ones_pass(self):
        for line in ("tbsi keys new --home H --validator", "tbsi keys new|show --home H",
                     "tbsi keys COMMAND --any", "tbsi keys new --home=H", "tbsi keys"):
            self.assertEqual(check.wrong(line, HELP), [], line)

    def test_wrong_ones_are_found(self):
        self.assertEqual(check.wrong("tbsi keys old", HELP), ["there is no command `tbsi keys old`"])
        self.assertEqual(check.wrong("tbsi key", HELP), ["there is no command `tbsi key`"])
        self.assertEqual(check.wrong("tbsi keys show --validator", HELP),
                         ["`tbsi keys show` has no --validator"])
        self.assertEqual(check.wrong("tbsi keys new|show --validator", HELP),
                         ["`tbsi keys show` has no --validator"])
        self.assertEqual(check.wrong("tbsi keys new --hom H", HELP), ["`tbsi keys new` has no --hom"])
        complaints = check.check_commands({"p.md": "`tbsi keys old`"}, HELP)
        self.assertEqual(complaints, ["p.md: `tbsi keys old`: there is no command `tbsi keys old`"])

    def test_the_program_has_commands(self):
        self.assertGreater(len(check.helps()), 100)
        self.assertIn("tbsi keys reset-sign-state", check.helps())
        self.assertIn("tbsi motion propose set-public-permissions", check.helps())


class Words(unittest.TestCase):
    def test_other_words_and_simplified_ones_are_found(self):
        self.assertEqual(check.check_words({"a.zh-TW.md": "投票權\n投票權重\n数据\n"}), [
            "a.zh-TW.md:2: say 投票權 instead of 投票權重",
            "a.zh-TW.md:3: 据 is simplified Chinese",
            "a.zh-TW.md:3: 数 is simplified Chinese",
        ])

    def test_long_sentences_are_found(self):
        good = "A " + "word " * 58 + "end. Another.\n"
        long = "A " + "word " * 60 + "end.\n"
        self.assertEqual(check.check_sentences({"a.md": good + "    " + long + "```\n" + long + "```\n"}), [])
        self.assertEqual(len(check.check_sentences({"a.md": long + "| a | " + long + "- " + long})), 3)


class Lists(unittest.TestCase):
    def test_contents_are_those_of_the_sections(self):
        good = "## Contents\n- [1. A](#1-a)\n- [2. B](#2-b)\n## 1. A\n### 1.1 C\n## 2. B\n"
        self.assertEqual(check.check_contents(good), [])
        self.assertEqual(check.check_contents(good.replace("## 2. B", "## 2. D")),
                         ["SPEC.md: Contents and sections differ: 2. B, 2. D"])

    def test_records_are_numbered_dated_and_listed(self):
        record = "# 1. T\n\nDate: 2026-11-21. Status: in force.\n\n**Decision.** **Why.** **What follows.**\n"
        files = {"README.md": "[1](0001-t.md)", "0001-t.md": record}
        self.assertEqual(check.check_records(files), [])
        files = {"README.md": "", "0002-t.md": "# 1. T\n**Why.** **What follows.**\n"}
        self.assertEqual(check.check_records(files), [
            "0002-t.md: it is record 1, and name and title have to say so",
            "0002-t.md: has no line `Date: YYYY-MM-DD. Status: …`",
            "0002-t.md: has no part **Decision.**",
            "0002-t.md: is not in README.md",
        ])


class Pages(unittest.TestCase):
    """What `docs/book/pages.py` makes of pages."""

    def relink(self, text):
        source = pages.ROOT / "docs/governance.md"
        held = {"docs/law.md": "law.md", "SPEC.md": "protocol.md", "docs/runbooks/a.md": "runbooks.md#a-b"}
        others = {"docs/law.zh-TW.md": "law.md", "docs/book/src/zh-TW/README.md": "README.md"}
        return pages.relink(text, source, "en", held, others)

    def test_links_lead_on(self):
        self.assertEqual(self.relink("[a](law.md#x) [b](../SPEC.md)"), "[a](law.md#x) [b](protocol.md)")
        self.assertEqual(self.relink("[a](runbooks/a.md) [b](runbooks/a.md#c)"),
                         "[a](runbooks.md#a-b) [b](runbooks.md#c)")
        self.assertEqual(self.relink("[a](law.zh-TW.md#x)"), "[a](../zh-TW/law.html#x)")
        self.assertEqual(self.relink("[a](https://x.org) [b](#b)"), "[a](https://x.org) [b](#b)")

    def test_what_is_not_in_the_book_is_named(self):
        self.assertEqual(self.relink("[its page](../sdk/go/README.md)"), "its page (`sdk/go/README.md`)")
        self.assertEqual(self.relink("```\n[a](law.md)\n```"), "```\n[a](law.md)\n```")

    def test_a_part_that_is_not_there_is_refused(self):
        text = "<!-- ANCHOR: a -->\none\n<!-- ANCHOR_END: a -->\n"
        self.assertEqual(pages.between(text, "a"), "one\n")
        with self.assertRaises(ValueError):
            pages.between(text, "b")

    def test_chapters_are_filled_in_whichever_form(self):
        for key in ("sections", "items"):
            chapter = {"content": "", "source_path": "a.md", "path": "a.md", "sub_items": []}
            book = {key: ["Separator", {"Chapter": chapter}]}
            pages.fill(book[key], {"a.md": "# A"})
            self.assertEqual(chapter["content"], "# A")

    def test_no_directive_is_left(self):
        for language in pages.LANGUAGES:
            for name, text in pages.whole(language).items():
                self.assertNotIn("{{#", text, f"{language}/{name}")


if __name__ == "__main__":
    unittest.main()
