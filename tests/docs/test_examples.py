"""Every example of a policy is a right one: those of the pages, and the files of config/."""

import re
from itertools import count
from pathlib import Path

import pytest
import yaml

from pysshd.policy.load import load_text
from pysshd.ssh.crypto.generate import generate_private_key
from tests.docs.pages import PAGES, ROOT, Block, blocks

EXAMPLES = [block for page in PAGES for block in blocks(page) if block.language == "yaml"]
FILES = sorted((ROOT / "config").glob("**/*.yaml"))
PLACEHOLDER = re.compile(r"ssh-ed25519 AAAA…")
OWNER = "owner-of-the-tests"


def key() -> str:
    return generate_private_key("ed25519").public.line


def with_keys(text: str) -> str:
    return PLACEHOLDER.sub(lambda _: key(), text)


def named(example: dict[str, object]) -> set[str]:
    """The people whom the grants of a fragment name."""
    grants = example.get("grants", [])
    assert isinstance(grants, list)
    return {grant["who"] for grant in grants} - {"*"}


def whole(fragment: str) -> str:
    """Complete a fragment: the version, and people whom it names and does not show."""
    example = yaml.safe_load(fragment)
    missing = "".join(
        f"  {name}: {{keys: ['{key()}']}}\n" for name in sorted(named(example) - set(example.get("users", {})))
    )
    if "users:\n" in fragment:
        return f"version: 1\n{fragment}".replace("users:\n", f"users:\n{missing}", 1)
    return f"version: 1\nusers:\n{missing}{fragment}" if missing else f"version: 1\n{fragment}"


def warnings(text: str) -> list[str]:
    """What is odd in a policy; what this version of the daemon can not serve yet, the pages say themselves."""
    problems = load_text(text, language=True, included={}).warnings
    return [str(problem) for problem in problems if problem.severity != "unserved"]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4
    assert FILES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda block: block.place)
def test_an_example_of_the_pages_is_right(example: Block) -> None:
    text = with_keys(example.text)
    for warning in warnings(text if "version:" in text else whole(text)):
        assert "is taken for its owner" in warning


OWNERLESS = [block for block in EXAMPLES if "version:" not in block.text and "login-shell" not in block.text]


@pytest.mark.parametrize("example", OWNERLESS, ids=lambda block: block.place)
def test_an_example_can_stand_in_the_file_of_somebody_who_has_a_shell(example: Block) -> None:
    """Whoever copies an example has a policy, with an owner; what holds alone must hold there too."""
    text = whole(with_keys(example.text))
    owner = f"  {OWNER}: {{keys: ['{key()}']}}\n"
    text = text.replace("users:\n", f"users:\n{owner}", 1).replace(
        "grants:\n", f"grants:\n  - {{who: {OWNER}, roles: login-shell}}\n", 1
    )
    assert warnings(f"{text}server: {{owner: {OWNER}}}\n") == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_of_config_is_right(file: Path) -> None:
    assert warnings(file.read_text("utf-8")) == []


def test_the_example_of_several_files_is_one_policy() -> None:
    main = next(block.text for block in EXAMPLES if "users.d/*.yaml" in block.text)
    other = next(block.text for block in EXAMPLES if "fragment.schema.json" in block.text)
    found = load_text(with_keys(main), included={"users.d/bob.yaml": with_keys(other)})
    assert set(found.ruleset.people) == {"alice", "bob"}
    assert found.warnings == ()


def test_a_wrong_example_would_be_found() -> None:
    numbers = count(1)
    wrong = PLACEHOLDER.sub(lambda _: f"ssh-ed25519 AAAA{next(numbers)}", EXAMPLES[0].text)
    with pytest.raises(Exception, match="public key"):
        load_text(wrong)
