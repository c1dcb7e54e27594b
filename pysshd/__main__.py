"""Lets `python -m pysshd` do what the console script does."""

from pysshd.cli.main import main

if __name__ == "__main__":
    main()
