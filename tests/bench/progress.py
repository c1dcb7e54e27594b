"""Says on standard error how far a run is: one line that changes on a terminal, else one line for each round."""

import sys
import time


class Progress:
    """Counts steps of a run of `total`."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._started = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def round(self, number: int, rounds: int) -> None:
        """A round begins."""
        if not self._terminal:
            print(f"round {number} of {rounds}, after {time.monotonic() - self._started:.0f} s", file=sys.stderr)

    def step(self, text: str) -> None:
        """A step begins."""
        if self._terminal:
            print(f"\r\033[K  {self._done}/{self._total}  {text}{self._rest()}", end="", file=sys.stderr, flush=True)
        self._done += 1

    def _rest(self) -> str:
        if self._done < 5:
            return ""
        seconds = (time.monotonic() - self._started) / self._done * (self._total - self._done)
        return f"  about {seconds:.0f} s more" if seconds < 100 else f"  about {seconds / 60:.0f} min more"

    def end(self) -> None:
        """Nothing more comes."""
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
