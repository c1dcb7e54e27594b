"""What a program has not taken yet: every byte once and in order, and no more memory than there are bytes."""

import os
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from pysshd.processes.worker.backlog import Backlog
from pysshd.ssh.transport.scratch import BLOCK_SIZE, Blocks


@given(
    st.lists(
        st.tuples(st.one_of(st.integers(0, 50), st.integers(20_000, 50_000)), st.integers(0, 1 << 16)), max_size=20
    )
)
def test_every_byte_once_and_in_order(steps: list[tuple[int, int]]) -> None:
    pieces = [os.urandom(size) for size, _ in steps]
    out, into = os.pipe()
    os.set_blocking(into, False)
    backlog, came, size = Backlog(blocks := Blocks()), b"", 0
    try:
        for piece, (_, taken) in zip(pieces, steps, strict=True):
            backlog.append(memoryview(piece))
            size += len(piece)
            assert len(came) + len(backlog) <= size
            if taken:
                backlog.write_to(into)
                waiting = size - len(backlog) - len(came)
                came += os.read(out, taken) if waiting else b""
        while len(came) < size:
            backlog.write_to(into)
            came += os.read(out, 1 << 20)
        assert came == b"".join(pieces)
        assert len(backlog) == backlog.clear() == 0
        assert not pieces or len(blocks) == len({id(block.obj) for block in blocks.free})
    finally:
        os.close(out)
        os.close(into)


def test_single_bytes_cost_about_a_byte() -> None:
    backlog = Backlog(Blocks())
    byte = memoryview(b"x")
    tracemalloc.start()
    try:
        for _ in range(1 << 17):
            backlog.append(byte)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < BLOCK_SIZE + (1 << 16)
    assert backlog.clear() == 1 << 17
