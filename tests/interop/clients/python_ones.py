"""The clients that are Python packages: each is a module beside this one, run by an interpreter of its own."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from tests.interop.clients.kit import Call, Kit
from tests.interop.errand import VARIABLE, Errand

ROOT = Path(__file__).resolve().parents[3]


def missing(package: str) -> str | None:
    """Why a package can not be used here; None where it can."""
    if importlib.util.find_spec(package) is not None:
        return None
    return f"needs the package {package} of the group interop, which is not installed for this Python"


def script(module: str) -> Callable[[Kit, Errand], Call]:
    """An adapter that runs a module of this package; warnings are errors there too."""

    def call(kit: Kit, errand: Errand) -> Call:
        words = (sys.executable, "-W", "error", "-m", f"{__package__}.{module}")
        return Call(words, {VARIABLE: errand.text(), "HOME": str(kit.folder)}, ROOT)

    return call
