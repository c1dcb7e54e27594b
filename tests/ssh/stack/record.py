"""Record the sessions anew: `python -m tests.ssh.stack.record`.

Needed only where what goes over the wire was changed on purpose; look at the difference before it is kept.
"""

from tests.ssh.stack.recording import FOLDER, record, suites


def main() -> None:
    """Write every session."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for suite in suites():
        record(*suite).save()


if __name__ == "__main__":
    main()
