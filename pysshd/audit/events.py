"""What the daemon reports: one row per event, with its level and the sentence that a person reads.

A new event is a new row. The fields of an event are plain values; whatever a peer chose is escaped when it is rendered,
never before, so that JSON and text come from the same record.
"""

import json
import math
from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum

from pysshd.audit.escape import MAX_TEXT, printable
from pysshd.records import dataclass

Value = str | bytes | int | float | bool | None
"""A field: `bytes` is text that a peer chose and that may be no UTF-8."""


class Level(IntEnum):
    """How loud an event is; the numbers are those of syslog (RFC 5424 §6.2.1)."""

    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6
    DEBUG = 7


@dataclass(frozen=True, slots=True)
class EventSpec:
    """The level of an event and its sentence; `{name}` stands for a field."""

    level: Level
    sentence: str


EVENTS: Mapping[str, EventSpec] = {
    "daemon.starting": EventSpec(Level.INFO, "pysshd {version} starts with {policy}"),
    "daemon.sandbox": EventSpec(Level.INFO, "worker sandbox: {holds}"),
    "daemon.note": EventSpec(Level.INFO, "{detail}"),
    "daemon.warning": EventSpec(Level.WARNING, "{detail}"),
    "daemon.tests_failed": EventSpec(
        Level.ERROR,
        "policy {policy} does not do what its tests say: {failed} of {count} fail; it is served all the same",
    ),
    "daemon.listening": EventSpec(Level.INFO, "listening on {address}"),
    "daemon.host_key": EventSpec(Level.INFO, "host key {fingerprint} ({algorithm}) from {file}"),
    "daemon.host_certificate": EventSpec(
        Level.INFO, "host certificate {file} of {authority} for {names}, until {until}"
    ),
    "daemon.rules": EventSpec(Level.INFO, "rules {rules} of {policy} are in force"),
    "reload.accepted": EventSpec(Level.NOTICE, "reloaded: rules {rules} of {policy} are in force"),
    "reload.waits": EventSpec(Level.WARNING, "reloaded: {setting} waits for a restart"),
    "reload.problem": EventSpec(Level.ERROR, "{detail}"),
    "reload.refused": EventSpec(Level.ERROR, "reload refused, rules {rules} go on; problems of {policy}: {count}"),
    "control.refused": EventSpec(Level.WARNING, "{detail}"),
    "daemon.ready": EventSpec(Level.INFO, "ready"),
    "daemon.signal": EventSpec(Level.NOTICE, "{signal} received: {meaning}"),
    "daemon.stopped": EventSpec(Level.INFO, "stopped"),
    "daemon.zygote": EventSpec(Level.WARNING, "zygote {detail}"),
    "daemon.error": EventSpec(Level.ERROR, "{detail}"),
    "log.dropped": EventSpec(Level.ERROR, "{count} log lines were lost because the log could not be written"),
    "connection.opened": EventSpec(Level.INFO, "connection from {source} on {listener}"),
    "connection.refused": EventSpec(Level.WARNING, "connection from {source} refused: {reason}"),
    "connection.negotiated": EventSpec(Level.DEBUG, "{client} uses {kex}, {host_key}, {cipher}"),
    "connection.closed": EventSpec(Level.INFO, "connection from {source} closed after {seconds} s: {reason}"),
    "connection.failed": EventSpec(Level.WARNING, "connection from {source} ended by us: {detail}"),
    "connection.disconnected": EventSpec(Level.DEBUG, "{source} disconnected: {text}"),
    "worker.died": EventSpec(Level.ERROR, "worker {pid} of {source} died: {status}"),
    "worker.hung": EventSpec(Level.ERROR, "worker {pid} of {source} gave no answer for {seconds} s and is killed"),
    "worker.violation": EventSpec(Level.ERROR, "worker of {source} broke the call table and was killed: {detail}"),
    "login.step": EventSpec(Level.INFO, "{account} from {source}: {method} is right, more is needed ({decided_by})"),
    "login.accepted": EventSpec(Level.INFO, "{person} from {source} is in as {account} by {methods} ({decided_by})"),
    "login.key_refused": EventSpec(Level.INFO, "{account} from {source} offered {key}, which is refused: {reason}"),
    "login.refused": EventSpec(Level.WARNING, "{account} from {source} refused with {method}: {reason} ({decided_by})"),
    "request.allowed": EventSpec(Level.INFO, "{person} from {source} may {request} ({decided_by})"),
    "request.refused": EventSpec(Level.WARNING, "{person} from {source} may not {request}: {reason} ({decided_by})"),
    "env.refused": EventSpec(Level.INFO, "{person} from {source} may not {request}: {reason} ({decided_by})"),
    "connection.renewed": EventSpec(Level.DEBUG, "{source} is judged by rules {rules} from now on"),
    "connection.revoked": EventSpec(
        Level.NOTICE, "{person} from {source} may not be in as {account} any more: {reason} ({decided_by})"
    ),
    "session.revoked": EventSpec(
        Level.NOTICE, "{person} from {source} may not {request} any more: {reason} ({decided_by})"
    ),
    "session.started": EventSpec(Level.INFO, "{person} from {source}: {request} runs as process {pid}"),
    "session.failed": EventSpec(Level.ERROR, "{person} from {source}: {request} could not be started: {detail}"),
    "session.turned_away": EventSpec(Level.NOTICE, "{person} from {source}: {request} is only told of {file}"),
    "session.ended": EventSpec(Level.INFO, "{person} from {source}: process {pid} ended with {status}"),
    "session.served": EventSpec(Level.INFO, "{account} from {source}: {request} is served by the server interface"),
    "session.finished": EventSpec(Level.INFO, "{account} from {source}: the server interface is done, {status}"),
    "hook.thread": EventSpec(Level.WARNING, "a thread of the server interface ended: {detail}"),
    "hook.failed": EventSpec(Level.ERROR, "{hook} of the server interface was taken as a refusal: {detail}"),
}


CHOSEN_BY_PEERS = frozenset({"account", "client", "method", "person", "request", "text"})
"""Fields of sentences that hold what a peer chose: without quotes where they are one plain word."""

LONG: Mapping[str, int] = {"trace": 2000}
"""Fields of many words, and how many characters they have at the most: they stand in JSON alone, where a program reads
them (`pysshd why`)."""

_WORD_MARKS = frozenset("._@:/+-*\\")


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One thing that happened: a name of `EVENTS`, when (UTC), and its fields."""

    name: str
    time: datetime
    fields: Mapping[str, Value]

    @property
    def level(self) -> Level:
        """How loud it is."""
        return EVENTS[self.name].level


def as_json(event: AuditEvent) -> str:
    """Return the event as one line of JSON in ASCII, without a line end."""
    record: dict[str, object] = {
        "time": event.time.isoformat(timespec="milliseconds"),
        "level": event.level.name.lower(),
        "event": event.name,
    }
    for name, value in event.fields.items():
        # When it was, how loud and what are ours to say: no field takes their place.
        record[f"{name}_" if name in record else name] = _plain(value, LONG.get(name, MAX_TEXT))
    return json.dumps(record, ensure_ascii=True, allow_nan=False)


def as_text(event: AuditEvent) -> str:
    """Return the event as one line for a person: time, level, the sentence, then the fields it did not name."""
    spec = EVENTS[event.name]
    shown = {name: _shown(value) for name, value in event.fields.items() if name not in LONG}
    worded = {name: _worded(text) if name in CHOSEN_BY_PEERS else text for name, text in shown.items()}
    sentence = spec.sentence.format_map(_Fields(worded))
    rest = " ".join(f"{name}={_quoted(text)}" for name, text in shown.items() if f"{{{name}}}" not in spec.sentence)
    head = f"{event.time.isoformat(timespec='milliseconds')} {spec.level.name.lower():<7} {sentence}"
    return f"{head} [{rest}]" if rest else head


class _Fields(dict[str, str]):
    """A sentence whose field is missing is still worth reading."""

    def __missing__(self, name: str) -> str:
        return "?"


def _plain(value: Value, most: int) -> str | int | float | None:
    if isinstance(value, str | bytes):
        return printable(value, most)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _shown(value: Value) -> str:
    return printable(value) if isinstance(value, str | bytes) else "-" if value is None else str(value)


def _worded(text: str) -> str:
    """One word of a sentence: in quotes where it could be read as more, so that no name says a sentence of its own."""
    plain = text and all(c.isalnum() or c in _WORD_MARKS for c in text)
    return text if plain else json.dumps(text, ensure_ascii=False)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if not text or any(c in ' "[]=' for c in text) else text
