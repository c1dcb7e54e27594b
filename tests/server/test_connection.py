"""What a server may know of its connection, and that only the daemon writes it."""

import dataclasses
from ipaddress import IPv6Address

import pytest

from pysshd.policy import query
from pysshd.policy.query import Step
from pysshd.server import requests
from pysshd.server.connection import Connection, Progress, ProgressWriter
from pysshd.server.interface import ServerInterface
from tests.server.house import FakeClock


def test_progress_follows_its_writer_and_takes_nothing_itself() -> None:
    writer = ProgressWriter()
    view = writer.view
    assert (view.steps, view.stage) == ((), None)
    writer.ask("probe")
    assert view.stage == "probe"
    writer.ask(None)
    writer.succeeded("publickey", "SHA256:x")
    writer.succeeded("password")
    assert view.steps == (Step("publickey", "SHA256:x"), Step("password"))
    for name in ("steps", "stage", "other"):
        with pytest.raises(AttributeError):
            setattr(view, name, ())


def test_a_connection_is_frozen_and_a_factory_is_called_with_it() -> None:
    class Mine(ServerInterface):
        def __init__(self, connection: Connection) -> None:
            self.connection = connection

    made = Mine(Connection(IPv6Address("::1"), "[::1]:2222", "SSH-2.0-x", FakeClock(), Progress()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.connection.client = "other"  # type: ignore[misc]
    assert made.connection.progress.steps == ()


def test_requests_are_those_of_the_policy() -> None:
    assert requests.Request is query.Request
    assert all(getattr(requests, name) is getattr(query, name) for name in requests.__all__)
