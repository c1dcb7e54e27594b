"""What may go wrong."""


class TroubleError(Exception):
    """A server or a client does not do what a measurement needs; the text says which, and what was seen."""
