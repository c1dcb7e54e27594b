"""Write the expected words of cases anew: `python -m tests.policy.renew broken/NAME odd differences/NAME matrices`.

It takes what the code says now, so that whoever runs it has to read the difference: `git diff tests/policy`.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from pysshd.policy.load import load_text
from tests.policy import test_broken, test_diff_words, test_matrix_words, test_odd

HERE = Path(__file__).parent


def _broken(name: str) -> str:
    return "\n".join(problem.render() for problem in test_broken.problems_of(name)) + "\n"


def _odd(name: str) -> str:
    text = (test_odd.FOLDER / f"{name}.yaml").read_text("utf-8")
    return "\n".join(problem.render() for problem in load_text(text, f"{name}.yaml", language=True).warnings) + "\n"


def _difference(name: str) -> str:
    old, new, _ = (test_diff_words.FOLDER / f"{name}.txt").read_text("utf-8").split("---\n")
    return "---\n".join([old, new, "".join(f"{line}\n" for line in test_diff_words.lines_of(old, new, name))])


def _matrix(name: str) -> str:
    return "\n".join(test_matrix_words.made(name)) + "\n"


KINDS: dict[str, tuple[Callable[[str], str], str]] = {
    "broken": (_broken, "yaml"),
    "odd": (_odd, "yaml"),
    "differences": (_difference, "txt"),
    "matrices": (_matrix, "txt"),
}
"""By folder: the words of a case, and how the file ends by whose name it is known."""


def main(wanted: list[str]) -> None:
    """Renew the cases of whole folders, or single ones."""
    for one in wanted:
        folder, _, name = one.partition("/")
        words, ending = KINDS[folder]
        for case in [name] if name else sorted(path.stem for path in (HERE / folder).glob(f"*.{ending}")):
            (HERE / folder / f"{case}.txt").write_text(words(case), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:] or list(KINDS))
