"""Ports and ranges of them."""

import re
from collections.abc import Iterable

from pysshd.records import dataclass

LAST_PORT = 65535
_PORT = re.compile(r"[1-9][0-9]{0,4}")


class PortsError(ValueError):
    """A text is no port and no range: the message says what it is."""


@dataclass(frozen=True, slots=True, order=True)
class Ports:
    """The ports from `first` to `last`, both among them."""

    first: int
    last: int

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    @property
    def all(self) -> bool:
        """Whether it is every port."""
        return self == EVERY_PORT

    def __str__(self) -> str:
        return "*" if self.all else str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


EVERY_PORT = Ports(1, LAST_PORT)


def parse_ports(text: str) -> Ports:
    """`5432`, `1024-2000`, or `*` for every port. Raises PortsError."""
    if text == "*":
        return EVERY_PORT
    first, dash, last = text.partition("-")
    numbers = [_port(number) for number in ((first, last) if dash else (first,))]
    if numbers[0] > numbers[-1]:
        raise PortsError(f"expected a range that begins before it ends: {numbers[-1]}-{numbers[0]}")
    return Ports(numbers[0], numbers[-1])


def _port(text: str) -> int:
    if not (text.isascii() and _PORT.fullmatch(text)) or int(text) > LAST_PORT:
        raise PortsError(f"expected a port from 1 to {LAST_PORT}, a range such as 1024-2000, or '*'")
    return int(text)


def ports_left(given: Iterable[Ports], taken: Iterable[Ports]) -> tuple[Ports, ...]:
    """What is left of the given ports without the taken ones: sorted, and none touches another."""
    left: list[Ports] = []
    for ports in sorted(given):
        if left and ports.first <= left[-1].last + 1:
            left[-1] = Ports(left[-1].first, max(left[-1].last, ports.last))
        else:
            left.append(ports)
    for away in taken:
        pieces = [(Ports(one.first, min(one.last, away.first - 1)), Ports(max(one.first, away.last + 1), one.last))
                  for one in left]  # fmt: skip
        left = [piece for pair in pieces for piece in pair if piece.first <= piece.last]
    return tuple(left)
