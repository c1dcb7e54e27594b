"""What libraries would have run in every fork, and what nobody here needs."""

import os


def refuse_hooks() -> None:
    """Let no module that is imported from now on register anything with `os.register_at_fork`.

    `random` seeds itself anew in every fork: 50 pages that a worker would copy for numbers that it never asks for.
    Nothing below the zygote may rely on `random`: keys, cookies and padding come from the kernel.
    """
    os.register_at_fork = _refused  # type: ignore[assignment,unused-ignore]


def _refused(**_: object) -> None:
    """Nothing is registered."""
