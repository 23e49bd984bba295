# SPDX-License-Identifier: GPL-2.0-only
"""A document as one HTML page that needs nothing from anywhere else."""
import re
from html import escape

from . import charts, pagemap, text
from .document import Charts, Figures, Pages, Side, Table, Text, Verdict, Warnings

CSS = """
:root { --ink: #24292f; --muted: #5f6872; --line: #d9dee4; --soft: #f5f6f8;
  --worse: #a40e26; --better: #116329; --differs: #fff6d6; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 70rem; color: var(--ink);
  background: #fff; font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans",
  "DejaVu Sans", sans-serif; }
header { border-bottom: 2px solid var(--ink); padding-bottom: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; font-weight: 600; margin: 0; letter-spacing: -.01em;
  overflow-wrap: anywhere; }
header p { margin: .3rem 0 0; color: var(--muted); overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; font-weight: 600; margin: 3rem 0 .8rem; padding-bottom: .3rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: .95rem; font-weight: 600; margin: 0 0 .4rem; }
p { margin: .7rem 0; max-width: 44rem; }
p.note, footer { color: var(--muted); font-size: .87rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .9rem 0 0;
  padding: 0; font-size: .9rem; }
a { color: #0b57a4; text-decoration-thickness: 1px; text-underline-offset: .15em; }
dl.figures { display: flex; flex-wrap: wrap; gap: 1px; margin: 1.6rem 0;
  background: var(--line); border: 1px solid var(--line); }
dl.figures div { flex: 1 1 11rem; background: #fff; padding: .8rem 1rem; display: flex;
  flex-direction: column-reverse; justify-content: flex-end; }
dl.figures dd { margin: 0; font-size: 1.7rem; line-height: 1.25; font-weight: 600;
  font-variant-numeric: tabular-nums; letter-spacing: -.01em; }
dl.figures dt { color: var(--muted); font-size: .87rem; line-height: 1.4; }
aside { border-left: 4px solid #d29922; background: #fff8e6; padding: .7rem 1rem;
  margin: 1.2rem 0; }
aside ul { margin: .2rem 0 0; padding-left: 1.1rem; }
aside li { margin: .25rem 0; overflow-wrap: anywhere; }
aside h3 { margin: 0; }
.verdict { border-left: 4px solid; padding: .7rem 1rem; margin: 1.6rem 0; max-width: none; }
.verdict b { text-transform: uppercase; letter-spacing: .04em; margin-right: .4rem; }
.verdict.pass { border-color: var(--better); background: #eef7f0; }
.verdict.pass b { color: var(--better); }
.verdict.partial { border-color: #d29922; background: #fff8e6; }
.verdict.partial b { color: #7d4e00; }
.verdict.fail { border-color: var(--worse); background: #fdeff0; }
.verdict.fail b { color: var(--worse); }
.pages { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.6rem; margin: 1rem 0; }
.pages > h3 { border-bottom: 1px solid var(--ink); }
.pages > div { border-bottom: 1px solid var(--line); padding: .5rem 0; min-width: 0; }
.page { margin: .2rem 0 .6rem; font-size: .82rem; line-height: 1.35; }
.page code { color: var(--muted); font-family: inherit; font-variant-numeric: tabular-nums; }
.strip { display: flex; height: 1.1rem; margin: .15rem 0 .25rem; border: 1px solid #8c959f;
  background: #fff; }
.strip i { flex: 1 1 0; min-width: 0; background: var(--c, #fff); }
.strip i[class] { min-width: 7px; }
.strip i.spare { opacity: .28; }
.page ul { list-style: none; margin: 0; padding: 0; }
.page li { padding-left: 1rem; position: relative; overflow-wrap: anywhere; }
.page li > i { position: absolute; left: 0; top: .3em; width: .65rem; height: .65rem;
  background: var(--c); }
.page em { font-style: normal; color: var(--muted); }
PALETTE.scroll { overflow-x: auto; margin: .9rem 0 1.4rem; max-width: 100%;
  background: linear-gradient(to left, #fff 40%, #fff0) right / 2.5rem 100% no-repeat local,
    linear-gradient(to left, #24292f33, #24292f00) right / .7rem 100% no-repeat scroll; }
.side { display: flex; flex-wrap: wrap; gap: 0 3.5rem; align-items: flex-start; }
.scroll:focus-visible { outline: 2px solid #0b57a4; outline-offset: 2px; }
table { border-collapse: collapse; font-size: .87rem; line-height: 1.4; }
caption { text-align: left; font-weight: 600; padding: 0 0 .35rem; }
caption span { display: inline-block; max-width: calc(100vw - 3rem); }
th, td { padding: .28rem .8rem .28rem 0; text-align: left; vertical-align: top; font-weight: 400;
  border-bottom: 1px solid var(--line); white-space: nowrap; }
td.wrap { white-space: normal; min-width: 14rem; max-width: 34rem; overflow-wrap: anywhere; }
thead th, thead td { color: var(--muted); border-bottom: 1px solid var(--ink);
  vertical-align: bottom; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
tbody th { position: sticky; left: 0; background: #fff; font-variant-numeric: tabular-nums; }
tr.worse td:last-child { color: var(--worse); font-weight: 600; }
tr.better td:last-child { color: var(--better); font-weight: 600; }
tr.differs td, tr.differs th { background: var(--differs); }
details { margin: 1rem 0; }
summary { cursor: pointer; font-weight: 600; font-size: .9rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr));
  gap: 1.6rem 2rem; align-items: start; margin: 1rem 0; }
figure { margin: 0; min-width: 0; }
figcaption { font-weight: 600; font-size: .95rem; margin-bottom: .5rem; }
svg.chart { display: block; max-width: 100%; height: auto; }
svg.chart * { stroke-linejoin: round; stroke-linecap: butt; }
svg.chart text { font-family: inherit !important; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .6rem;
  overflow-wrap: anywhere; }
@media (max-width: 40rem) { body { padding: 1.2rem 1rem 3rem; font-size: 16px; }
  dl.figures div { flex-basis: 40%; padding: .6rem .7rem; }
  dl.figures dd { font-size: 1.35rem; } h1 { font-size: 1.35rem; } h2 { margin-top: 2.2rem; } }
@media print { body { max-width: none; } .scroll { overflow: visible; } }
"""

# Of devices; they differ for colour-blind readers too. Grey is anything else.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#a79a00", "#6a3d9a")
OTHER = "#8c959f"
PALETTE = "".join(f".c{i} {{ --c: {colour}; }}\n" for i, colour in enumerate((*COLOURS, OTHER)))

# A cell that is longer is wrapped; shorter ones are read better on one line.
LONG = 48


def anchor(title):
    """The id of a section."""
    return re.sub(r"[^a-z]+", "-", title.lower()).strip("-")


def cell(block, i, content):
    """A cell of a table; the first names the row."""
    kind = ' class="number"' if block.is_number(i) else ' class="wrap"' \
        if len(content) > LONG else ""
    if i == 0:
        return f'<th scope="row"{kind}>{escape(content)}</th>'
    return f"<td{kind}>{escape(content)}</td>"


def heading(block, i, name):
    """A cell of the head of a table."""
    kind = ' class="number"' if block.is_number(i) else ""
    return f'<th scope="col"{kind}>{escape(name)}</th>' if name else "<td></td>"


def table(block):
    """In a container of its own that scrolls, so that the page need not."""
    title = escape(block.title)
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{title}">'
    yield "<table>" + ("" if block.folded else f"<caption><span>{title}</span></caption>")
    yield "<thead><tr>" + "".join(heading(block, i, name) for i, name in
                                  enumerate(block.names())) + "</tr></thead>"
    yield "<tbody>"
    for row in block.rows:
        mark = f' class="{row.mark}"' if row.mark else ""
        yield f"<tr{mark}>" + "".join(cell(block, i, content) for i, content in
                                      enumerate(row.cells)) + "</tr>"
    yield "</tbody></table></div>"


def chart(block):
    """A chart with its title."""
    yield f"<figure><figcaption>{escape(block.title)}</figcaption>"
    yield charts.embed(block.draw(), block.name, escape(block.text))
    yield "</figure>"


def colour(devices, device):
    """The class of what a device has."""
    return f"c{devices.index(device) % len(COLOURS)}" if device in devices else f"c{len(COLOURS)}"


def strip(one, devices):
    """A page of the host."""
    yield f'<div class="page"><code>0x{one.start:x}</code><div class="strip" aria-hidden="true">'
    for piece in one.pieces():
        kind = f"{colour(devices, piece.owner)}{' spare' * piece.spare}" if piece.owner else ""
        yield f'<i{kind and f" class={chr(34)}{kind}{chr(34)}"} style="flex-grow:{piece.size}"></i>'
    yield "</div><ul>"
    for owner in one.owners:
        title = f" <em>{escape(text.short(owner.title))}</em>" if owner.title else ""
        yield (f'<li><i class="{colour(devices, owner.device)}"></i>{escape(owner.name)}{title} '
               f"<b>{escape(owner.state)}</b></li>")
    yield "</ul></div>"


def pages(block):
    """A line for each page: what was in it, and where that is now."""
    devices = pagemap.devices(block.lines)
    yield f"<h3>{escape(block.title)}</h3>"
    yield '<div class="pages"><h3>without the module</h3><h3>with the module</h3>'
    for line in block.lines:
        for side in ([line.before] if line.before else [], line.after):
            yield "<div>"
            for one in side:
                yield from strip(one, devices)
            yield "" if side else "<p>not measured</p>"
            yield "</div>"
    yield f'</div><p class="note">{escape(block.note)}</p>'


def write_block(block):
    """The lines of a block."""
    if isinstance(block, Text):
        yield f'<p class="note">{escape(block.text)}</p>' if block.note else \
            f"<p>{escape(block.text)}</p>"
    elif isinstance(block, Verdict):
        yield (f'<p class="verdict {block.verdict}"><b>{block.verdict}</b> '
               f"{escape(block.why)}</p>")
    elif isinstance(block, Pages):
        yield from pages(block)
    elif isinstance(block, Warnings):
        yield f'<aside aria-label="{escape(block.title)}"><h3>{escape(block.title)}</h3><ul>'
        yield from (f"<li>{escape(line)}</li>" for line in block.lines)
        yield "</ul></aside>"
    elif isinstance(block, Figures):
        yield '<dl class="figures">'
        for number, what in block.figures:
            yield f"<div><dt>{escape(what)}</dt><dd>{escape(number)}</dd></div>"
        yield "</dl>"
    elif isinstance(block, Table) and block.folded:
        yield f"<details><summary>{escape(block.title)}</summary>"
        yield from table(block)
        yield "</details>"
    elif isinstance(block, Table):
        yield from table(block)
    elif isinstance(block, Side):
        yield '<div class="side">'
        for one in block.tables:
            yield from table(one)
        yield "</div>"
    elif isinstance(block, Charts) and block.charts:
        yield f"<details><summary>{escape(block.title)}</summary>" if block.title else ""
        yield '<div class="charts">'
        for one in block.charts:
            yield from chart(one)
        yield "</div>"
        yield f'<p class="note">{escape(block.note)}</p>' if block.note else ""
        yield "</details>" if block.title else ""


def lines(document):
    """The page."""
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(document.title)}</title>"
    yield f"<style>{CSS.replace('PALETTE', PALETTE)}</style></head><body>"
    yield f"<header><h1>{escape(document.title)}</h1><p>{escape(document.subtitle)}</p>"
    yield '<nav aria-label="Sections"><ul>'
    for section in document.sections:
        yield f'<li><a href="#{anchor(section.title)}">{escape(section.title)}</a></li>'
    yield "</ul></nav></header><main>"
    for block in document.top:
        yield from write_block(block)
    for section in document.sections:
        yield f'<section id="{anchor(section.title)}"><h2>{escape(section.title)}</h2>'
        for block in section.blocks:
            yield from write_block(block)
        yield "</section>"
    yield "</main><footer>"
    for block in document.footer:
        yield from write_block(block)
    yield "</footer></body></html>"


def write(document):
    """The whole page as text."""
    return "\n".join(lines(document)) + "\n"
