"""A sink never waits: what its descriptor does not take is counted, and the gap is told (S127)."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pysshd.audit.events import Level
from pysshd.audit.sinks import MAX_LINE, AuditLog, DescriptorSink
from tests.audit.canaries import CANARIES, harmless

NOW = datetime(2027, 3, 1, tzinfo=UTC)


def log_to(descriptor: int, form: str = "json", level: Level = Level.INFO) -> tuple[AuditLog, DescriptorSink]:
    sink = DescriptorSink(descriptor, form, level)
    return AuditLog((sink,), lambda: NOW), sink


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe of four pages, blocking on both ends."""
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 16384)
    yield out, into
    for descriptor in (out, into):
        try:
            os.close(descriptor)
        except OSError:
            pass


def test_lines_arrive_whole(pipe: tuple[int, int]) -> None:
    log, _ = log_to(pipe[1])
    log.write("daemon.listening", address="127.0.0.1:2222")
    log.write("daemon.ready")
    lines = os.read(pipe[0], 4096).decode().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["daemon.listening", "daemon.ready"]


def test_quieter_events_are_left_out(pipe: tuple[int, int]) -> None:
    log, _ = log_to(pipe[1], "text", Level.WARNING)
    log.write("daemon.ready")
    log.write("daemon.warning", detail="look")
    assert os.read(pipe[0], 4096).decode().splitlines()[0].endswith("warning look")


def test_an_event_that_is_not_in_the_table_is_our_mistake(pipe: tuple[int, int]) -> None:
    log, _ = log_to(pipe[1])
    with pytest.raises(KeyError, match="no row"):
        log.write("nobody.knows")


@pytest.mark.security("S127")
def test_a_full_pipe_never_blocks_and_the_gap_is_told(pipe: tuple[int, int]) -> None:
    log, sink = log_to(pipe[1])
    started = time.monotonic()
    for number in range(500):
        log.write("daemon.note", detail=f"line {number}")
    assert time.monotonic() - started < 5
    written = os.read(pipe[0], 1 << 16).decode().splitlines()
    lost = sink.dropped
    assert len(written) + lost == 500
    assert lost > 300
    log.write("daemon.note", detail="later")
    first, second = map(json.loads, os.read(pipe[0], 1 << 16).decode().splitlines())
    assert (first["event"], first["count"]) == ("log.dropped", lost)
    assert second["detail"] == "later"
    assert sink.dropped == 0


@pytest.mark.security("S127")
def test_a_descriptor_that_is_closed_or_full_is_counted() -> None:
    out, into = os.pipe()
    log, sink = log_to(into)
    os.close(out)
    log.write("daemon.ready")
    os.close(into)
    log.write("daemon.ready")
    assert sink.dropped == 2
    with open("/dev/full", "wb", buffering=0) as full:
        log, sink = log_to(full.fileno())
        for _ in range(3):
            log.write("daemon.ready")
        assert sink.dropped == 3


@pytest.mark.security("S127")
def test_a_line_taken_in_part_is_ended_before_another_begins(tmp_path: Path) -> None:
    """A disk that fills in the middle of a line: half a line is never joined with the next."""
    written = bytearray()
    room = [40, 0, 0]

    def write(descriptor: int, data: bytes) -> int:
        taken = min(room.pop(0), len(data)) if room else len(data)
        written.extend(data[:taken])
        return taken

    with pytest.MonkeyPatch.context() as patch, (tmp_path / "log").open("wb") as file:
        log, sink = log_to(file.fileno())
        patch.setattr("pysshd.audit.sinks.os.write", write)
        for number in range(5):
            log.write("daemon.note", detail=f"line {number}")
    made = [json.loads(line) for line in written.decode().splitlines()]
    assert [entry.get("detail", entry.get("count")) for entry in made] == ["line 0", 2, "line 3", "line 4"]
    assert sink.dropped == 0


def test_a_stream_socket_gets_whole_lines() -> None:
    """What systemd gives a service as its standard error."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        log, sink = log_to(ours.fileno())
        for number in range(20_000):
            log.write("daemon.note", detail=f"line {number}")
        assert sink.dropped > 0
        ours.shutdown(socket.SHUT_WR)
        with theirs.makefile("rb") as stream:
            lines = [json.loads(line) for line in stream]
    assert [entry["detail"] for entry in lines] == [f"line {number}" for number in range(len(lines))]


@pytest.mark.security("S119", "S127")
@pytest.mark.parametrize("form", ["text", "json"])
def test_every_line_fits_a_pipe_whatever_the_fields_hold(form: str, pipe: tuple[int, int]) -> None:
    log, sink = log_to(pipe[1], form, Level.DEBUG)
    for name in ("daemon.error", "login.refused", "request.refused", "connection.failed"):
        for value in CANARIES.values():
            many = {f"field_{number}": value for number in range(16)}
            for fields in ({"detail": value, "account": value, "reason": value, **many}, {"x" * 60_000: value}):
                log.write(name, **fields)
                data = os.read(pipe[0], 1 << 16)
                assert len(data) <= MAX_LINE
                assert data.endswith(b"\n")
                assert data.count(b"\n") == 1
                assert harmless(data[:-1].decode())
                if form == "json":
                    assert json.loads(data)["event"] == name
    assert sink.dropped == 0
