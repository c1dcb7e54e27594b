"""What confined programs must not see of the daemon, and the homes that would let them change it."""

import os
import pwd
import sys
from collections.abc import Iterable
from pathlib import Path

from pysshd import version
from pysshd.errors import StartupError
from pysshd.policy.people import Person

SHARED = ("/etc", "/opt", "/usr/local/etc")
"""System folders whose subfolders belong to one program each; everything else of the system belongs to many."""

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix", "/gnu")
"""System folders that no program can do without, whatever else lies in them."""


def hidden_from_programs(folders: Iterable[Path], files: Iterable[Path]) -> tuple[str, ...]:
    """Return the paths that no confined program may see: `folders`, and `files`, each with the folder that it is in.

    The folder too, for an editor that saves by renaming would put a new file in the place of the one that is covered.
    A folder of the system's stays, for programs need what lies beside: there a file alone is covered.
    """
    hidden = {str(real) for folder in folders if _is_ours(real := folder.resolve())}
    for file in files:
        real = file.resolve()
        hidden.add(str(real))
        if _is_ours(real.parent):
            hidden.add(str(real.parent))
    return tuple(sorted(hidden))


def _is_ours(folder: Path) -> bool:
    text = str(folder)
    if any(text.startswith(f"{top}/") and text not in SHARED for top in SHARED):
        return True
    return text != "/" and text not in SHARED and not any(text == top or text.startswith(f"{top}/") for top in SYSTEM)


def refuse_open_homes(people: Iterable[Person], hidden: Iterable[str], uid: int) -> None:
    """Refuse a home that holds what the daemon lives by; StartupError names the person's line.

    To cover it there would not do: its owner could move the folder around it away, and put another in its place.
    `uid` is the daemon's, whose own home is unconfined programs' business.
    """
    kept = {*hidden, os.path.realpath(os.path.dirname(version.__file__)), os.path.realpath(sys.prefix)}
    try:
        kept.add(os.path.realpath(pwd.getpwuid(uid).pw_dir))
    except KeyError:
        pass
    for person in people:
        if person.home is None:
            continue
        home = os.path.realpath(person.home)
        if home == "/" or (held := sorted(path for path in kept if path == home or path.startswith(f"{home}/"))):
            what = "everything" if home == "/" else held[0]
            raise StartupError(
                f"{person.where}: home {person.home} of {person.name} holds {what}, which is the daemon's; "
                "expected a folder of its own"
            )
