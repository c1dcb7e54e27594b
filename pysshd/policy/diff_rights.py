"""Permissions of two policies beside each other: whether what one gives was given by the other too.

A yes is certain; where it can not be shown the answer is no, and the change counts as a gain.
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Final, TypeGuard

from pysshd.patterns.globs import Glob, common_text
from pysshd.patterns.inclusion import glob_within, words_meet, words_touched, words_within
from pysshd.patterns.names import BREAK, SIGNALS
from pysshd.patterns.words import WordPattern, WordsError, quote, split_words
from pysshd.policy import profiles
from pysshd.policy.decide_sftp import is_scp
from pysshd.policy.diff_net import net_denied, net_meets, net_touched, net_within
from pysshd.policy.diff_sftp import sftp_title, sftp_within
from pysshd.policy.query import Exec
from pysshd.policy.rights import ExecRight, ForcedRight, Rights, SetRight, ShellRight, SubsystemRight
from pysshd.policy.rights_net import ConnectRight, ListenRight, NetRight, PlainRight, SocketRight
from pysshd.policy.rights_sftp import SUBSYSTEM, SftpRight
from pysshd.policy.ruleset import Grant
from pysshd.policy.templates import SLOTS
from pysshd.records import dataclass

APART: Final = frozenset(["runs", "pty", "accept", "sets", "signals", "net", "sftp"])
"""The kinds of which is known that a deny of one never touches a permission of another one, but for what opens SFTP."""

_ODD_SLOTS: Final = frozenset(SLOTS) - {"user", "account"}
"""Slots that one person of one account may fill with other words under another policy."""

_SCP: Final = ("scp", "-f", "/")
"""What an scp client asks for."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One permission of one grant. kind: the field of `Rights` that holds it; item: what stands there."""

    kind: str
    item: object
    grant: Grant

    @property
    def where(self) -> str:
        """`file:line` of the permission itself, or of its grant."""
        own = getattr(self.item, "where", "")
        return own if isinstance(own, str) and own else self.grant.where

    def __str__(self) -> str:
        return title(self.kind, self.item)


class Contents:
    """Tells grants of one content, whatever their names, places and order are."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Grant, int]] = {}
        self._texts: dict[str, int] = {}

    def __call__(self, grants: Iterable[Grant]) -> list[int]:
        """A number for each content."""
        return sorted(self._number(grant) for grant in grants)

    def _number(self, grant: Grant) -> int:
        known = self._known.get(id(grant))
        if known is None:
            number = self._texts.setdefault(_text(grant), len(self._texts))
            known = self._known[id(grant)] = (grant, number)  # the grant too, so that its id stays its own
        return known[1]


def _text(grant: Grant) -> str:
    found = repr(replace(grant, name="", where="", number=0))
    for where in {atom.where for atom in atoms(grant)}:
        found = found.replace(f"where={where!r}", "")
    return found


def title(kind: str, item: object) -> str:
    """A permission in the words of the policy."""
    if kind == "accept" and isinstance(item, Glob):
        return f"env: {{accept: {item.source}}}"
    if isinstance(item, SftpRight):
        return sftp_title(item)
    if kind in ("runs", "net") or isinstance(item, SetRight):
        return str(item)
    return f"{kind.replace('_', '-')}: {'true' if item is True else item}"


def atoms(grant: Grant) -> Iterator[Atom]:
    """Every permission of a grant, of whatever kind."""
    for field in fields(Rights):
        value = getattr(grant.rights, field.name)
        many = isinstance(value, tuple | frozenset)
        for item in (sorted(value, key=str) if isinstance(value, frozenset) else value) if many else (value,):
            if item is not None and item is not False:
                yield Atom(field.name, item, grant)


def is_net(item: object) -> TypeGuard[NetRight]:
    """Whether a permission reaches beyond the session."""
    return isinstance(item, ConnectRight | ListenRight | SocketRight | PlainRight)


def within(small: Atom, big: Atom, *, own: bool = True) -> bool:
    """Whether `big` permits every request that `small` permits, and runs it with no more.

    own: also a connection to an address of this host itself, where a pattern permits it that names no other.
    """
    if small.kind != big.kind:
        return False
    a, b = small.item, big.item
    if is_net(a) and is_net(b):
        return net_within(a, b, own=own)
    if isinstance(a, Glob) and isinstance(b, Glob):
        return glob_within(a, b)
    if isinstance(a, SftpRight) and isinstance(b, SftpRight):
        return sftp_within(a, b)
    return a == b if small.kind != "runs" else _run_within(a, b)


def _run_within(small: object, big: object) -> bool:
    if getattr(big, "confined", False) and not getattr(small, "confined", False):
        return False
    if not (isinstance(small, ExecRight) and isinstance(big, ExecRight)):
        return _bare(small) == _bare(big)
    if big.is_any or _bare(small) == _bare(big):
        return True
    return small.words is not None and big.words is not None and words_within(small.words, big.words)


def _bare(right: object) -> object:
    """A permission without how it is confined and which signals it takes, which are looked at by themselves."""
    if isinstance(right, ShellRight | ExecRight):
        return replace(right, confined=False, all_signals=False)
    return replace(right, confined=False) if isinstance(right, ForcedRight | SubsystemRight) else right


def odd_slots(item: object) -> frozenset[str]:
    """The slots of a permission that another policy may fill with other words, though the text is the same."""
    if isinstance(item, str):
        return frozenset([item]) & _ODD_SLOTS
    if isinstance(item, tuple | frozenset):
        return frozenset(slot for one in item for slot in odd_slots(one))
    if not is_dataclass(item):
        return frozenset()
    found = frozenset(slot for one in fields(item) for slot in odd_slots(getattr(item, one.name)))
    return found | {"home"} if getattr(item, "in_home", False) else found


OPENING: Final = frozenset(["runs", "sftp"])
"""The kinds of permissions for which a channel may be opened."""


def takes_all_signals(atom: Atom) -> bool:
    """Whether every signal may be sent to what the permission runs."""
    return bool(getattr(atom.item, "all_signals", False))


def signals_named(found: Iterable[Atom]) -> frozenset[str]:
    """The signals that permissions name."""
    return frozenset(str(atom.item) for atom in found if atom.kind == "signals")


EVERY_SIGNAL: Final = SIGNALS | {BREAK}


# Denies


def touched_by(small: Atom, deny: Atom, *, denied: bool = False) -> bool:
    """Whether a deny touches every request that `small` permits; denied: that a deny of `small` touches."""
    if small.kind != deny.kind:
        return False
    a, b = small.item, deny.item
    if is_net(a) and is_net(b):
        return (net_denied if denied else net_touched)(a, b)
    if denied and isinstance(a, SftpRight) and isinstance(b, SftpRight):
        return sftp_within(a, b)
    if isinstance(a, Glob) and isinstance(b, Glob):
        return glob_within(a, b)
    if isinstance(b, ForcedRight) or type(a) is not type(b):
        return isinstance(b, ForcedRight)
    if isinstance(a, ExecRight) and isinstance(b, ExecRight):
        return _exec_touched(a, b)
    if isinstance(a, SubsystemRight) and isinstance(b, SubsystemRight):
        return a.name == b.name
    return isinstance(a, ShellRight) or a == b


def _exec_touched(small: ExecRight, deny: ExecRight) -> bool:
    if deny.is_any or _bare(small) == _bare(deny):
        return True
    if small.literal is not None:
        return _is_told(deny) and deny.touches(Exec(small.literal), _split(small.literal))
    return small.words is not None and deny.words is not None and words_touched(small.words, deny.words)


def _is_told(right: ExecRight) -> bool:
    """Whether nothing else than the command says whether it is meant: no slot, and no profile."""
    words = right.words.words if right.words is not None else ()
    return (right.literal is not None or bool(words)) and all(hasattr(word, "glob") for word in words)


def meets(permitted: Atom, deny: Atom) -> bool:
    """Whether a deny may touch a request that is permitted."""
    if permitted.kind != deny.kind:
        if not APART.issuperset((permitted.kind, deny.kind)):
            return True
        # The subsystem of SFTP, and scp, are asked for as what runs.
        return (permitted.kind, deny.kind) == ("sftp", "runs") and _opens_sftp(deny.item)
    a, b = permitted.item, deny.item
    if isinstance(a, Glob) and isinstance(b, Glob):
        return common_text(a, b) is not None
    if is_net(a) and is_net(b):
        return net_meets(a, b)
    if permitted.kind == "signals":
        return a == b
    if isinstance(a, SubsystemRight) and isinstance(b, SubsystemRight):
        return a.name == b.name
    if isinstance(a, ExecRight) and isinstance(b, ExecRight):
        return _exec_meets(a, b)
    known = (ShellRight, ExecRight, SubsystemRight)
    return not (isinstance(a, known) and isinstance(b, known)) or type(a) is type(b)


def _opens_sftp(denied: object) -> bool:
    """Whether a deny of what runs may touch the subsystem of SFTP, or what an scp client asks for."""
    if isinstance(denied, ShellRight | SubsystemRight):
        return isinstance(denied, SubsystemRight) and denied.name == SUBSYSTEM
    if not isinstance(denied, ExecRight) or denied.is_any:
        return True
    if denied.literal is not None:
        return is_scp(_split(denied.literal))
    if denied.profile is not None:
        return profiles.concerns(denied.profile, _SCP)
    program = next(iter(denied.words.words if denied.words is not None else ()), None)
    return not isinstance(program, WordPattern) or program.glob.matches(_SCP[0])


def _exec_meets(permitted: ExecRight, deny: ExecRight) -> bool:
    if permitted.literal is not None:
        return deny.touches(Exec(permitted.literal), _split(permitted.literal))
    if deny.literal is not None:
        return permitted.touches(Exec(deny.literal), _split(deny.literal))
    if permitted.words is not None and deny.words is not None:
        return words_meet(permitted.words, deny.words)
    return True


def _split(command: bytes) -> tuple[str, ...] | None:
    try:
        return split_words(command)
    except WordsError:
        return None


# How what runs has changed


def less_cautious(atom: Atom, new: Iterable[Atom], old: Iterable[Atom]) -> Atom | None:
    """A confined way that some command of this permission had, and for which nothing more cautious is left."""
    right = atom.item
    if not isinstance(right, ExecRight) or right.confined:
        return None
    left = list(new)
    for other in old:
        was = other.item
        if not isinstance(was, ExecRight) or not was.confined or was.rank >= right.rank:
            continue
        kept = any(within(other, one) and getattr(one.item, "confined", False) for one in left)
        if not kept and _exec_meets(was, right):
            return other
    return None


_STARS: Final = ("x", "", "zz9", "x/x")


def commands(right: ExecRight) -> Iterator[bytes]:
    """Commands that a permission permits, to show what it is."""
    if right.literal is not None:
        yield right.literal
    elif right.words is not None:
        for star in _STARS:
            words = [
                "".join(_char(token.char, star) if token.wild else token.char for token in word.glob.tokens)
                for word in right.words.words
                if hasattr(word, "glob")
            ]
            yield " ".join(quote(word) for word in words).encode("utf-8", "surrogateescape")
    else:
        yield from (b"id", b"some-command 'of this form'", b"id; id", b"")


def _char(wild: str, star: str) -> str:
    return star if wild == "*" else "x"


def variables(pattern: Glob) -> Iterator[str]:
    """Names of variables that a pattern takes."""
    for star in ("X", "", "ZZ9"):
        yield "".join((star if token.char == "*" else "X") if token.wild else token.char for token in pattern.tokens)
