"""A person at a terminal: the real client on a pseudo-terminal of the test, which types and reads."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.live.client import ENVIRONMENT, Client

PROMPT = "ready> "


class Terminal:
    """A client that runs on a terminal, and everything that it has shown."""

    def __init__(
        self, client: Client, *words: str, size: tuple[int, int] = (31, 101), term: str | None = "xterm", **more: Any
    ) -> None:
        self.master, self._slave = os.openpty()
        self._size(*size)
        self.shown = b""
        environment = {name: value for name, value in ENVIRONMENT.items() if name != "TERM"}
        self._start = (client.words(*words, **more), {**environment, **({"TERM": term} if term is not None else {})})
        self._read = 0

    def mode(self, **characters: str) -> None:
        """Change control characters of the client's terminal before it starts (`VINTR="^G"`)."""
        modes = termios.tcgetattr(self._slave)
        for name, value in characters.items():
            modes[6][getattr(termios, name)] = bytes([ord(value[1]) & 0x1F])
        termios.tcsetattr(self._slave, termios.TCSANOW, modes)

    def flags(self, place: int, on: int = 0, off: int = 0) -> None:
        """Change flags of the client's terminal before it starts; `place` counts as in `termios.tcgetattr`."""
        modes = termios.tcgetattr(self._slave)
        modes[place] = modes[place] & ~off | on
        termios.tcsetattr(self._slave, termios.TCSANOW, modes)

    def start(self) -> None:
        """Start the client."""
        words, environment = self._start
        end = self._slave
        self.process = subprocess.Popen(
            words, stdin=end, stdout=end, stderr=end, env=environment, start_new_session=True
        )

    def type(self, text: str) -> None:
        """Press keys; `\\x03` is control C."""
        os.write(self.master, text.encode())

    def line(self, text: str) -> None:
        """Type a line."""
        self.type(text + "\r")

    def see(self, pattern: str, within: float = 15.0) -> "re.Match[str]":
        """Wait for what matches, after what was seen before, and go on behind it."""
        end = time.monotonic() + within
        while True:
            text = self.shown[self._read :].decode(errors="replace")
            if found := re.search(pattern, text):
                self._read += len(text[: found.end()].encode())
                return found
            assert time.monotonic() < end, f"{pattern!r} is not in {text!r} within {within} s"
            # Asked before: what a client says last may come between a look at the terminal and one at the client.
            gone = self.process.poll() is not None
            assert self.take() or not gone, f"{pattern!r} is not in {text!r}, and the client is gone"

    def ask(self, command: str) -> str:
        """Run a command at the prompt, and what it says."""
        self.line(f"echo be''gin; {command}; echo en''d")
        found = self.see(r"(?s)begin\r+\n(.*?)end\r+\n")
        self.see(PROMPT)
        return found[1].replace("\r", "")

    def take(self, within: float = 0.1) -> bytes:
        """Read what is there."""
        ready, _, _ = select.select([self.master], [], [], within)
        try:
            data = os.read(self.master, 65536) if ready else b""
        except OSError:
            data = b""
        self.shown += data
        return data

    def resize(self, rows: int, columns: int) -> None:
        """Make the window another size, as a window manager does."""
        self._size(rows, columns)
        self.process.send_signal(signal.SIGWINCH)

    def _size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 640, 480))

    def end(self, within: float = 15.0) -> int:
        """The client's exit status, once it has ended."""
        end = time.monotonic() + within
        while self.process.poll() is None:
            self.take(0.02)
            assert time.monotonic() < end, f"the client did not end within {within} s: {self.shown!r}"
        while self.take(0.02):
            pass
        return self.process.returncode

    def close(self) -> None:
        """Hang up."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        os.close(self.master)
        os.close(self._slave)


@contextmanager
def at_terminal(client: Client, *words: str, **more: Any) -> Iterator[Terminal]:
    """A client on a terminal: it has started, and is ended after the block."""
    made = Terminal(client, *words, **more)
    made.start()
    try:
        yield made
    finally:
        made.close()


@contextmanager
def at_prompt(client: Client, **more: Any) -> Iterator[Terminal]:
    """A shell of no habits at its prompt."""
    with at_terminal(client, f"PS1='{PROMPT}' exec bash --norc --noprofile -i", options=("-tt",), **more) as made:
        made.see(PROMPT)
        yield made
