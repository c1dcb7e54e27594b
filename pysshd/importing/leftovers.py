"""The keywords that no other part of the import speaks of: what their values would have done, and what is done here."""

from typing import Final

from pysshd.importing.notes import Kind, Remarks
from pysshd.importing.sshd_config import SshdConfig
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Leftover:
    """What is said of one keyword. neutral: the values with which it says nothing of its own."""

    kind: Kind
    text: str
    hint: str = ""
    neutral: frozenset[str] = frozenset()


def _warn(text: str, hint: str = "", *neutral: str) -> Leftover:
    return Leftover("warning", text, hint, frozenset(neutral))


def _note(text: str, *neutral: str) -> Leftover:
    return Leftover("note", text, "", frozenset(neutral))


_NO_GSSAPI: Final = _note("there is no GSSAPI here")
_NO_KERBEROS: Final = _note("there is no Kerberos here")
_NO_HOSTBASED: Final = _note("there is no hostbased login here")
_CERTIFICATES: Final = "certificates are not imported, and nobody comes in by one"
_AUTHORITIES: Final = "name the authority in authorities"
_LOG: Final = _note("what is logged, and where, is an option of the command line")

LEFTOVERS: Final = {
    "authorizedkeyscommand": _warn(
        "keys that a command gives are not imported",
        "a source may ask it: command and run_as in an item of its keys",
        "none",
    ),
    "authorizedkeyscommanduser": _note("it says something of AuthorizedKeysCommand alone"),
    "authorizedprincipalscommand": _warn(_CERTIFICATES, _AUTHORITIES, "none"),
    "authorizedprincipalscommanduser": _note("it says something of AuthorizedPrincipalsCommand alone"),
    "authorizedprincipalsfile": _warn(_CERTIFICATES, _AUTHORITIES, "none"),
    "trustedusercakeys": _warn(_CERTIFICATES, _AUTHORITIES, "none"),
    "casignaturealgorithms": _note("it says something of certificates alone, which are not imported"),
    "channeltimeout": _warn("channels are not closed for being idle", "", "none"),
    "unusedconnectiontimeout": _warn("connections are not closed for being unused", "", "none"),
    "clientaliveinterval": _warn("clients are not asked whether they are there", "", "0"),
    "clientalivecountmax": _note("it says something of ClientAliveInterval alone"),
    "debianbanner": _note("the daemon does not name a distribution"),
    "exposeauthinfo": _warn("SSH_USER_AUTH is not set", "", "no"),
    "fingerprinthash": _note("fingerprints are SHA256"),
    "gssapiauthentication": _warn("there is no GSSAPI here, and nobody comes in by it", "", "no"),
    "gssapikeyexchange": _warn("there is no GSSAPI here, and nobody comes in by it", "", "no"),
    "gssapicleanupcredentials": _NO_GSSAPI,
    "gssapidelegatecredentials": _NO_GSSAPI,
    "gssapikexalgorithms": _NO_GSSAPI,
    "gssapistorecredentialsonrekey": _NO_GSSAPI,
    "gssapistrictacceptorcheck": _NO_GSSAPI,
    "hostbasedauthentication": _warn("there is no hostbased login here, and nobody comes in by it", "", "no"),
    "hostbasedacceptedalgorithms": _NO_HOSTBASED,
    "hostbasedusesnamefrompacketonly": _NO_HOSTBASED,
    "ignorerhosts": _NO_HOSTBASED,
    "ignoreuserknownhosts": _NO_HOSTBASED,
    "hostkeyagent": _warn("host keys are files", "give the files by host_keys", "none"),
    "ipqos": _note("packets are not marked"),
    "kerberosauthentication": _warn("there is no Kerberos here, and its passwords do not count", "", "no"),
    "kerberosgetafstoken": _NO_KERBEROS,
    "kerberosorlocalpasswd": _NO_KERBEROS,
    "kerberosticketcleanup": _NO_KERBEROS,
    "loglevel": _LOG,
    "logverbose": _LOG,
    "syslogfacility": _LOG,
    "modulifile": _note("there are no groups of a file here"),
    "pamservicename": _note("PAM is not asked", "sshd"),
    "permitemptypasswords": _warn("an empty password lets nobody in", "", "no"),
    "permittunnel": _warn("there are no tunnels here", "", "no"),
    "permituserenvironment": _warn(
        "users set no variables in files of their own", "env: {set: …} of a role sets them", "no"
    ),
    "permituserrc": _note("~/.ssh/rc is never run here"),
    "persourcenetblocksize": _note("a source is one address, or one /64"),
    "persourcepenalties": _warn("sources are slowed down, and not kept out", "limits: {startups: …}", "no", "none"),
    "persourcepenaltyexemptlist": _note("there are no penalties that somebody could be exempt from"),
    "pidfile": _note("the daemon stays in the foreground, and has no file of its process id"),
    "printlastlog": _note("the last login is not told"),
    "printmotd": _note("a login shell on a terminal shows /etc/motd"),
    "securitykeyprovider": _note("signatures of security keys need no library"),
    "sshdauthpath": _note("it names a part of sshd"),
    "sshdsessionpath": _note("it names a part of sshd"),
    "strictmodes": _warn("files of keys that others may write to are never read", "", "yes"),
    "tcpkeepalive": _note("it is on"),
    "streamlocalbindmask": _note("sockets are their owner's alone"),
    "streamlocalbindunlink": _note("it says something of sockets alone that are there already"),
    "x11displayoffset": _note("displays are numbered by the daemon"),
    "x11uselocalhost": _note("displays are on loopback"),
    "xauthlocation": _note("the daemon finds xauth itself"),
}
"""Of keywords whose value in a policy is always the same."""


def tell_leftovers(config: SshdConfig, remarks: Remarks) -> None:
    """Name every line with such a keyword."""
    for line in config.lines:
        found = LEFTOVERS.get(line.keyword.key)
        if found is None or " ".join(line.value).lower() in found.neutral:
            continue
        text = f"{line.keyword.name} {' '.join(line.value)}: {found.text}"
        (remarks.warn if found.kind == "warning" else remarks.note)(line.mark, text, found.hint)
