"""The keywords of sshd_config(5), up to OpenSSH 10.5: how each is read, and what holds where it does not stand."""

from typing import Final

from pysshd.importing import values as v
from pysshd.importing.values import FLAG, Reader, Words
from pysshd.records import dataclass


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword. default: what holds where it does not stand, in the words of `sshd -T`.

    adds: whether each line adds to those before it, where of the others the first one counts.
    in_match: whether it may stand behind Match.
    """

    name: str
    read: Reader
    default: Words = ("none",)
    in_match: bool = False
    adds: bool = False

    @property
    def key(self) -> str:
        """The name in small letters."""
        return self.name.lower()


_YES, _NO, _EMPTY = ("yes",), ("no",), ()
_ROOT = v.choice({"without-password": "without-password", "prohibit-password": "without-password",
                  "forced-commands-only": "forced-commands-only", "yes": "yes", "no": "no"})  # fmt: skip
_TCP = v.choice({"yes": "yes", "all": "yes", "true": "yes", "no": "no", "false": "no", "local": "local",
                 "remote": "remote"})  # fmt: skip
_GATEWAY = v.choice({"yes": "yes", "true": "yes", "no": "no", "false": "no", "clientspecified": "clientspecified"})
_TUNNEL = v.choice({"yes": "yes", "no": "no", "true": "yes", "false": "no", "point-to-point": "point-to-point",
                    "ethernet": "ethernet"})  # fmt: skip
_COMPRESSION = v.choice({"yes": "yes", "delayed": "yes", "no": "no", "true": "yes", "false": "no"})
_FAMILY = v.choice({"any": "any", "inet": "inet", "inet6": "inet6"})
_RHOSTS = v.choice({"yes": "yes", "no": "no", "shosts-only": "shosts-only", "true": "yes", "false": "no"})
_LEVEL = v.choice({name: name.upper() for name in ("quiet", "fatal", "error", "info", "verbose", "debug1", "debug2",
                                                   "debug3")} | {"debug": "DEBUG1"})  # fmt: skip
_HASH = v.choice({"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256", "sha384": "SHA384", "sha512": "SHA512"})

_IN_MATCH: Final = (
    ("AllowAgentForwarding", FLAG, _YES),
    ("AllowStreamLocalForwarding", _TCP, _YES),
    ("AllowTcpForwarding", _TCP, _YES),
    ("AuthenticationMethods", v.many, ("any",)),
    ("AuthorizedKeysCommand", v.rest, ("none",)),
    ("AuthorizedKeysCommandUser", v.word, ("none",)),
    ("AuthorizedKeysFile", v.many, (".ssh/authorized_keys", ".ssh/authorized_keys2")),
    ("AuthorizedPrincipalsCommand", v.rest, ("none",)),
    ("AuthorizedPrincipalsCommandUser", v.word, ("none",)),
    ("AuthorizedPrincipalsFile", v.word, ("none",)),
    ("Banner", v.word, ("none",)),
    ("CASignatureAlgorithms", v.word, ("",)),
    ("ChannelTimeout", v.many, ("none",)),
    ("ChrootDirectory", v.word, ("none",)),
    ("ClientAliveCountMax", v.number(), ("3",)),
    ("ClientAliveInterval", v.span, ("0",)),
    ("DisableForwarding", FLAG, _NO),
    ("ExposeAuthInfo", FLAG, _NO),
    ("ForceCommand", v.rest, ("none",)),
    ("GatewayPorts", _GATEWAY, _NO),
    ("GSSAPIAuthentication", FLAG, _NO),
    ("HostbasedAcceptedAlgorithms", v.word, ("",)),
    ("HostbasedAuthentication", FLAG, _NO),
    ("HostbasedUsesNameFromPacketOnly", FLAG, _NO),
    ("IgnoreRhosts", _RHOSTS, _YES),
    ("IPQoS", v.many, ("lowdelay", "throughput")),
    ("KbdInteractiveAuthentication", FLAG, _YES),
    ("KerberosAuthentication", FLAG, _NO),
    ("LogLevel", _LEVEL, ("INFO",)),
    ("LogVerbose", v.many, ("none",)),
    ("MaxAuthTries", v.number(), ("6",)),
    ("MaxSessions", v.number(), ("10",)),
    ("PAMServiceName", v.word, ("sshd",)),
    ("PasswordAuthentication", FLAG, _YES),
    ("PermitEmptyPasswords", FLAG, _NO),
    ("PermitListen", v.listens, ("any",)),
    ("PermitOpen", v.ports, ("any",)),
    ("PermitRootLogin", _ROOT, ("without-password",)),
    ("PermitTTY", FLAG, _YES),
    ("PermitTunnel", _TUNNEL, _NO),
    ("PermitUserRC", FLAG, _YES),
    ("PubkeyAcceptedAlgorithms", v.word, ("",)),
    ("PubkeyAuthentication", FLAG, _YES),
    ("PubkeyAuthOptions", v.many, ("none",)),
    ("RDomain", v.word, ("none",)),
    ("RefuseConnection", FLAG, _NO),
    ("RekeyLimit", v.rekey, ("0", "0")),
    ("RequiredRSASize", v.number(), ("1024",)),
    ("RevokedKeys", v.word, ("none",)),
    ("SetEnv", v.settings, _EMPTY),
    ("StreamLocalBindMask", v.word, ("0177",)),
    ("StreamLocalBindUnlink", FLAG, _NO),
    ("TrustedUserCAKeys", v.word, ("none",)),
    ("UnusedConnectionTimeout", v.span, ("none",)),
    ("X11DisplayOffset", v.number(), ("10",)),
    ("X11Forwarding", FLAG, _NO),
    ("X11UseLocalhost", FLAG, _YES),
)
_ADDING: Final = (
    ("AcceptEnv", v.many, True),
    ("AllowGroups", v.many, True),
    ("AllowUsers", v.many, True),
    ("DenyGroups", v.many, True),
    ("DenyUsers", v.many, True),
    ("Subsystem", v.subsystem, True),
    ("HostCertificate", v.word, False),
    ("HostKey", v.word, False),
    ("ListenAddress", v.many, False),
    ("Port", v.number(1, 65535), False),
)
_GLOBAL: Final = (
    ("AddressFamily", _FAMILY, ("any",)),
    ("Ciphers", v.word, ("",)),
    ("Compression", _COMPRESSION, _YES),
    ("DebianBanner", FLAG, _YES),
    ("FingerprintHash", _HASH, ("SHA256",)),
    ("GSSAPICleanupCredentials", FLAG, _YES),
    ("GSSAPIDelegateCredentials", FLAG, _NO),
    ("GSSAPIKexAlgorithms", v.word, ("",)),
    ("GSSAPIKeyExchange", FLAG, _NO),
    ("GSSAPIStoreCredentialsOnRekey", FLAG, _NO),
    ("GSSAPIStrictAcceptorCheck", FLAG, _YES),
    ("HostKeyAgent", v.word, ("none",)),
    ("HostKeyAlgorithms", v.word, ("",)),
    ("IgnoreUserKnownHosts", FLAG, _NO),
    ("KerberosGetAFSToken", FLAG, _NO),
    ("KerberosOrLocalPasswd", FLAG, _YES),
    ("KerberosTicketCleanup", FLAG, _YES),
    ("KexAlgorithms", v.word, ("",)),
    ("LoginGraceTime", v.span, ("120",)),
    ("MACs", v.word, ("",)),
    ("MaxStartups", v.startups, ("10:30:100",)),
    ("ModuliFile", v.word, ("",)),
    ("PermitUserEnvironment", v.word, _NO),
    ("PerSourceMaxStartups", v.word, ("none",)),
    ("PerSourceNetBlockSize", v.word, ("32:128",)),
    ("PerSourcePenalties", v.many, ("none",)),
    ("PerSourcePenaltyExemptList", v.word, ("none",)),
    ("PidFile", v.word, ("/run/sshd.pid",)),
    ("PrintLastLog", FLAG, _YES),
    ("PrintMotd", FLAG, _YES),
    ("SecurityKeyProvider", v.word, ("internal",)),
    ("SshdAuthPath", v.word, ("",)),
    ("SshdSessionPath", v.word, ("",)),
    ("StrictModes", FLAG, _YES),
    ("SyslogFacility", v.word, ("AUTH",)),
    ("TCPKeepAlive", FLAG, _YES),
    ("UseDNS", FLAG, _NO),
    ("UsePAM", FLAG, _NO),
    ("VersionAddendum", v.rest, ("none",)),
    ("XAuthLocation", v.word, ("",)),
)

KEYWORDS: Final = {
    one.key: one
    for one in (
        *(Keyword(name, read, default, in_match=True) for name, read, default in _IN_MATCH),
        *(Keyword(name, read, (), in_match, adds=True) for name, read, in_match in _ADDING),
        *(Keyword(name, read, default) for name, read, default in _GLOBAL),
    )
}
"""Every live keyword by its name in small letters."""

ALIASES: Final = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
    "dsaauthentication": "pubkeyauthentication",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
    "hostbasedacceptedkeytypes": "hostbasedacceptedalgorithms",
    "keepalive": "tcpkeepalive",
    "hostdsakey": "hostkey",
}
"""Old names of live keywords."""

DEAD: Final = frozenset(
    ["serverkeybits", "keyregenerationinterval", "rhostsauthentication", "rhostsrsaauthentication",
     "rsaauthentication", "checkmail", "uselogin", "verifyreversemapping", "reversemappingcheck",
     "authorizedkeysfile2", "useprivilegeseparation", "kerberostgtpassing", "afstokenpassing", "protocol"]
)  # fmt: skip
"""Keywords that sshd passes over."""
