"""How long a refusal waits, so that its time tells nothing of what was looked up (security.md S70)."""


def padded_delay(started: float, now: float, floor: float) -> float:
    """Seconds still to wait before a refusal that began at `started` is answered; all in monotonic seconds.

    The whole takes `floor`, or, where the work alone took longer, the next of `floor` times 2, 4, 8, …: so what is seen
    from outside is a rough step and never the time of the work. A floor of zero or less waits for nothing.
    """
    spent = max(0.0, now - started)
    if floor <= 0:
        return 0.0
    whole = floor
    while whole < spent:
        whole *= 2
    return whole - spent
