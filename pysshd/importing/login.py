"""How sshd makes somebody prove who they are: chains of methods."""

from typing import Final

from pysshd.importing.algorithms import takes_keys
from pysshd.importing.authorized_keys import ImportedKey
from pysshd.importing.effective import Effective, Value
from pysshd.importing.notes import Remarks
from pysshd.policy.problems import Mark

_SWITCHES: Final = {"publickey": "pubkeyauthentication", "password": "passwordauthentication",
                    "keyboard-interactive": "kbdinteractiveauthentication"}  # fmt: skip
_MOST_STEPS: Final = 4
MOST_RSA_BITS: Final = 16384

Chain = tuple[str, ...]


def mark_of(value: Value, file: str) -> Mark:
    """Where a value stands, or the file as a whole."""
    return value.lines[0].mark if value.lines else Mark(file, 1, 1)


def key_files(found: Effective) -> tuple[str, ...]:
    """The words of AuthorizedKeysFile; `none`, in any letters, is no file, wherever it stands."""
    return tuple(word for word in found["authorizedkeysfile"].words if word.lower() != "none")


def chains_of(found: Effective, file: str, uid0: bool, key: ImportedKey | None, remarks: Remarks) -> tuple[Chain, ...]:
    """The chains of methods by which somebody comes in; `key`: it is one of its steps."""
    enabled = {method for method, switch in _SWITCHES.items() if found[switch].is_on}
    wanted = found["authenticationmethods"]
    chains: list[Chain] = []
    if wanted.words == ("any",):
        chains = [(method,) for method in ("publickey", "password") if method in enabled]
    else:
        for text in wanted.words:
            chain = _chain(text, enabled, wanted, file, remarks)
            if chain is not None:
                chains.append(chain)
    chains = [chain for chain in chains if "publickey" not in chain or _keys_count(found, file, remarks)]
    if uid0:
        chains = _of_root(chains, found["permitrootlogin"].first, key)
    return _shortest(chains)


def _chain(text: str, enabled: set[str], wanted: Value, file: str, remarks: Remarks) -> Chain | None:
    """One alternative of AuthenticationMethods; None where it can not be met, or not be said."""
    steps = text.split(",")
    mark = mark_of(wanted, file)
    methods = [step.partition(":")[0] for step in steps]
    if any(method in _SWITCHES and method not in enabled for method in methods):
        return None
    other = [step for step in steps if step not in ("publickey", "password")]
    if other:
        remarks.warn(mark, f"AuthenticationMethods {text}: {other[0]} is not imported, and nobody comes in by it")
        return None
    if steps.count("password") > 1 or len(steps) > _MOST_STEPS:
        remarks.warn(mark, f"AuthenticationMethods {text}: a password counts once and a chain has at most "
                           f"{_MOST_STEPS} steps, and nobody comes in by it")  # fmt: skip
        return None
    return tuple(steps)


def _of_root(chains: list[Chain], permitted: str, key: ImportedKey | None) -> list[Chain]:
    """Every step of root's must be one that PermitRootLogin takes."""
    if permitted == "yes":
        return chains
    if permitted == "no" or (permitted == "forced-commands-only" and (key is None or key.command is None)):
        return []
    return [chain for chain in chains if set(chain) == {"publickey"}]


def _shortest(chains: list[Chain]) -> tuple[Chain, ...]:
    """Without those that begin with another one, which is enough alone."""
    found = list(dict.fromkeys(chains))
    return tuple(
        one for one in found if not any(other != one and one[: len(other)] == other for other in found)
    )  # fmt: skip


def _keys_count(found: Effective, file: str, remarks: Remarks) -> bool:
    """Whether keys may come in at all: not where a list that keeps some of them out has no equivalent."""
    revoked, options = found["revokedkeys"], found["pubkeyauthoptions"]
    if revoked.first != "none":
        text = f"RevokedKeys {revoked.first} has no equivalent: keys that it names would come in, so that no key does"
        hint = "take those keys out of the files of keys, and the line out of a copy"
        remarks.refuse(mark_of(revoked, file), text, hint)
        return False
    if any(word.lower() == "verify-required" for word in options.words):
        text = (
            "PubkeyAuthOptions verify-required has no equivalent: keys would come in without a PIN, so that none does"
        )
        remarks.refuse(mark_of(options, file), text)
        return False
    size = found["requiredrsasize"]
    if int(size.first) > MOST_RSA_BITS:
        text = (
            f"RequiredRSASize {size.first}: {MOST_RSA_BITS} bits are the most that can be asked for, and no key counts"
        )
        remarks.refuse(mark_of(size, file), text)
        return False
    accepted = found["pubkeyacceptedalgorithms"]
    if not takes_keys(accepted):
        text = "PubkeyAcceptedAlgorithms leaves no algorithm that is served, and no key counts"
        remarks.refuse(mark_of(accepted, file), text)
        return False
    return bool(key_files(found))
