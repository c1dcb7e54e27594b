"""What the grants are asked about one request, beside what their conditions say.

There is a question for each manner in which permissions answer, made for one decision. Many grants give the same roles,
and so have the very same permissions: what is asked of each again is remembered.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from pysshd.patterns.paths import virtual_path
from pysshd.policy.decide_net import Asked, reached
from pysshd.policy.decide_sftp import operation
from pysshd.policy.found import REFUSED, Found
from pysshd.policy.grants import Grant
from pysshd.policy.query import Pty, Request, Session, Sftp
from pysshd.policy.rights import Rights, Values
from pysshd.policy.rights_net import NetRight
from pysshd.policy.ways import EnvWay, PtyWay, SessionWay, Way

_OF_KINDS: Final[dict[type, Way]] = {Session: SessionWay(), Pty: PtyWay()}
_ENV: Final = EnvWay()


class Question(Protocol):
    """One request. It is only asked of grants that may have something to say to its kind (`kinds`)."""

    @property
    def divisible(self) -> bool:
        """Whether a deny may touch a part of it, and leave the rest."""

    def heard(self, rights: Rights) -> bool:
        """Whether an allow of these permissions has something to say to it."""

    def touched(self, rights: Rights) -> bool:
        """Whether a deny of these permissions touches it."""

    def permitted(self, rights: Rights) -> bool:
        """Whether these permissions permit it by themselves; what is heard may also only say how."""

    def found(self, permitting: Sequence[Grant], narrowing: Sequence[Grant]) -> Found:
        """What comes of the allows that were heard and hold, and of the denies that touch a part of it."""


class OnItsKind:
    """Is a terminal permitted, or a session? Permissions that speak of the kind permit it."""

    __slots__ = ("_way",)
    divisible = False

    def __init__(self, request: Request) -> None:
        self._way = _OF_KINDS.get(type(request))

    def heard(self, rights: Rights) -> bool:
        """Always."""
        return True

    touched = permitted = heard

    def found(self, permitting: Sequence[Grant], narrowing: Sequence[Grant]) -> Found:
        """It may be."""
        return Found(self._way, tuple(permitting), "", "permits it") if permitting else REFUSED


class OfVariable:
    """Is a variable accepted?"""

    __slots__ = ("_name",)
    divisible = False

    def __init__(self, name: str) -> None:
        self._name = name

    def heard(self, rights: Rights) -> bool:
        """Whether a pattern is of its form."""
        return any(pattern.matches(self._name) for pattern in rights.accept)

    touched = permitted = heard

    def found(self, permitting: Sequence[Grant], narrowing: Sequence[Grant]) -> Found:
        """It may be put into the environment."""
        return Found(_ENV, tuple(permitting), "", "permits it") if permitting else REFUSED


class OnFile:
    """May this be done at a path?"""

    __slots__ = ("_path", "_request", "_values")
    divisible = False

    def __init__(self, request: Sftp, values: Values) -> None:
        self._request = request
        self._values = values
        self._path = virtual_path(request.path)

    def heard(self, rights: Rights) -> bool:
        """Always: what a grant shows of the host counts for every path, also where its own rights do not reach."""
        return True

    def permitted(self, rights: Rights) -> bool:
        """Whether the right is had at the path."""
        return any(right.permits(self._request.right, self._path) for right in rights.sftp)

    touched = permitted

    def found(self, permitting: Sequence[Grant], narrowing: Sequence[Grant]) -> Found:
        """The operation, in the tree of all of them."""
        return operation(self._request, self._path, permitting, self._values)


class ToReach:
    """May the session reach beyond itself?"""

    __slots__ = ("_asked", "_known", "divisible")

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._known: dict[int, bool] = {}
        self.divisible = asked.divisible

    def _permits(self, right: NetRight) -> bool:
        known = self._known.get(id(right))
        if known is None:
            known = self._known[id(right)] = self._asked.permits(right)
        return known

    def heard(self, rights: Rights) -> bool:
        """Whether one of them permits it wholly."""
        return any(map(self._permits, rights.net))

    permitted = heard

    def touched(self, rights: Rights) -> bool:
        """Whether one of them, denied, touches it."""
        return any(map(self._asked.touches, rights.net))

    def found(self, permitting: Sequence[Grant], narrowing: Sequence[Grant]) -> Found:
        """How it is answered, with what the denies leave of it."""
        return reached(self._asked, permitting, narrowing, self._permits)
