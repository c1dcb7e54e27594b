"""From the effective settings of a connection to how somebody logs in and what they may do."""

from dataclasses import replace
from typing import Final

from pysshd.importing.accounts import Host
from pysshd.importing.authorized_keys import ImportedKey
from pysshd.importing.effective import Effective, all_effective
from pysshd.importing.forwards import with_forwards
from pysshd.importing.language import Language
from pysshd.importing.login import Chain, chains_of, mark_of
from pysshd.importing.matching import Connection
from pysshd.importing.notes import Remarks
from pysshd.importing.pam import FOLDER, keeping_out
from pysshd.importing.rights import CLOSED, Behaviour, Rights
from pysshd.importing.sessions import (
    INTERNAL,
    accepted_of,
    forced_mark,
    forced_of,
    program,
    sets_of,
    subsystems_of,
)
from pysshd.importing.sshd_config import SshdConfig
from pysshd.policy.problems import Mark
from pysshd.records import dataclass

_TOKENS: Final = {"%u": "{account}", "%h": "{home}", "%%": "%"}
_ASKS: Final = "asks for the name of the peer's host, or for a pattern of addresses that is no prefix"
_KEPT_OUT: Final = "whom it makes a difference to is kept out"
_PREFIXES: Final = "write prefixes such as 10.0.0.0/8"
_PER_CONNECTION: Final = {
    "authorizedkeysfile": "the files of keys are the same for everybody, and those of the rest would count",
    "pubkeyacceptedalgorithms": "the algorithms of keys are the same for everybody, and others would count",
    "requiredrsasize": "the least size of RSA keys is the same for everybody, and smaller ones would count",
}
"""What the language has once for all, and why keys are closed where sshd has it otherwise."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Answers what sshd does for a connection. common: the values outside every Match."""

    config: SshdConfig
    host: Host
    language: Language
    common: Effective
    remarks: Remarks

    def behaviour(self, connection: Connection, key: ImportedKey | None) -> Behaviour:
        """What sshd does; where it hangs on what can not be known, nothing, and that is told."""
        outcomes = all_effective(self.config, connection)
        found: dict[Behaviour, None] = {}
        for settings, permitted in outcomes or ():
            found[self._one(settings, connection, key) if permitted else CLOSED] = None
            if len(found) > 1:
                break
        if len(found) == 1:
            return next(iter(found))
        self._tell_unknown(connection)
        return CLOSED

    def _tell_unknown(self, connection: Connection) -> None:
        for match in self.config.blocks:
            for one in match.criteria:
                if one.holds(connection) is None:
                    text = f"Match {one.kind} {','.join(one.patterns)} asks for what a policy does not know"
                    self.remarks.refuse(one.mark, f"{text}: {_KEPT_OUT}", _HINTS[one.kind])
        for keyword in ("allowusers", "denyusers"):
            for line in self.config.of(keyword):
                if any("@" in word for word in line.value):
                    self.remarks.refuse(line.mark, f"{line.keyword.name} {_ASKS}: {_KEPT_OUT}", _PREFIXES)

    def _one(self, found: Effective, connection: Connection, key: ImportedKey | None) -> Behaviour:
        file = self.config.file
        chains = chains_of(found, file, connection.uid0, key, self.remarks)
        if key is not None:
            chains = self._of_key(chains, connection, key)
        if any("publickey" in chain for chain in chains) and self._keys_differ(found):
            chains = tuple(chain for chain in chains if "publickey" not in chain)
        if chains and found["usepam"].is_on:
            chains = self._with_pam(chains, found["pamservicename"].first, mark_of(found["usepam"], file))
        if not chains:
            return CLOSED
        domain = found["rdomain"]
        if domain.first != "none":
            self.remarks.refuse(mark_of(domain, file), f"RDomain {domain.first} has no equivalent: sessions would have "
                                "the network of the host, and whom it concerns is kept out")  # fmt: skip
            return CLOSED
        rights = self._rights(found, connection, key)
        return Behaviour(chains, rights) if rights is not None else CLOSED

    def _of_key(self, chains: tuple[Chain, ...], connection: Connection, key: ImportedKey) -> tuple[Chain, ...]:
        held = key.comes_from(connection)
        if held is None:
            self.remarks.refuse(key.mark, f"from= {_ASKS}: the key is kept out there", _PREFIXES)
        return tuple(chain for chain in chains if "publickey" in chain) if held else ()

    def _with_pam(self, chains: tuple[Chain, ...], service: str, mark: Mark) -> tuple[Chain, ...]:
        """The chains that nothing in PAM would stand in the way of, as far as its files say."""
        modules = keeping_out(self.host.pam, service)
        if modules is None:
            text = f"UsePAM: the files of the service {service} are not there, and whom PAM keeps out is not known"
            hint = f"import with {FOLDER}, or write UsePAM no into a copy of the file"
            self.remarks.refuse(mark, f"{text}: everybody is kept out", hint)
            return ()
        for one in modules:
            whom = "everybody is kept out" if one.stack == "account" else "no password counts"
            self.remarks.refuse(one.mark, f"{one.name} of PAM may keep somebody out, and has no equivalent: {whom}",
                                "say it in login and grants, and take the module out of a copy")  # fmt: skip
        stacks = {one.stack for one in modules}
        if "account" in stacks:
            return ()
        return tuple(chain for chain in chains if "auth" not in stacks or "password" not in chain)

    def _keys_differ(self, found: Effective) -> bool:
        """Whether keys would count here that sshd does not take: then none does."""
        for keyword, why in _PER_CONNECTION.items():
            value = found[keyword]
            if value.words != self.common[keyword].words and not _is_wider(keyword, value.words, self.common):
                name = value.lines[0].keyword.name
                text = f"{name} behind Match has no equivalent: {why}, so that no key does there"
                self.remarks.refuse(value.lines[0].mark, text)
                return True
        return False

    def _rights(self, found: Effective, connection: Connection, key: ImportedKey | None) -> Rights | None:
        file, remarks = self.config.file, self.remarks
        command = forced_of(found, key)
        rights = Rights(sets=sets_of(found["setenv"], file, remarks))
        jail = found["chrootdirectory"]
        if jail.first.lower() != "none":
            jailed = self._jailed(rights, jail.first, command)
            if jailed is None:
                remarks.refuse(mark_of(jail, file), f"ChrootDirectory {jail.first} has no equivalent here: without it "
                               "more would be seen, and whom it concerns is kept out",
                               f"SFTP alone, by ForceCommand {INTERNAL}, has one: sftp: {{mounts: …}}")  # fmt: skip
                return None
            rights = jailed
        elif command is not None:
            argv = program(command, self.host, forced_mark(found, key, file), remarks)
            if not argv:
                return None
            rights = replace(rights, forced=argv)
        else:
            accept = accepted_of(found["acceptenv"], remarks)
            rights = replace(rights, shell=True, accept=accept, subsystems=subsystems_of(found, self.host, remarks))
        if found["maxsessions"].first == "0":
            rights = Rights()
        elif found["permittty"].is_on and (key is None or key.pty) and not rights.jail:
            rights = replace(rights, pty=True)
        return with_forwards(rights, found, file, connection.uid0, key, self.language, remarks)

    def _jailed(self, rights: Rights, folder: str, command: str | None) -> Rights | None:
        """SFTP alone in a folder of its own; None for anything else."""
        words = command.split() if command is not None else []
        if words[:1] != [INTERNAL] or not self.language.has_right("sftp") or not set(words[1:]) <= {"-R"}:
            return None
        for token, slot in _TOKENS.items():
            folder = folder.replace(token, slot)
        inner = folder.removeprefix("{home}")
        if "%" in inner or "{home}" in inner or not folder.startswith(("/", "{home}")):
            return None
        # No program runs there, so that no variable is set.
        return replace(rights, jail=folder, read_only="-R" in words, sets=())


def _is_wider(keyword: str, words: tuple[str, ...], common: Effective) -> bool:
    """Whether sshd takes more there than what holds for everybody, so that nothing is lost."""
    if keyword == "requiredrsasize":
        return int(words[0]) <= max(int(common[keyword].first), 2048)
    if keyword == "authorizedkeysfile":
        return set(common[keyword].words) <= set(words)
    return False


_HINTS: Final = {
    "host": "write Match Address with prefixes; the policy looks no names up",
    "address": "write prefixes such as 10.0.0.0/8",
    "localaddress": "write ListenAddress for each address, so that listeners can be told apart",
    "localport": "write Port or ListenAddress for each port",
    "rdomain": "there are no routing domains here",
    "version": "write the block for the version that is meant",
}
