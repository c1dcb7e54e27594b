"""A process serves connections to itself."""

import contextlib
import gc
import os
import time

import pytest

from pysshd.errors import BoundaryError
from pysshd.processes.worker import rehearsal
from pysshd.processes.worker.driver import Driver
from pysshd.processes.worker.relay import Relay
from pysshd.ssh.events.requests import ExecRequested


def test_each_goes_from_the_first_byte_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client does with OpenSSH's ssh is done here too: two ciphers, a key, a command, its output and its end."""
    seen: list[str] = []
    taken, asked, started = Driver._keys_taken, Driver._handle, Relay.start_pipes

    def keys_taken(driver: Driver, event: object) -> None:
        seen.append(event.ciphers[0])  # type: ignore[attr-defined]
        taken(driver, event)  # type: ignore[arg-type]

    def handle(driver: Driver, happened: list[object]) -> None:
        seen.extend("exec" for event in happened if isinstance(event, ExecRequested))
        asked(driver, happened)  # type: ignore[arg-type]

    def start_pipes(relay: Relay, *descriptors: int) -> None:
        seen.append("pipes")
        started(relay, *descriptors)

    monkeypatch.setattr(Driver, "_NOTICES", {**Driver._NOTICES, _type_of_keys_taken(): keys_taken})
    monkeypatch.setattr(Driver, "_handle", handle)
    monkeypatch.setattr(Relay, "start_pipes", start_pipes)
    rehearsal.rehearse(2)
    assert seen == [
        *("aes128-gcm@openssh.com", "exec", "pipes"),
        *("chacha20-poly1305@openssh.com", "exec", "pipes"),
    ]


def _type_of_keys_taken() -> type:
    (found,) = [event for event, act in Driver._NOTICES.items() if act is Driver._keys_taken]
    return found


def test_nothing_is_kept_and_nobody_waited_for() -> None:
    rehearsal.rehearse(1)
    # What other tests left to be collected may go meanwhile, and is not counted.
    gc.collect()
    before, start = open_descriptors(), time.monotonic()
    rehearsal.rehearse(4)
    # One connection that is lingered for takes a second.
    assert time.monotonic() - start < 1
    assert open_descriptors() <= before


def open_descriptors() -> set[tuple[str, str]]:
    """The number of each open descriptor, and what it is of: an epoll, a pipe, a socket, by its inode."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        # One of them was that of the list itself.
        with contextlib.suppress(FileNotFoundError):
            found.add((number, os.readlink(f"/proc/self/fd/{number}")))
    return found


def test_one_that_ends_early_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "_OURS", b"SSH-1.5-rehearsal")
    with pytest.raises(BoundaryError, match="rehearsal ended early: protocol failure"):
        rehearsal.rehearse(1)
