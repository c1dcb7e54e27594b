"""Words that somebody may write who comes from elsewhere, and what is written here instead."""

from collections.abc import Iterable
from typing import Final

from pysshd.patterns.names import is_name

_IMPORT: Final = "pysshd import-sshd-config reads a whole sshd_config"
_WHO_LOGS_IN: Final = "who may log in, and how, is said by the entries of login"
_OF_SSHD: Final = {
    **dict.fromkeys(("port", "listenaddress", "addressfamily"), 'write server: {listen: "*:22"}'),
    **dict.fromkeys(
        ("permitrootlogin", "allowusers", "denyusers", "allowgroups", "denygroups", "match", "pubkeyauthentication",
         "passwordauthentication", "kbdinteractiveauthentication", "authenticationmethods", "permitemptypasswords"),
        _WHO_LOGS_IN,
    ),
    "authorizedkeysfile": "keys stand in users, and with accounts: system in the files that sources name",
    "trustedusercakeys": "write authorities",
    "hostkey": "write server: {host_keys: …}",
    "banner": "write server: {banner: …}, the text itself",
    "subsystem": "write subsystems in a role",
    "forcecommand": "write forced in a role",
    "chrootdirectory": "write confined in a role, or sftp: {mounts: …}",
    "acceptenv": "write env: {accept: …} in a role",
    "setenv": "write env: {set: …} in a role",
    "permittty": "write pty in a role",
    **dict.fromkeys(("allowtcpforwarding", "permitopen", "permitlisten", "gatewayports", "allowstreamlocalforwarding"),
                    "write forward in a role"),
    "x11forwarding": "write x11 in a role",
    "allowagentforwarding": "write agent in a role",
    "maxauthtries": "write limits: {auth_attempts: …}",
    "maxsessions": "write limits: {sessions_per_connection: …}",
    "maxstartups": "write limits: {startups: …}",
    "logingracetime": "write limits: {login_grace: …}",
    **dict.fromkeys(("clientaliveinterval", "clientalivecountmax"), "write set: {keepalive: …} in an entry of login"),
    **dict.fromkeys(("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "rekeylimit"), "write crypto"),
}  # fmt: skip
"""Keywords of sshd_config, in small letters."""


def of_sshd(key: str) -> str:
    """What is written instead of a keyword of sshd_config, or ""."""
    found = _OF_SSHD.get(key.lower(), "") if key != key.lower() or key in ("port", "match") else ""
    return f"{found}; {_IMPORT}" if found else ""


def colon_without_blank(key: str, known: Iterable[str]) -> str:
    """What to do about `KEY:VALUE` without a blank, which YAML takes for one text; or ""."""
    word, colon, _ = key.partition(":")
    return f"a ':' behind a key has a blank behind it: {word}: …" if colon and word in known else ""


def instead_of_who(text: str) -> str:
    """What is written instead of a text that is nobody's name, or ""."""
    if text[:1] in "@%+" and is_name(text[1:]):
        return f"for a group write group:{text[1:]}"
    if "," in text:
        return f"for several write a list: [{', '.join(part.strip() for part in text.split(','))}]"
    if text != (bare := text.strip("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
                                   "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}")):  # fmt: skip
        return f'these are no quotes to YAML, write them straight: "{bare}"'
    if "*" in text or "?" in text:
        return "who takes no patterns: give them a group"
    return ""


def instead_of_address(text: str) -> str:
    """What is written instead of a text that is no address, or ""."""
    if text in ("*", "any", "all", "ANY", "ALL"):
        return "leave from out for every address"
    if text.endswith(".*") or "-" in text:
        return "write a prefix, such as 10.0.0.0/24, or several"
    return "leave the brackets out, which stand before a port" if text.startswith("[") else ""


def instead_of_methods(text: str) -> str:
    """What is written instead of a text that is no chain of methods, or ""."""
    if "," in text or " or " in text:
        return "alternatives are a list: [publickey, password]; what is asked for together has '+' between"
    return _METHODS.get(text.lower(), "")


_METHODS: Final = {
    **dict.fromkeys(("key", "keys", "ssh-key", "pubkey"), "did you mean 'publickey'?"),
    **dict.fromkeys(("otp", "2fa", "mfa"), "did you mean 'totp'?"),
    "keyboard-interactive": "it is a way to ask, and what is asked for is totp or pam",
    "any": "name the methods",
}
