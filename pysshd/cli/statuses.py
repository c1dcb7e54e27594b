"""The exit statuses of whatever does not end as asked."""

from typing import Final

REFUSED: Final = 2
"""Of everything that could not begin."""

STOPPED: Final = 130
"""Where a person stopped it before it served."""
