"""What confined programs must not see of the daemon, and the homes that would let them change it."""

import os
import pwd
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

from pysshd import version
from pysshd.errors import StartupError
from pysshd.identity.host.trusted_file import LINKS_MAX
from pysshd.policy.people import Person
from pysshd.policy.ruleset import Ruleset

SHARED = ("/etc", "/opt", "/usr/local/etc")
"""System folders whose subfolders belong to one program each; everything else of the system belongs to many."""

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix", "/gnu")
"""System folders that no program can do without, whatever else lies in them."""


HIDDEN_MAX = 32 * 1024
"""Bytes of all paths that are hidden."""


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


def hidden_with(hidden: Iterable[str], ruleset: Ruleset) -> tuple[str, ...]:
    """Return what is hidden while this version of the policy is in force: `hidden`, and all that it is read from.

    There may be thousands of files: the folders that they are in stand for them, but for those of the system. All of it
    goes with every program that is started; StartupError where that would be too much.
    """
    found = set(hidden)
    found.update(str(real) for folder in ruleset.folders if _is_ours(real := Path(folder).resolve()))
    for file in ruleset.files:
        real = Path(file).resolve()
        if found.isdisjoint(map(str, real.parents)):
            found.add(str(real.parent if _is_ours(real.parent) else real))
    if sum(len(os.fsencode(path)) for path in found) > HIDDEN_MAX:
        raise StartupError(
            f"{ruleset.files[0]}: include: its {len(ruleset.files)} files lie in more places than can be hidden from "
            "confined programs, expected them in a few folders of their own"
        )
    return tuple(sorted(found))


def _is_ours(folder: Path) -> bool:
    text = str(folder)
    if any(text.startswith(f"{top}/") and text not in SHARED for top in SHARED):
        return True
    return text != "/" and text not in SHARED and not any(text == top or text.startswith(f"{top}/") for top in SYSTEM)


def refuse_open_homes(
    people: Collection[Person], hidden: Iterable[str], uid: int, homes: Path, policy: Iterable[str] = ()
) -> None:
    """Refuse a home that holds what the daemon lives by; StartupError names the person's line.

    To cover it there would not do: its owner could move the folder around it away, and put another in its place. The
    files of people's keys are among it: whoever writes one says who comes in, as whom. They are secret to nobody, so
    that elsewhere they may be seen. `policy`: its files, and the folders in which some are looked for.
    `uid` is the daemon's, whose own home is unconfined programs' business; `homes` has the home of whom the policy
    gives none.
    """
    kept = {*hidden, os.path.realpath(os.path.dirname(version.__file__)), os.path.realpath(sys.prefix)}
    try:
        kept.add(os.path.realpath(pwd.getpwuid(uid).pw_dir))
    except KeyError:
        pass
    held: dict[str, str] = {}
    for path in sorted(kept):
        for place in (path, *map(str, Path(path).parents)):
            held.setdefault(place, path)
    files = {key.file: None for person in people for key in person.keys if key.file is not None}
    keys = {place: file for file in (*files, *policy) for place in _on_the_way(file)}
    for person in people:
        named = person.home or str(homes / person.name)
        home = os.path.realpath(named)
        # What has a home of no one's choosing lies in the state folder, which is the daemon's on purpose.
        what = keys.get(home) or (held.get(home) if person.home is not None else None)
        if what is not None:
            raise StartupError(
                f"{person.where}: home {named} of {person.name} holds {'everything' if home == '/' else what}, "
                "which is the daemon's; expected a folder of its own"
            )


def _on_the_way(file: str) -> set[str]:
    """Every place that says what stands at a path: folders above it, and links, each with the folders above it."""
    here, rest, found, links = "/", file.split("/")[::-1], {"/"}, 0
    while rest and links <= LINKS_MAX:
        name = rest.pop()
        if name in ("", "."):
            continue
        here = os.path.dirname(here) if name == ".." else os.path.join(here, name)
        found.add(here)
        try:
            target = os.readlink(here)
        except OSError:
            continue
        links += 1
        here = "/" if target.startswith("/") else os.path.dirname(here)
        rest.extend(target.split("/")[::-1])
    return found
