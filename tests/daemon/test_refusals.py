"""A storm of refused connections leaves a sample and a count, and loses nothing."""

import json
import os
from datetime import UTC, datetime

from pysshd.audit.sinks import AuditLog, DescriptorSink
from pysshd.daemon.refusals import BURST, PER_SECOND, Refusals


def test_a_storm_is_sampled_and_counted() -> None:
    reading, writing = os.pipe()
    now = 100.0
    log = AuditLog((DescriptorSink(writing, "json"),), lambda: datetime.now(UTC))
    refusals = Refusals(log, lambda: now)
    for number in range(1000):
        refusals.write(f"192.0.2.1:{number}", "*:22", "full")
    now += 1.0
    refusals.write("192.0.2.2:1", "*:22", "full")
    os.close(writing)
    with open(reading) as stream:
        lines = [json.loads(line) for line in stream]
    assert len(lines) == BURST + 1
    assert lines[-1]["source"] == "192.0.2.2:1"
    assert sum(line.get("unwritten_before", 0) for line in lines) + len(lines) == 1001


def test_a_few_a_second_are_all_written() -> None:
    reading, writing = os.pipe()
    now = 0.0
    refusals = Refusals(AuditLog((DescriptorSink(writing, "json"),), lambda: datetime.now(UTC)), lambda: now)
    for _ in range(60):
        refusals.write("192.0.2.1:1", "*:22", "full")
        now += 1 / PER_SECOND
    os.close(writing)
    with open(reading) as stream:
        lines = [json.loads(line) for line in stream]
    assert len(lines) == 60
    assert not any("unwritten_before" in line for line in lines)
