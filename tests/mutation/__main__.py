"""The mutation command; `python3 -m tests.mutation --help` says more."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (this file alone must start on any Python 3, to be able to say so)
    sys.exit(f"python {sys.version.split()[0]} is too old for pysshd: start this with Python 3.11 or newer")

if __name__ == "__main__":
    from tests.mutation.ground import main

    sys.exit(main(sys.argv[1:]))
