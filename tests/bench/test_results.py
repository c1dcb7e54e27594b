"""Medians, targets, the order of the table, and what stands in the record."""

import json
import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import record, table
from tests.bench.benchmarks import BENCHMARKS, chosen
from tests.bench.measures.base import QUICK
from tests.bench.options import SERVERS as NAMES
from tests.bench.options import parse
from tests.bench.results import Results, Spread, rows, spread_of
from tests.bench.run import rotated, sizes_of
from tests.bench.servers.registry import ENGINE, OURS, SERVERS
from tests.bench.targets import TARGETS, distance, target_of

GCM = BENCHMARKS["download-aes128-gcm"]
START = BENCHMARKS["start"]


def made() -> Results:
    results = Results()
    for speed in (100.0, 300.0, 110.0):
        results.add(GCM, "pysshd", {"speed": speed, "server cpu": 1.0})
        results.add(GCM, "openssh", {"speed": 100.0, "server cpu": 2.0})
    results.add(START, "pysshd", {"first banner": 1000.0})
    return results


def test_a_spread_is_median_and_bounds() -> None:
    assert spread_of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert spread_of([1.0, 2.0]) == Spread(1.5, 1.0, 2.0)
    assert spread_of([]) is None


def test_rows_are_worst_first_and_judged_by_their_targets() -> None:
    found = [(row.benchmark.name, row.figure.name, row.ratio, row.met) for row in rows(made())]
    assert found == [
        ("start", "first banner", None, False),
        ("download-aes128-gcm", "speed", 1.1, False),
        ("download-aes128-gcm", "server cpu", 0.5, True),
    ]


def test_the_table_says_it_for_a_person() -> None:
    lines = table.lines(made())
    assert re.search(r"start +first banner, ms +connection +1000 +– +– +– +≤ 400 ms +not met", lines[1])
    assert re.search(r"110 \(100–300\) +100 +– +1\.10× +≥ 1\.2× +not met", lines[2])
    assert table.verdict(made()) == "1 of 3 targets met"


def test_what_needs_no_server_has_a_row_and_targets_of_its_own() -> None:
    results = Results()
    results.add(BENCHMARKS["policy-load"], ENGINE, {"cpu": 2.0})
    assert [(row.benchmark.name, row.ratio, row.met) for row in rows(results)] == [("policy-load", None, False)]
    assert re.search(r"policy-load +cpu, CPU s +– +2\.00 +– +– +– +≤ 1 CPU s +not met", table.lines(results)[1])


def test_what_is_not_known_is_left_out() -> None:
    results = Results()
    results.add(BENCHMARKS["idle"], "pysshd", {"memory": None, "processes": 1.0})
    assert [row.figure.name for row in rows(results)] == ["processes"]
    assert results.unknown == {"idle, memory"}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.pattern} {target.figure}")
def test_a_target_is_of_a_figure_that_is_measured(target: object) -> None:
    held = [
        found[0]
        for benchmark in BENCHMARKS.values()
        for figure in benchmark.figures
        for server in (*OURS, ENGINE)
        if (found := target_of(benchmark.name, figure.name, server)) is not None
    ]
    assert any(found is target for found in held)


def test_the_distance_grows_with_what_is_missing() -> None:
    speed, cpu = GCM.figures
    more, less = TARGETS[0], TARGETS[1]
    assert distance(speed, more, 1.2, ours=120.0, reference=100.0) == pytest.approx(1.0)
    assert distance(speed, more, 1.2, ours=60.0, reference=100.0) == pytest.approx(2.0)
    assert distance(cpu, less, 0.85, ours=1.7, reference=1.0) == pytest.approx(2.0)
    assert distance(cpu, less, 0.85, ours=1.7, reference=None) is None


def test_the_record_has_every_round_and_nothing_of_the_host() -> None:
    kept = record.whole(made(), QUICK, {"pysshd": {"version": "1"}}, {"asyncssh": "why"}, record.machine())
    text = json.dumps(kept)
    assert {"rounds": [100.0, 300.0, 110.0], "unit": "MB/s"}.items() <= kept["figures"][0].items()
    assert kept["sizes"]["rounds"] == QUICK.rounds
    assert {"cpus", "kernel", "python", "cryptography"} <= kept["machine"].keys()
    assert [target["met"] for target in kept["targets"]] == [False, False, True]
    assert socket.gethostname() not in text.split('"')
    assert str(Path.home()) not in text or Path.home() == Path("/")


def test_benchmarks_are_chosen_by_their_names() -> None:
    assert chosen(()) == tuple(BENCHMARKS.values())
    assert [each.name for each in chosen(("login", "down*-chacha20"))] == [
        "download-chacha20",
        "login-one",
        "login-sixteen",
    ]
    with pytest.raises(ValueError, match="no benchmark"):
        chosen(("log",))


def test_the_command_line_knows_the_servers_and_the_sizes() -> None:
    assert tuple(SERVERS) == NAMES
    assert sizes_of(parse(["--quick"])) == QUICK
    assert sizes_of(parse(["--quick", "--rounds", "7"])) == replace(QUICK, rounds=7)
    with pytest.raises(SystemExit):
        parse(["--rounds", "0"])


def test_each_round_begins_with_another_server() -> None:
    servers = ["a", "b", "c"]
    assert ["".join(rotated(servers, number)) for number in range(4)] == ["abc", "bca", "cab", "abc"]
