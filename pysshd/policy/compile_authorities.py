"""From the models of `authorities` to what the engine reads."""

from datetime import tzinfo

from pysshd.patterns.narrowing import Narrowing, narrows
from pysshd.policy.authorities import Authority
from pysshd.policy.compile_narrow import narrowing_of, texts
from pysshd.policy.compile_people import key_of, key_problem
from pysshd.policy.keyfiles import KeyFiles, read_of
from pysshd.policy.model import Document
from pysshd.policy.problems import Mark
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
        keys = tuple(key_of(key, document, zone, report) for key in model.keys)
        for key in keys:
            if narrows(key.narrowing):
                report.error(mark, f"a key of the authority {name} has options or from: they are of all its "
                                   "certificates", f"write them beside keys, in the authority {name}")  # fmt: skip
        narrowing = narrowing_of(texts(model.options), model.from_ or (), mark, document, report)
        _check_options(narrowing, mark, report)
        accounts = [(account.text, frozenset(one.text for one in wanted)) for account, wanted in model.accounts or ()]
        authority = Authority(name, keys, model.person, tuple(accounts) or Authority("").accounts, mark.where,
                              narrowing)  # fmt: skip
        found.append(authority)
        for key, one in zip(keys, model.keys, strict=True):
            key_problem(one, key_files, report)
            known = read_of(key_files, key.file)
            if known is not None and known.narrowings:
                report.error(one.place, f"key file {key.file}: it has options in front of a key, which are none of an "
                                        "authority", "leave the options out")  # fmt: skip
            fingerprints = known.fingerprints if known is not None else (key.fingerprint,) if key.fingerprint else ()
            for fingerprint in fingerprints:
                other = holders.setdefault(fingerprint, authority)
                if other is not authority:
                    report.error(one.place, f"key {fingerprint} of the authority {name} is also that of {other.name} "
                                            f"at {other.where}", "a key means one authority")  # fmt: skip
    return tuple(found)


def _check_options(found: Narrowing, mark: Mark, report: Report) -> None:
    """What an authority's options may not be: its certificates are narrowed, and nothing is added."""
    if found.authority or found.principals is not None:
        report.error(mark, "options cert-authority and principals of an authority: it is one, and accounts says whose "
                           "its certificates are")  # fmt: skip
    if found.environment:
        report.error(
            mark, "option environment of an authority: it is one of keys", "env: {set: …} of a role sets variables"
        )
