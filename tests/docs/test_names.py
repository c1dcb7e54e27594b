"""What the pages name is there: files, modules of the rooms, commands and links."""

import re
from pathlib import Path

import pytest

from pysshd.cli.main import COMMANDS
from pysshd.policy.model_entries import RoleModel
from pysshd.policy.model_settings import CryptoModel, LimitsModel, ServerModel, UserModel
from pysshd.policy.model_tests import CaseModel
from pysshd.policy.reading import Record
from pysshd.policy.verbs import VERBS
from tests.docs.pages import PAGES, ROOT, blocks, words

SOURCES = [
    path.relative_to(ROOT).as_posix()
    for place in ("pysshd", "tests", "docs", "config")
    for path in (ROOT / place).rglob("*.*")
]
SOURCES += [path.name for path in ROOT.iterdir()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = {word for word in words(page) if re.fullmatch(r"[A-Za-z0-9_./-]+\.(py|md|toml|lock)", word)}
    missing = {name for name in named if not any(f"/{source}".endswith(f"/{name}") for source in SOURCES)}
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]


def test_the_rooms_and_their_modules_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = [row.split("|") for row in text.partition("\n## Rooms\n")[2].partition("\n\nImports")[0].splitlines()]
    wing, seen, missing = Path(), set(), []
    for row in rows:
        if len(row) != 6 or row[1].strip() in ("wing", "---"):
            continue
        wing = Path(found[1]) if (found := re.search(r"`(\w+)/`", row[1])) else wing
        folder = wing / found[1] if (found := re.search(r"`(\w+)/`", row[2])) else wing
        seen.add(folder.as_posix())
        for name in re.findall(r"`([\w*]+)/?`", row[3]):
            if not [*(ROOT / "pysshd" / folder).glob(f"{name}.py"), *(ROOT / "pysshd" / folder).glob(f"{name}/")]:
                missing.append(f"{folder}/{name}")
    assert not missing
    there = {path.parent.relative_to(ROOT / "pysshd").as_posix() for path in (ROOT / "pysshd").rglob("*.py")}
    rooms = {place for place in there - {"."} if not any(other.startswith(f"{place}/") for other in there)}
    assert rooms <= seen | {"ssh/wire/messages", "processes/boundary/calls"}


def test_the_readme_names_every_command_and_no_other() -> None:
    shown = "\n".join(block.text for block in blocks(ROOT / "README.md") if not block.language)
    named = set(re.findall(r"\bpysshd ([a-z][a-z-]*)", shown))
    assert named == set(COMMANDS)


@pytest.mark.parametrize(
    ("section", "model"),
    [
        ("server", ServerModel),
        ("crypto", CryptoModel),
        ("limits", LimitsModel),
        ("users", UserModel),
        ("roles", RoleModel),
    ],
)
def test_every_key_of_a_section_is_described_and_no_other(section: str, model: type[Record]) -> None:
    text = (ROOT / "docs" / "policy.md").read_text("utf-8").partition(f"\n### {section}\n")[2].partition("\n### ")[0]
    first = "".join(re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE))
    described = set(re.findall(r"`(\w+)`", first))
    served = {field.alias or name for name, field in model.model_fields.items()}
    assert described == served


def test_every_verb_is_described_as_it_is() -> None:
    text = (ROOT / "docs" / "tools.md").read_text("utf-8").partition("\n### Verbs\n")[2].partition("\n## ")[0]
    described = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", text, re.MULTILINE))
    assert described == {verb.form: verb.meaning for verb in VERBS.values()}


def test_every_key_of_a_case_is_described_and_no_other() -> None:
    text = (ROOT / "docs" / "policy.md").read_text("utf-8").partition("\n### tests\n")[2].partition("\n## ")[0]
    described = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE))))
    assert described == set(CaseModel.key_names())
