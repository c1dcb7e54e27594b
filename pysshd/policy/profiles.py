"""The table of profiles: which program each has run, by which words, and where two of them would disagree."""

from collections.abc import Callable
from typing import Final, TypeAlias

from pysshd.patterns.slots import Values
from pysshd.patterns.words import quote
from pysshd.policy.profile import Asked, Parts, Places, Profile, parts_of, places_of
from pysshd.policy.profile_programs import (
    BORG_ENV,
    GIT_ENV,
    borg,
    borg_forced,
    git,
    is_apart,
    is_borg,
    is_git,
    is_scp,
    scp,
)
from pysshd.policy.profile_rsync import ENV as RSYNC_ENV
from pysshd.policy.profile_rsync import is_rsync, rsync, rsync_forced
from pysshd.policy.templates import Template
from pysshd.policy.ways import EnvSettings
from pysshd.records import dataclass

_Words: TypeAlias = tuple[str, ...]
_IN_HOME: Final = ("{home}",)


@dataclass(frozen=True, slots=True)
class _Program:
    """keys: what may stand beside `profile` and `paths`; read: a request understood; concerns: whether it is meant at
    all; download, upload: how a request of each direction begins, for examples; env: variables that the program has,
    whatever a client or the policy says.
    """

    keys: frozenset[str]
    read: Callable[[_Words], Asked | None]
    concerns: Callable[[_Words], bool]
    download: str
    upload: str
    env: EnvSettings = ()


_DIRECTIONS: Final = frozenset(["relative_to", "read_only", "write_only"])
_PROGRAMS: Final = {
    "git": _Program(_DIRECTIONS, git, is_git, "git-upload-pack", "git-receive-pack", GIT_ENV),
    "rsync": _Program(_DIRECTIONS, rsync, is_rsync, "rsync --server --sender -r .", "rsync --server -r .", RSYNC_ENV),
    "borg": _Program(frozenset(["append_only", "quota"]), borg, is_borg, "borg serve", "borg serve", BORG_ENV),
    "scp": _Program(_DIRECTIONS, scp, is_scp, "scp -f", "scp -t"),
}
NAMES: Final = tuple(_PROGRAMS)


def keys_of(name: str) -> frozenset[str]:
    """The keys that a profile may have beside `profile` and `paths`."""
    return _PROGRAMS[name].keys


def argv_of(profile: Profile, words: _Words, values: Values) -> _Words | None:
    """The words that are run for a request, or None where the profile does not permit it."""
    asked = _PROGRAMS[profile.name].read(words)
    if asked is None or (asked.writes and profile.read_only) or (asked.reads and profile.write_only):
        return None
    places = places_of(profile, values)
    rest = [places.argument(word, asked) for word in asked.rest]
    forced = _forced(profile, places)
    if None in rest or forced is None:
        return None
    return (*asked.head, *forced, *(word for word in rest if word is not None))


def why_not(profile: Profile, words: _Words, values: Values) -> str:
    """Why a profile does not permit a request of its program, in words; for one of which `argv_of` gives None."""
    asked = _PROGRAMS[profile.name].read(words)
    if asked is None:
        return "it is in no form that the profile understands"
    if asked.writes and profile.read_only:
        return "it would write, and the profile is read_only"
    if asked.reads and profile.write_only:
        return "it would read, and the profile is write_only"
    places = places_of(profile, values)
    outside = next((word for word in asked.rest if places.argument(word, asked) is None), None)
    if outside is None or isinstance(outside, str):
        return "a slot of its paths has no value here"
    relative = not outside.text.startswith("/") and profile.relative_to is None
    return f"{quote(outside.text)} is " + ("relative, and the profile has no relative_to" if relative
                                           else "in none of its paths")  # fmt: skip


def env_of(profile: Profile, env: EnvSettings) -> EnvSettings:
    """The variables that the program gets: those of the policy, and those of the profile over them."""
    return tuple(sorted({**dict(env), **dict(_PROGRAMS[profile.name].env)}.items()))


def gives_way(profile: Profile, argv: tuple[bytes, ...]) -> bool:
    """Whether the words permit less than another profile's might for the same request.

    Git is held to a path that is all that a profile permits; one that permits the folder above also permits that git
    tries the path with `.git` behind it.
    """
    return profile.name == "git" and is_apart(argv)


def touches(profile: Profile, words: _Words, values: Values) -> bool:
    """Whether a deny of the profile touches a request: also where it is the same program in a form not understood."""
    program = _PROGRAMS[profile.name]
    if not program.concerns(words):
        return False
    asked = program.read(words)
    if asked is None:
        return True
    if (profile.read_only and not asked.reads) or (profile.write_only and not asked.writes):
        return False
    return places_of(profile, values).could_have(asked)


def concerns(profile: Profile, words: _Words) -> bool:
    """Whether a request is for the program of the profile, whatever it asks of it."""
    return _PROGRAMS[profile.name].concerns(words)


def _forced(profile: Profile, places: Places) -> _Words | None:
    if profile.name == "rsync":
        return rsync_forced(profile)
    if profile.name != "borg":
        return ()
    # Without its folders borg would be held to none.
    roots = tuple("/" + "/".join(root) for root in places.roots)
    return borg_forced(profile, roots) if places.whole else None


def manner(profile: Profile) -> object:
    """What decides how a request is run, its own words aside: profiles of one manner never disagree."""
    if profile.name == "borg":
        return profile
    return profile.name, profile.relative_to, bool(profile.name == "rsync" and profile.is_everywhere)


def common_request(left: Profile, right: Profile, *, otherwise: bool) -> str | None:
    """A request that both permit and would run in different ways, or None.

    otherwise: they differ in more than the profiles say, so that any request of both is one.
    """
    if left.name != right.name:
        return None
    reads = not (left.write_only or right.write_only)
    if not reads and (left.read_only or right.read_only):
        return None
    program = _PROGRAMS[left.name]
    command = program.download if reads else program.upload
    if left.name == "borg":
        return command if otherwise or left != right else None
    if otherwise or (left.name == "rsync" and left.is_everywhere != right.is_everywhere):
        path = _overlap([_parts(path) for path in left.paths], [_parts(path) for path in right.paths])
        if path is not None:
            return f"{command} {_shown('/' + '/'.join(path))}"
    if left.relative_to is None or right.relative_to is None or (left.relative_to == right.relative_to):
        return None
    path = _overlap(_below(left, left.relative_to), _below(right, right.relative_to))
    return f"{command} {_shown('/'.join(path) or '.')}" if path is not None else None


def _shown(path: str) -> str:
    """A path for an example: a slot's name stands for its value."""
    return quote(path.replace("{", "").replace("}", ""))


def may_upload_hooks(writer: Profile, git: Profile, user: str) -> bool:
    """Whether a person may put files by one profile where by the other git runs programs that a repository names."""
    if git.name != "git" or not may_write(writer):
        return False
    return _overlap(roots_for(writer, user), roots_for(git, user)) is not None


def may_write(profile: Profile) -> bool:
    """Whether a client may put files of its own making where the profile permits it."""
    return copies(profile) and not profile.read_only


def copies(profile: Profile) -> bool:
    """Whether its program copies files, and runs nothing that they say."""
    return profile.name in ("rsync", "scp")


def roots_for(profile: Profile, user: str) -> list[Parts]:
    """The folders of a profile for a person, as far as they are known: a part with another slot could be anything, and
    the home is where it is by custom.
    """
    known = ((path, str(path).replace("{user}", user)) for path in profile.paths)
    return [parts_of(text.replace("{home}", home_of(user), 1) if path.in_home else text) for path, text in known]


def home_of(account: str) -> str:
    """Where the home of an account is by custom."""
    return "/root" if account == "root" else f"/home/{account}"


def _parts(template: Template) -> Parts:
    return parts_of(str(template))


def _below(profile: Profile, base: Template) -> list[Parts]:
    """The relative paths that a profile permits: each stands for itself and all below it."""
    start = _parts(base)
    found: list[Parts] = []
    for root in map(_parts, profile.paths):
        if _apart(root, start):
            found.append(())  # the one may lie in the other, so that any path could be meant
        elif agree(root, start):
            found.append(root[len(start) :])
    return found


def _overlap(left: list[Parts], right: list[Parts]) -> Parts | None:
    """A path in both of two sets of trees, or None."""
    pairs = ((one, two) for one in left for two in right if agree(one, two))
    return next((max(pair, key=len) for pair in pairs), None)


def agree(one: Parts, two: Parts) -> bool:
    """Whether one path could be the beginning of the other: a part with a slot could be anything, and so could a home
    of which only the other path does not speak.
    """
    return _apart(one, two) or all(a == b or "{" in a or "{" in b for a, b in zip(one, two, strict=False))


def _apart(one: Parts, two: Parts) -> bool:
    """Whether one path is below a home and the other is not said to be."""
    return (one[:1] == _IN_HOME) != (two[:1] == _IN_HOME)
