"""/etc/environment, in the form of pam_env(8): `NAME=value`, `export` and quotes around the value allowed."""

from typing import Final

from pysshd.patterns.names import is_variable

LINES_MAX: Final = 200
VALUE_SIZE_MAX: Final = 4096


def environment_of(content: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """The variables, the last of a name counting; lines that are none are passed over."""
    found: dict[bytes, bytes] = {}
    for line in content.split(b"\n")[:LINES_MAX]:
        name, equals, value = line.strip().removeprefix(b"export ").strip().partition(b"=")
        if not equals or name.startswith(b"#") or not is_variable(name.decode("ascii", "replace")):
            continue
        if len(value) >= 2 and value[:1] == value[-1:] and value[:1] in (b'"', b"'"):
            value = value[1:-1]
        if len(value) <= VALUE_SIZE_MAX and b"\0" not in value:
            found[name] = value
    return tuple(found.items())
