"""Recorded sessions, replayed: the same bytes and events for the same input, for each key exchange and cipher."""

from pathlib import Path

import pytest

from tests.ssh.stack.recording import RECORDED, Recording, name_of, shown, suites


def test_every_suite_is_recorded() -> None:
    assert {path.stem for path in RECORDED} == {name_of(*suite) for suite in suites()}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_replay(path: Path) -> None:
    recording = Recording.load(path)
    house = recording.house()
    for number, turn in enumerate(recording.turns):
        house.feed(turn.client)
        assert house.output() == turn.server, f"turn {number}"
    assert shown(house.events) == recording.events
    assert house.stack.closed
