"""What PAM would add to a login (pam.conf(5)): modules that may keep somebody out have no equivalent here.

A stack is followed as PAM follows it, for somebody whom the daemon lets in. Whatever is not understood keeps them out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from pysshd.policy.problems import Mark
from pysshd.records import dataclass

FOLDER: Final = "/etc/pam.d"
_MOST: Final = 16
_OTHER: Final = "other"
_STACKS: Final = ("auth", "account", "password", "session")
_SUBSTACK: Final = "substack"

_YES: Final = ("success",)
_IGNORES: Final = ("ignore",)
_EITHER: Final = ("success", "ignore")
_ACCOUNT: Final[Mapping[str, tuple[str, ...]]] = {
    "pam_unix.so": _YES,
    "pam_permit.so": _YES,
    "pam_nologin.so": _EITHER,
    "pam_warn.so": _IGNORES,
}
_AUTH: Final[Mapping[str, tuple[str, ...]]] = {
    **_ACCOUNT,
    "pam_env.so": _EITHER,
    "pam_faildelay.so": _EITHER,
    "pam_cap.so": _EITHER,
    "pam_mail.so": _EITHER,
}
_DONE_HERE: Final = {"account": _ACCOUNT, "auth": _AUTH}
"""Modules whose part in keeping somebody out the daemon does itself, and those that keep nobody out: what each may
return for somebody whom the daemon lets in."""

_DENIES: Final = "pam_deny.so"

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "required": {"success": "ok", "ignore": "ignore"},
    "requisite": {"success": "ok", "ignore": "ignore"},
    "sufficient": {"success": "done", "ignore": "ignore"},
    "optional": {"success": "ok", "ignore": "ignore"},
}
"""What each word of control does at what a module returns; anything else that it may return keeps out."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module that may keep somebody out."""

    stack: str
    name: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class _Step:
    """One line of a stack. actions: by what its module returns; returns: what that may be, nothing: it is not known.

    depth: in how many substacks it stands; left: how many steps are left of the innermost, None: it stands in none.
    """

    module: Module
    returns: tuple[str, ...] = ()
    actions: Mapping[str, str] | None = None
    depth: int = 0
    left: int | None = None


def keeping_out(services: Mapping[str, str], service: str) -> tuple[Module, ...] | None:
    """The modules of the stacks `auth` and `account` that may keep somebody out; None where a file is missing."""
    found: dict[Module, None] = {}
    try:
        for stack in ("auth", "account"):
            # PAM takes a stack that a service does not have from the service `other`.
            steps = list(_steps(services, service, stack, 0)) or list(_steps(services, _OTHER, stack, 0))
            if not steps:
                return None
            # What is not known counts wherever it stands, whether or not somebody comes as far.
            found |= {one.module: None for one in steps if not one.returns and not _denies(one)}
            found |= dict.fromkeys(_failing(steps))
    except KeyError:
        return None
    return tuple(found)


def _denies(step: _Step) -> bool:
    return step.module.name.rpartition("/")[2] == _DENIES


def _failing(steps: list[_Step]) -> Iterator[Module]:
    """The modules at which a stack may end badly; its last one where nothing in it has said yes."""
    seen: set[tuple[int, bool]] = set()
    todo = [(0, False)]
    while todo:
        at, said_yes = todo.pop()
        if (at, said_yes) in seen:
            continue
        seen.add((at, said_yes))
        if at == len(steps):
            if not said_yes:
                yield steps[-1].module
            continue
        following = [_following(steps, at, returned) for returned in steps[at].returns]
        if not following or None in following:
            yield steps[at].module
        todo += [(one[0], said_yes or one[1]) for one in following if one is not None]


def _following(steps: list[_Step], at: int, returned: str) -> tuple[int, bool] | None:
    """Where PAM goes on, and whether the step says yes; None where it may refuse, or that is not understood."""
    step = steps[at]
    action = (step.actions or {}).get(returned, "bad")
    end = len(steps) if step.left is None else at + step.left
    if action == "ignore":
        return at + 1, False
    if action in ("ok", "done") and returned == "success":
        return at + 1 if action == "ok" else end, True
    if not (action.isascii() and action.isdigit() and int(action)):
        return None
    target = at + 1 + int(action)
    # A substack is one step to a jump from outside, and none leads out of it: only jumps among equals are followed.
    among_equals = target <= end and all(one.depth == step.depth for one in steps[at + 1 : target])
    return (target, False) if among_equals else None


def _steps(services: Mapping[str, str], service: str, stack: str, depth: int) -> Iterator[_Step]:
    """The steps of one stack, with those of the files that are included."""
    if depth > _MOST:
        raise KeyError(service)
    for number, words in _lines(services[service]):
        mark = Mark(f"{FOLDER}/{service}", number, 1)
        kind = words[0].removeprefix("-").lower()
        if words[0] == "@include" and len(words) > 1:
            yield from _steps(services, words[1], stack, depth + 1)
        elif kind not in _STACKS:
            # PAM lets a line of no known stack fail; for which of them is not said.
            yield _Step(Module(stack, " ".join(words), mark))
        elif kind == stack:
            yield from _line(services, words, Module(stack, "", mark), depth)


def _line(services: Mapping[str, str], words: list[str], module: Module, depth: int) -> Iterator[_Step]:
    control, rest = words[1:2], words[2:]
    if control and control[0].startswith("["):
        end = next((at for at, word in enumerate(words) if word.endswith("]")), len(words))
        control, rest = words[1 : end + 1], words[end + 1 :]
    if not rest:
        yield _Step(replace(module, name=" ".join(words)))
    elif control == ["include"]:
        yield from _steps(services, rest[0], module.stack, depth + 1)
    elif control == [_SUBSTACK]:
        inner = list(_steps(services, rest[0], module.stack, depth + 1))
        # Its beginning is a step too, which a jump may lead over.
        yield _Step(replace(module, name=_SUBSTACK), _IGNORES, {"ignore": "ignore"})
        for at, one in enumerate(inner):
            yield replace(one, depth=one.depth + 1, left=len(inner) - at if one.left is None else one.left)
    else:
        yield _Step(replace(module, name=rest[0]), _returns(module.stack, rest), _actions(control))


def _returns(stack: str, rest: list[str]) -> tuple[str, ...]:
    name = rest[0].rpartition("/")[2]
    if name == "pam_nologin.so" and any(word.startswith("file=") for word in rest):
        # The daemon looks at the usual files.
        return ()
    return _DONE_HERE[stack].get(name, ())


def _actions(control: list[str]) -> Mapping[str, str]:
    """What is done at what is returned; nothing where the control is none of PAM's."""
    if not control[0].startswith("["):
        return _WORDS.get(control[0].lower(), {})
    pairs = [one.partition("=") for one in " ".join(control).strip("[]").split()]
    given = {name: action for name, _, action in pairs}
    return {name: given.get(name, given.get("default", "bad")) for name in _EITHER}


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The words of each line that says something, and where it begins; a backslash at its end goes on."""
    begun, at = "", 0
    for number, line in enumerate([*text.split("\n"), ""], 1):
        line = line.partition("#")[0].rstrip()
        at = at if begun else number
        if line.endswith("\\"):
            begun += line[:-1] + " "
            continue
        words = (begun + line).split()
        begun = ""
        if words:
            yield at, words
