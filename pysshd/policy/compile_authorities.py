"""From the models of `authorities` to what the engine reads."""

from datetime import tzinfo

from pysshd.policy.authorities import Authority
from pysshd.policy.compile_people import key_of, key_problem
from pysshd.policy.keyfiles import KeyFiles
from pysshd.policy.model import Document
from pysshd.policy.report import Report


def authorities_of(
    document: Document, key_files: KeyFiles | None, zone: tzinfo, report: Report
) -> tuple[Authority, ...]:
    """Every authority that could be compiled. A key signs for one of them, for it is by the key that one is found."""
    found: list[Authority] = []
    holders: dict[str, Authority] = {}
    for name, (mark, model) in document.authorities.items():
        if model is None:
            continue
        keys = tuple(key_of(key, zone, report) for key in model.keys)
        accounts = [(account.text, frozenset(one.text for one in wanted)) for account, wanted in model.accounts or ()]
        authority = Authority(name, keys, model.person, tuple(accounts) or Authority("").accounts, mark.where)
        found.append(authority)
        for key, one in zip(keys, model.keys, strict=True):
            key_problem(one, key_files, report)
            known = key_files.get(key.file) if key_files is not None and key.file is not None else None
            fingerprints = known.fingerprints if known is not None else (key.fingerprint,) if key.fingerprint else ()
            for fingerprint in fingerprints:
                other = holders.setdefault(fingerprint, authority)
                if other is not authority:
                    report.error(one.place, f"key {fingerprint} of the authority {name} is also that of {other.name} "
                                            f"at {other.where}", "a key means one authority")  # fmt: skip
    return tuple(found)
