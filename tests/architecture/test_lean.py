"""A worker, a session and the zygote hold no policy and none of its libraries: read from a fresh interpreter."""

import json
import subprocess
import sys

import pytest

from tests.architecture.sources import below, modules

LEAN = ("pysshd.processes.zygote", "pysshd.processes.worker", "pysshd.processes.session")
HEAVY = ("pydantic", "yaml", "click", "asyncio")
"""Libraries that cost each connection time and memory, and the reading of files and options to an attacker inside."""
TRUSTED = (
    "pysshd.cli",
    "pysshd.daemon",
    "pysshd.policy",
    "pysshd.server",
    "pysshd.processes.monitor",
    "pysshd.identity",
)

_SCRIPT = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""


def loaded_after(names: list[str]) -> list[str]:
    """The modules of a fresh, isolated interpreter that has imported `names`."""
    command = [sys.executable, "-I", "-c", _SCRIPT, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return [str(name) for name in json.loads(done.stdout)]


def unwelcome(loaded: list[str]) -> list[str]:
    """Which of the loaded modules have no business in a lean process."""
    allowed = ("pysshd.identity", "pysshd.identity.verify")
    return [
        name
        for name in loaded
        if name not in allowed
        and not below(name, "pysshd.identity.host")
        and any(below(name, each) for each in (*HEAVY, *TRUSTED))
    ]


@pytest.mark.parametrize("package", LEAN)
def test_a_lean_process_loads_no_policy_and_no_heavy_library(package: str) -> None:
    names = [name for name in modules() if below(name, package) and not name.endswith(".__main__")]
    loaded = loaded_after(names)
    assert package in loaded
    assert unwelcome(loaded) == []


def test_the_package_itself_loads_nothing() -> None:
    loaded = loaded_after(["pysshd"])
    assert [name for name in loaded if below(name, "pysshd")] == ["pysshd", "pysshd.version"]


def test_the_check_itself_sees_what_is_loaded() -> None:
    assert "yaml" in unwelcome(loaded_after(["yaml"]))


OPTIONAL = ("pysshd.ssh.crypto.modp", "pysshd.ssh.transport.compression")
"""What only some algorithms need that no default names."""

_WARM = """
import json, sys
from pysshd.processes.zygote.warm import PROGRAMS, warm_up
from pysshd.ssh.crypto.catalogue import PROFILES
warm_up()
loaded = []
for names in (PROFILES["default"].kex, PROFILES["compatible"].kex, ["zlib@openssh.com"]):
    PROGRAMS.warm(names)
    loaded.append([name for name in sys.argv[1:] if name in sys.modules])
print(json.dumps(loaded))
"""


def test_a_zygote_imports_what_some_algorithms_need_only_where_they_are_named() -> None:
    command = [sys.executable, "-I", "-W", "error", "-c", _WARM, *OPTIONAL]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[], [OPTIONAL[0]], list(OPTIONAL)]
