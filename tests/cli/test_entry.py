"""The way in: what is read without click is read as click would."""

import subprocess
import sys
from itertools import product
from pathlib import Path

import click
import pytest

from pysshd.cli.entry import Start, plain_start
from pysshd.cli.main import commands

PIECES: tuple[list[str], ...] = (
    ["--config", "policy.yaml"],
    ["--config=policy.yaml"],
    ["--config"],
    ["--config", "-x"],
    ["--config", ""],
    ["--strict"],
    ["--log-format", "json"],
    ["--log-format", "xml"],
    ["--log-level", "debug"],
    ["--log-level", "DEBUG"],
    ["check", "policy.yaml"],
    ["--help"],
    ["--", "x"],
    [],
)


def with_click(words: list[str]) -> Start | None:
    """How click reads them; None where it is no start."""
    try:
        context = commands.make_context("pysshd", list(words))
    except (click.ClickException, click.exceptions.Exit):
        return None
    known = context.params
    if known["config"] is None or context.invoked_subcommand or context._protected_args:
        return None
    return Start(str(known["config"]), known["strict"], known["log_format"], known["log_level"])


@pytest.mark.parametrize("words", [[*one, *two] for one, two in product(PIECES, repeat=2)], ids=" ".join)
def test_what_is_read_here_is_read_as_click_would(words: list[str]) -> None:
    found = plain_start(words)
    assert found is None or found == with_click(words)


def test_a_plain_start_is_read_here() -> None:
    assert plain_start(["--config", "x"]) == Start("x")
    assert plain_start(["--log-level", "debug", "--config", "x", "--strict", "--log-format", "json"]) == Start(
        "x", True, "json", "debug"
    )
    assert plain_start([]) is None


def test_a_start_imports_no_click(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pysshd.cli.entry import main\nsys.argv[1:] = ['--config', 'missing.yaml']\n"
        "try:\n    main()\nfinally:\n    print('click' in sys.modules, 'pysshd.policy.casebook' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == ["False", "False"]
    assert done.returncode == 2
    assert "can not be opened" in done.stderr
