"""What the test command prints."""

import sys
from collections.abc import Iterable

GREEN, YELLOW, RED, BOLD, DIM = "32", "33", "31", "1", "2"


def paint(text: str, colour: str) -> str:
    """`text` in the ANSI `colour` where standard output is a terminal, else as it is."""
    return f"\033[{colour}m{text}\033[0m" if sys.stdout.isatty() else text


def say(text: str = "") -> None:
    """Print one line at once, and whole: it must stand before what a child process prints, or another thread."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def head(text: str) -> None:
    """Print the head of a part."""
    say(paint(f"== {text}", BOLD))


def note(text: str) -> None:
    """Print one step of the preparations."""
    say(paint(f"   {text}", DIM))


def verdict(name: str, good: bool, seconds: float, detail: str = "") -> None:
    """Print the result of one gate."""
    mark = paint("ok  ", GREEN) if good else paint("FAIL", RED)
    say(f"{mark} {name:<14} {seconds:6.1f} s  {detail}".rstrip())


def block(text: str) -> None:
    """Print the output of a gate that failed, set off from our own."""
    for line in text.rstrip().splitlines():
        say(f"   | {line}")


def bullets(lines: Iterable[str], indent: int = 2) -> None:
    """Print a list."""
    for line in lines:
        say(f"{' ' * indent}- {line}")
