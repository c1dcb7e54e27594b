"""`pysshd matrix`: the table, the data, and the page, which stands alone."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pysshd.cli.matrix_html import page
from pysshd.cli.matrix_text import fit, pad, table, width
from pysshd.policy.matrix import SOMETIMES, YES, Cell, Matrix, Reason, Row
from tests.cli.test_commands import run
from tests.cli.test_diff import written
from tests.docs.pages import ROOT
from tests.policy.support import PEOPLE

EVIL = "</script><script>alert(1)</script>\"'&<img src=x onerror=alert(1)>"
GRANTS = (
    "grants:\n"
    "  - {name: lists, who: alice, allow: {exec: ls, confined: true}}\n"
    "  - {name: terminals, who: group:ops, from: 10.0.0.0/8, allow: {pty: true}}\n"
    "  - {name: none-here, who: bob, from: 10.1.0.0/16, deny: {pty: true}}\n"
)


def test_the_table(tmp_path: Path) -> None:
    (file,) = written(tmp_path, policy=PEOPLE + GRANTS)
    ended = run("matrix", file, COLUMNS="300")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.decode().replace(file, "F") == (
        "person  login  exec  pty\n"
        "alice   yes    yes   if 1\n"
        "bob     yes    -     if 1,2\n"
        "carol   yes    -     -\n"
        "\n"
        "  1  from: 10.0.0.0/8  F:10\n"
        "  2  denied: pty: true (from: 10.1.0.0/16)  F:11\n"
        "\n"
        "if N: as note N says; denied N: given, and taken by note N; -: not at all\n"
    )


def test_the_data(tmp_path: Path) -> None:
    (file,) = written(tmp_path, policy=PEOPLE + GRANTS)
    found = json.loads(run("matrix", "--json", file).stdout)
    assert found["columns"] == ["login", "exec", "pty"]
    bob = next(row for row in found["people"] if row["person"] == "bob")
    assert bob["cells"]["pty"]["state"] == SOMETIMES
    assert bob["cells"]["pty"]["reasons"][0] == {
        "allows": True, "what": "pty: true", "conditions": "from: 10.0.0.0/8", "where": f"{file}:10",
        "name": "terminals",
    }  # fmt: skip


def test_what_can_not_be_shown(tmp_path: Path) -> None:
    bad, good = written(tmp_path, bad="version: 1\nnonsense: 1\n", good=PEOPLE)
    ended = run("matrix", bad)
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert b"nonsense" in ended.stderr
    ended = run("matrix", good, "--html", str(tmp_path / "no" / "page.html"))
    assert ended.returncode != 0
    assert b"can not be written" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_the_page_is_written(tmp_path: Path) -> None:
    (file,) = written(tmp_path, policy=PEOPLE + GRANTS)
    ended = run("matrix", file, "--html", str(tmp_path / "page.html"))
    assert (ended.returncode, ended.stdout) == (0, b"")
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")


# The table of a terminal


def row(person: str, **cells: Cell) -> Row:
    return Row(person, (), "p.yaml:1", "", dict(cells))


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0)])
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns
    assert width(pad(text, 8)) == 8


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 4, "日…"), ("日本語", 5, "日本…")],
)
def test_fit(text: str, columns: int, expected: str) -> None:
    assert fit(text, columns) == expected
    assert width(fit(text, columns)) <= columns


@pytest.mark.parametrize("columns", [1, 24, 40, 60, 200])
def test_the_table_fits(columns: int) -> None:
    names = [f"subsystem s{number}" for number in range(12)]
    reason = Reason(True, "x", "from: 日本, with: publickey", "p.yaml:7", "g")
    cells = {name: Cell(SOMETIMES, (reason,)) for name in names}
    found = Matrix(tuple(names), (row("日本" * 20, **cells), row("bob")))
    text = table(found, columns)
    assert max(map(width, text.splitlines())) <= max(columns, 40)
    assert all(name in text for name in names)
    assert "p.yaml:7" in text


# The page


class Reader(HTMLParser):
    """Notes the tags of a page, what they say, and the texts of its style and its script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open = tag

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open, []).append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def evil() -> Reader:
    reason = Reason(True, EVIL, EVIL, EVIL, EVIL, ((4, 1, 2), (6, 3, 4)), ((4, 5, 255),), bare=True, whole=True)
    one = Row(EVIL, (EVIL,), EVIL, EVIL, {EVIL: Cell(YES, (reason,))})
    return Reader(page(Matrix((EVIL, "other"), (one,)), EVIL))


def test_what_people_write_stays_text() -> None:
    found = evil()
    assert len(found.of("script")) == 1
    assert found.of("img") == []
    assert EVIL in "".join(found.texts["code"])
    assert [attributes["data-person"] for attributes in found.of("tr") if "data-person" in attributes] == [EVIL]


def test_nothing_comes_from_elsewhere_and_no_handler_is_inline() -> None:
    found = evil()
    for tag, attributes in found.tags:
        assert not {name for name in attributes if name.startswith("on")}, tag
        assert not {"src", "href", "style", "action", "srcset", "data"} & set(attributes), tag
    style, script = "".join(found.texts["style"]), "".join(found.texts["script"])
    assert not re.search(r"url\(|@import|https?:", style)
    assert not re.search(r"https?:|\beval\b|innerHTML|fetch\(|import\(", script)


def test_the_page_allows_its_own_style_and_script_alone() -> None:
    found = evil()
    (policy,) = (one["content"] for one in found.of("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    for kind in ("style", "script"):
        digest = b64encode(sha256("".join(found.texts[kind]).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_the_page_says_all_that_its_filter_reads() -> None:
    found = evil()
    ids = {attributes["id"] for _, attributes in found.tags if "id" in attributes}
    script = (ROOT / "pysshd" / "cli" / "matrix.js").read_text("utf-8")
    assert set(re.findall(r'getElementById\("(\w+)"\)', script)) <= ids
    assert {"person", "group", "permission", "source"} <= ids
    (reason,) = (attributes for attributes in found.of("li") if "data-kind" in attributes)
    assert reason == {
        "data-kind": "allow", "data-sources": "4:1-2 6:3-4", "data-others": "4:5-ff", "data-bare": "", "data-whole": "",
    }  # fmt: skip
    assert {one["data-state"] for one in found.of("td")} == {"yes", "no"}
    labels = {unescape(one["value"] or "") for one in found.of("option")}
    assert {EVIL, "other", ""} <= labels


def test_light_and_dark() -> None:
    style = "".join(evil().texts["style"])
    assert "prefers-color-scheme: dark" in style


def test_times_of_several_people_stand_together() -> None:
    until = "until 2027-04-01T00:00+00:00"
    rows = tuple(replace(row(name), window=until, where=f"p.yaml:{name}") for name in ("1", "2"))
    text = table(Matrix((), (*rows, replace(row("3"), window="from 2026-01-01", where="p.yaml:3"))), 80)
    assert text.splitlines()[-2:] == [f"     1, 2: {until}", "     3: from 2026-01-01  p.yaml:3"]
