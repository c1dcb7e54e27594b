"""The forms of names: of people, accounts and groups, of variables, terminals, subsystems and signals."""

import re
import string

from pysshd.patterns.globs import parse_glob

_ALNUM = frozenset(string.ascii_letters + string.digits)
_TERM = _ALNUM | frozenset("._+-")
_SUBSYSTEM = _ALNUM | frozenset("._@-")
_VARIABLE_FIRST = frozenset(string.ascii_letters + "_")
_VARIABLE_REST = _VARIABLE_FIRST | frozenset(string.digits)
_VARIABLE_PATTERN = _VARIABLE_REST | frozenset("*?")

MAX_NAME = 64
_NAME = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.@-]{{0,{MAX_NAME - 1}}}")
MAX_VARIABLE = 128
MAX_VARIABLE_VALUE = 4096
"""Bytes of a variable's value that a client may send."""

_SIGNALS = "ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "TERM", "USR1", "USR2"
SIGNALS = frozenset(_SIGNALS)
"""Names of RFC 4254 §6.10."""

BREAK = "BREAK"
"""The name under which a policy speaks of the break of RFC 4335."""

_NEVER = """
LD_* DYLD_* _RLD* BASH_* SSH_* PYTHON* PERL* RUBY* JAVA_* _JAVA_* JDK_JAVA_OPTIONS CLASSPATH NODE_* LUA_* PHP* TCL*
GIT_* KRB5* OPENSSL_* DBUS_* SUDO_* MALLOC_* __* GCONV_PATH GETCONF_DIR GLIBC_TUNABLES HOSTALIASES LOCALDOMAIN LOCPATH
NIS_PATH NLSPATH RES_OPTIONS RESOLV_* TERM TERMCAP TERMINFO* TERMPATH TMPDIR TZDIR ENV IFS PATH CDPATH FPATH GLOBIGNORE
PS4 PROMPT_COMMAND SHELLOPTS BASHOPTS HISTFILE INPUTRC LESSCLOSE LESSOPEN NULLCMD READNULLCMD ZDOTDIR HOME USER LOGNAME
SHELL SHLVL MAIL MAIL_PATH PWD OLDPWD XDG_RUNTIME_DIR
"""

_NEVER_NAMES = frozenset(word for word in _NEVER.split() if not word.endswith("*"))
_NEVER_BEGINNINGS = tuple(word.removesuffix("*") for word in _NEVER.split() if word.endswith("*"))
"""Variables that no client may send, in whatever case, whatever a policy accepts: they choose what code runs or which
files are read or written, or the daemon says them itself."""

_OF_GIT = "AUTHOR_NAME", "AUTHOR_EMAIL", "AUTHOR_DATE", "COMMITTER_NAME", "COMMITTER_EMAIL", "COMMITTER_DATE"
ACCEPTABLE = ("GIT_PROTOCOL", *(f"GIT_{name}" for name in _OF_GIT))
"""Variables that a policy may accept all the same: they are data."""

_GLOBAL = re.compile(r"[!-+\--~]{1,64}")
_LOCALE = re.compile(r"LANG|LANGUAGE|LC_[A-Z_]+")


def is_name(text: str) -> bool:
    """Whether a text has the form of a person's, an account's or a group's name."""
    return _NAME.fullmatch(text) is not None


def is_term(text: str) -> bool:
    """Whether a text may be what a client says of its terminal's type: a value of TERM, or nothing at all."""
    return len(text) <= 64 and _TERM.issuperset(text)


def is_subsystem(text: str) -> bool:
    """Whether a text may be a subsystem's name."""
    return 0 < len(text) <= 64 and text[0] != "-" and _SUBSYSTEM.issuperset(text)


def is_global_request(text: str) -> bool:
    """Whether a text may be the name of a global request: printable ASCII without a comma (RFC 4251 §6)."""
    return _GLOBAL.fullmatch(text) is not None


def is_variable(text: str) -> bool:
    """Whether a text may be an environment variable's name."""
    return 0 < len(text) <= MAX_VARIABLE and text[0] in _VARIABLE_FIRST and _VARIABLE_REST.issuperset(text)


def is_variable_pattern(text: str) -> bool:
    """Whether a text may be a pattern of variable names."""
    return 0 < len(text) <= MAX_VARIABLE and text[0] not in string.digits and _VARIABLE_PATTERN.issuperset(text)


def is_never_accepted(name: str) -> bool:
    """Whether this variable, or everything that this pattern of variables has of a kind, is refused by every policy."""
    name = name.upper()
    if name not in _NEVER_NAMES and not name.startswith(_NEVER_BEGINNINGS):
        return False
    pattern = parse_glob(name)
    return not any(pattern.matches(acceptable) for acceptable in ACCEPTABLE)


def variable_fault(name: str, value: bytes) -> str:
    """Why a client may not send this variable whatever a policy accepts, as the end of a sentence about it; else ""."""
    if not is_variable(name):
        return "has no acceptable name"
    if is_never_accepted(name):
        return "is never accepted from a client"
    if len(value) > MAX_VARIABLE_VALUE:
        return f"has {len(value)} bytes, expected {MAX_VARIABLE_VALUE} at most"
    # An old bash runs a value that has the form of a function.
    if b"\0" in value or value.lstrip().startswith(b"()"):
        return "has a NUL, or looks like a shell function"
    if _LOCALE.fullmatch(name) and (b"/" in value or b"%" in value):
        return "is a locale that names a file"
    return ""
