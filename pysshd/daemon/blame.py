"""Says of what can not start where in the policy it was asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

from pysshd.errors import StartupError


@contextmanager
def blamed_on(where: str | None) -> Iterator[None]:
    """Put `file:line:column` before a StartupError of the block; nothing where the policy is silent about it."""
    try:
        yield
    except StartupError as error:
        if not where:
            raise
        raise StartupError(f"{where}: {error}") from None
