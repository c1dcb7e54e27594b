"""The connections of a worker that serves many: one that is over leaves nothing behind in it."""

import gc
import socket
import weakref

import pytest

from pysshd.processes.boundary.calls.connection import TakeSeat
from pysshd.processes.boundary.socket import Endpoint
from pysshd.processes.worker.loop import Loop
from pysshd.processes.worker.program import Seats
from tests.processes.worker.house import ASSIGN
from tests.ssh.client.raw import RawClient


@pytest.mark.security("S116")
def test_a_connection_that_is_over_is_held_by_no_deadline_that_it_had() -> None:
    loop = Loop()
    control, theirs = Endpoint.pair()
    seats = Seats(theirs, loop)
    monitor, end = Endpoint.pair()
    client, served = socket.socketpair()
    with control, monitor, client:
        control.send(TakeSeat(ASSIGN.encode()).encode(), [end.fileno(), served.fileno()])
        end.close()
        served.close()
        seats._heard(0)
        (seat,) = seats._taken
        driver = weakref.ref(seat._driver)
        raw = RawClient(host_keys=("ssh-ed25519",))
        raw.begin()
        client.sendall(raw.output())
        loop._serve(loop._core.epoll.poll(0), 0.0)
        assert loop._core.heap, "it waits for the end of the key exchange, an interval of silence, ..."
        del seat
        client.close()
        loop._serve(loop._core.epoll.poll(0), 0.0)
        assert not seats._taken
        gc.collect()
        assert driver() is None
    theirs.close()
    loop.close()
