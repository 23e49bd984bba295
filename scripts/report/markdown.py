# SPDX-License-Identifier: GPL-2.0-only
"""A document as Markdown, for a pull request. Charts are left out."""
import html
import re

from . import pagemap, text
from .document import (MANY_ROWS, Charts, Figures, Pages, Row, Side, Table, Text, Verdict,
                       Warnings)

SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&])")


def escape(words):
    """Plain text, whatever it holds."""
    return SPECIAL.sub(r"\\\1", words)


def row(cells):
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"


def table(block):
    """A table; the end of a marked row is bold."""
    yield row(escape(name) for name in block.names())
    yield row("---:" if block.is_number(i) else ":---" for i in range(len(block.columns)))
    for line in block.rows:
        cells = [escape(cell) for cell in line.cells]
        if line.mark and cells[-1]:
            cells[-1] = f"**{cells[-1]}**"
        yield row(cells)


def pages(block):
    """The map of pages as a table."""
    return Table(block.title, ["page", "holds", "with the module"], [
        Row([f"0x{line.before.start:x}" if line.before else text.UNKNOWN,
             ", ".join(pagemap.words(owner) for owner in line.before.owners)
             if line.before else text.UNKNOWN,
             "; ".join(f"0x{page.start:x}: {', '.join(map(pagemap.words, page.owners))}"
                       for page in line.after) or text.UNKNOWN])
        for line in block.lines])


def write_block(block):
    """The lines of a block."""
    if isinstance(block, Pages):
        block = pages(block)
    if isinstance(block, Verdict):
        yield f"**{block.verdict.upper()}:** {escape(block.why)}"
    elif isinstance(block, Text):
        yield f"*{escape(block.text)}*" if block.note else escape(block.text)
    elif isinstance(block, Warnings):
        yield f"> **{escape(block.title)}**"
        yield ">"
        for line in block.lines:
            yield f"> - {escape(line)}"
    elif isinstance(block, Figures):
        for number, what in block.figures:
            yield f"- **{escape(number)}** {escape(what)}"
    elif isinstance(block, Table) and (block.folded or len(block.rows) > MANY_ROWS):
        yield f"<details><summary>{html.escape(block.title)}</summary>"
        yield ""
        yield from table(block)
        yield ""
        yield "</details>"
    elif isinstance(block, Side):
        for i, one in enumerate(block.tables):
            yield from [""] * bool(i)
            yield from write_block(one)
    elif isinstance(block, Table):
        yield f"**{escape(block.title)}**"
        yield ""
        yield from table(block)


def write(document):
    """The whole document as text."""
    blocks = [[f"## {escape(document.title)}"], [escape(document.subtitle)]]
    blocks += [list(write_block(block)) for block in document.top]
    for section in document.sections:
        blocks.append([f"### {escape(section.title)}"])
        blocks += [list(write_block(block)) for block in section.blocks
                   if not isinstance(block, Charts)]
    blocks += [list(write_block(block)) for block in document.footer]
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"
