"""The commands that the documentation holds."""

import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt

from helpers.project import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OURS = re.compile(r"(dvc|make|python -m (stages|benchmarks)\.\w+)(?=\s|$)")
SHELLS = ("", "sh", "bash", "console")  # of a fenced block


def commands(page: Path) -> Iterator[str]:
    """The lines of a page that are commands of this project, in blocks and in running text."""
    added = re.findall(r"^\+ +([\w-]+): \{|^\+ +\"(\w+)\":", page.read_text("utf-8"), re.MULTILINE)
    blocks = re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    added += [(name, "") for block in blocks for name in re.findall(r"^ +([\w-]+):", block, re.MULTILINE)]
    invented = {name for names in added for name in names if name}  # entries and losses that a page adds
    for token in MarkdownIt("commonmark").parse(page.read_text("utf-8")):
        lines = list[str]()
        if token.type == "fence" and token.info.strip() in SHELLS:
            lines = token.content.replace("\\\n", " ").splitlines()
            if any(line.startswith("$ ") for line in lines):  # the others are what was printed
                lines = [line[2:] for line in lines if line.startswith("$ ")]
        elif token.type == "inline":
            lines = [each.content for each in token.children or [] if each.type == "code_inline"]
        for line in lines:
            known = not any(re.search(rf"(?<![\w-]){name}(?![\w])", line) for name in invented)
            if OURS.match(line.strip()) and known and not re.search(r"<\w+>|…|\.\.\.", line):
                yield line.strip()
