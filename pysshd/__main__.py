"""Lets `python -m pysshd` do what the console script does."""

from pysshd.cli.entry import main

if __name__ == "__main__":
    main()
