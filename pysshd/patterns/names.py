"""The forms of names: of people, accounts and groups, of variables, terminals, subsystems and signals."""

import string

from pysshd.patterns.globs import parse_glob

_ALNUM = frozenset(string.ascii_letters + string.digits)
_NAME_FIRST = _ALNUM | {"_"}
_NAME_REST = _NAME_FIRST | frozenset(".@-")
_TERM = _ALNUM | frozenset("._+-")
_SUBSYSTEM = _ALNUM | frozenset("._@-")
_VARIABLE_FIRST = frozenset(string.ascii_letters + "_")
_VARIABLE_REST = _VARIABLE_FIRST | frozenset(string.digits)
_VARIABLE_PATTERN = _VARIABLE_REST | frozenset("*?")

MAX_NAME = 64
MAX_VARIABLE = 255
MAX_VARIABLE_VALUE = 32768
"""Bytes of a variable's value that a client may send."""

_SIGNALS = "ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "TERM", "USR1", "USR2"
SIGNALS = frozenset(_SIGNALS)
"""Names of RFC 4254 §6.10."""

BREAK = "BREAK"
"""The name under which a policy speaks of the break of RFC 4335."""

NEVER_ACCEPTED = tuple(
    parse_glob(pattern)
    for pattern in (
        "LD_*", "DYLD_*", "BASH_*", "SSH_*", "PYTHON*", "PERL*", "RUBY*", "JAVA_*", "_JAVA_*", "NODE_*", "MALLOC_*",
        "GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LOCALDOMAIN", "LOCPATH", "NLSPATH",
        "RES_OPTIONS", "RESOLV_*", "TERMCAP", "TERMINFO*", "TERMPATH", "TMPDIR", "TZDIR",
        "ENV", "IFS", "PATH", "CDPATH", "FPATH", "GLOBIGNORE", "PS4", "PROMPT_COMMAND", "SHELLOPTS", "BASHOPTS",
        "ZDOTDIR", "HOME", "USER", "LOGNAME", "SHELL", "MAIL", "PWD", "OLDPWD",
    )
)  # fmt: skip
"""Variables that no client may send, whatever a policy accepts: they choose what code runs, or say who the user is."""


def is_name(text: str) -> bool:
    """Whether a text has the form of a person's, an account's or a group's name."""
    return 0 < len(text) <= MAX_NAME and text[0] in _NAME_FIRST and _NAME_REST.issuperset(text)


def is_term(text: str) -> bool:
    """Whether a text may be what a client says of its terminal's type: a value of TERM, or nothing at all."""
    return len(text) <= 64 and _TERM.issuperset(text)


def is_subsystem(text: str) -> bool:
    """Whether a text may be a subsystem's name."""
    return 0 < len(text) <= 64 and text[0] != "-" and _SUBSYSTEM.issuperset(text)


def is_variable(text: str) -> bool:
    """Whether a text may be an environment variable's name."""
    return 0 < len(text) <= MAX_VARIABLE and text[0] in _VARIABLE_FIRST and _VARIABLE_REST.issuperset(text)


def is_variable_pattern(text: str) -> bool:
    """Whether a text may be a pattern of variable names."""
    return 0 < len(text) <= MAX_VARIABLE and text[0] not in string.digits and _VARIABLE_PATTERN.issuperset(text)


def is_never_accepted(name: str) -> bool:
    """Whether this variable is refused whatever a policy accepts."""
    return any(pattern.matches(name) for pattern in NEVER_ACCEPTED)


def is_safe_value(value: bytes) -> bool:
    """Whether a variable's value may be handed on: bounded, without NUL, and no function for an old bash to run."""
    return len(value) <= MAX_VARIABLE_VALUE and b"\0" not in value and not value.lstrip().startswith(b"() {")
