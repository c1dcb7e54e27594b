"""The matrix as one page of HTML that stands alone: no resource from elsewhere, and nothing runs but its own filter."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from html import escape
from importlib.resources import files

from pysshd.policy.matrix import NO, Cell, Matrix, Ranges, Reason, Row


def page(found: Matrix, source: str) -> str:
    """The page. source: the name of the policy file, for its title."""
    style, script = _asset("matrix.css"), _asset("matrix.js")
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; "
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}form-action \'none\'">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>Who may do what: {escape(source)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            f"<h1>Who may do what <small>{escape(source)}</small></h1>",
            *_filters(found),
            *_table(found),
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _asset(name: str) -> str:
    return "\n" + (files("pysshd.cli") / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _filters(found: Matrix) -> Iterator[str]:
    groups = sorted({group for row in found.rows for group in row.groups})
    yield '<form id="filters" autocomplete="off">'
    yield '<label>Person <input id="person" type="search" placeholder="a part of the name"></label>'
    yield f'<label>Group <select id="group">{"".join(_options(groups, "any"))}</select></label>'
    yield f'<label>Permission <select id="permission">{"".join(_options(found.columns, "all"))}</select></label>'
    yield '<label>Source <input id="source" type="search" placeholder="an address"></label>'
    yield '<button type="reset">Show everything</button>'
    yield '<output id="count"></output>'
    yield "</form>"
    yield '<p id="fault" role="alert" hidden></p>'
    yield (
        '<p class="legend">yes: always. sometimes: under conditions. denied: one grant gives it, another one takes it. '
        "Open a mark to see the lines that say so, and under which conditions.</p>"
    )


def _options(values: Iterable[str], none: str) -> Iterator[str]:
    yield f'<option value="">{none}</option>'
    for value in values:
        yield f'<option value="{escape(value)}">{escape(value)}</option>'


def _table(found: Matrix) -> Iterator[str]:
    yield '<div class="scroll"><table>'
    heads = "".join(f'<th scope="col" data-column="{escape(column)}">{escape(column)}</th>' for column in found.columns)
    yield f'<thead><tr><th scope="col">person</th>{heads}</tr></thead>'
    yield "<tbody>"
    for row in found.rows:
        yield from _row(row, found.columns)
    yield "</tbody></table></div>"


def _row(row: Row, columns: Iterable[str]) -> Iterator[str]:
    yield f'<tr data-person="{escape(row.person)}" data-groups="{escape(" ".join(row.groups))}">'
    groups = "".join(f"<li>{escape(group)}</li>" for group in row.groups)
    more = f'<ul class="groups">{groups}</ul>' if groups else ""
    more += f"<small>{escape(row.window)}</small>" if row.window else ""
    yield f'<th scope="row" title="{escape(row.where)}">{escape(row.person)}{more}</th>'
    for column in columns:
        yield _cell(column, row.cell(column))
    yield "</tr>"


def _cell(column: str, cell: Cell) -> str:
    start = f'<td data-column="{escape(column)}" data-state="{escape(cell.state)}">'
    if cell.state == NO:
        return f'{start}<span class="mark">–</span></td>'
    reasons = "".join(_reason(reason) for reason in cell.reasons)
    mark = f'<summary class="mark">{escape(cell.state)}</summary>'
    return f"{start}<details>{mark}<ul>{reasons}</ul></details></td>"


def _reason(reason: Reason) -> str:
    kind = "allow" if reason.allows else "deny"
    sources = f' data-sources="{_ranges(reason.sources)}"' if reason.sources is not None else ""
    others = f' data-others="{_ranges(reason.others)}"' if reason.others else ""
    conditions = f'<span class="conditions">{escape(reason.conditions)}</span>' if reason.conditions else ""
    where = f'<span class="where">{escape(reason.name)}, {escape(reason.where)}</span>'
    flags = (' data-bare=""' if reason.bare else "") + (' data-whole=""' if reason.whole else "")
    what = f"<code>{'' if reason.allows else 'not '}{escape(reason.what)}</code>"
    return f'<li data-kind="{kind}"{sources}{others}{flags}>{what}{conditions}{where}</li>'


def _ranges(ranges: Ranges) -> str:
    return " ".join(f"{version}:{first:x}-{last:x}" for version, first, last in ranges)
