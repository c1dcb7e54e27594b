"""Files beside the main one that may give access."""

from pysshd.policy.model import Document
from pysshd.policy.model_include import GRANTING
from pysshd.policy.report import Report, one_of


def warn_granting_files(document: Document, report: Report) -> None:
    """Report entries of `include` whose files may hold what grants."""
    for entry in document.include:
        granting = [section for section in entry.may if section.text in GRANTING]
        if granting:
            names = one_of([section.text for section in granting])
            report.warning(granting[0].mark, f"these files may hold {names}: whoever writes one of them may grant",
                           "keep that in the main file, or guard them as you guard that")  # fmt: skip
