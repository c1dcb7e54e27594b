"""What pysshd is held to: a table, most of it relative to OpenSSH in the same run. Shown, never asserted."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.bench.measures.base import Figure
from tests.bench.servers.pysshd import PYSSHD, PYSSHD_SHARED
from tests.bench.servers.registry import ENGINE

ONE, SHARED = PYSSHD.name, PYSSHD_SHARED.name


@dataclass(frozen=True, slots=True)
class Target:
    """The bound of one figure of the benchmarks that `pattern` matches, by the name of our server.

    `relative`: of our figure divided by OpenSSH's, else of our figure itself, in its own unit.
    """

    pattern: str
    figure: str
    bounds: Mapping[str, float]
    relative: bool = True


def _both(bound: float) -> dict[str, float]:
    return {ONE: bound, SHARED: bound}


TARGETS = (
    Target("*-aes*-gcm", "speed", _both(1.2)),
    Target("download-aes*-gcm", "server cpu", _both(0.85)),
    Target("upload-aes*-gcm", "server cpu", _both(0.6)),
    Target("*-chacha20", "speed", _both(1.0)),
    Target("*-aes*-ctr", "speed", _both(1.0)),
    Target("login-*", "server cpu", {ONE: 0.4, SHARED: 0.12}),
    Target("login-sixteen", "rate", {ONE: 2.0, SHARED: 4.0}),
    Target("command", "time", _both(1.0)),
    Target("echo-idle", "p50", _both(1.3)),
    Target("echo-*", "p50", _both(1.5)),
    Target("idle", "memory", {ONE: 4000.0, SHARED: 25.0}, relative=False),
    Target("start", "first banner", _both(400.0), relative=False),
    Target("policy-load", "cpu", {ENGINE: 1.0}, relative=False),
    Target("policy-load-large", "cpu", {ENGINE: 10.0}, relative=False),
    Target("policy-load-large", "process", {ENGINE: 100.0}, relative=False),
    Target("policy-decide", "median", {ENGINE: 20.0}, relative=False),
    *(Target("policy-patterns", name, {ENGINE: 1.0}, relative=False)
      for name in ("glob", "regex", "path", "host", "command")),
)  # fmt: skip
"""The first that matches holds."""


def target_of(benchmark: str, figure: str, server: str) -> tuple[Target, float] | None:
    """The target of a figure of one of our servers and its bound; None where there is none."""
    for target in TARGETS:
        if fnmatchcase(benchmark, target.pattern) and target.figure == figure and server in target.bounds:
            return target, target.bounds[server]
    return None


def distance(figure: Figure, target: Target, bound: float, ours: float, reference: float | None) -> float | None:
    """How far a figure is from its target: 1.0 is on it, more is worse; None where it can not be told."""
    if target.relative and not reference:
        return None
    found = ours / reference if target.relative and reference else ours
    if figure.more:
        return bound / found if found > 0 else float("inf")
    return found / bound
