"""The clients that are programs: OpenSSH's `ssh`, dropbear's `dbclient`, PuTTY's `plink`."""

import base64
import hashlib
import shutil

from tests.interop.clients.kit import Call, Kit
from tests.interop.errand import Errand

HOST = "127.0.0.1"


def missing(program: str, package: str) -> str | None:
    """Why a program can not be used here; None where it can."""
    return None if shutil.which(program) else f"needs {program} (Debian's {package})"


def openssh(kit: Kit, errand: Errand) -> Call:
    """`ssh`, by options alone; a password comes from a program that it asks."""
    known = "".join(f"[{HOST}]:{errand.port} {line}\n" for line in errand.host_keys)
    settings: dict[str, str | None] = {
        "UserKnownHostsFile": str(kit.file("known_hosts", known)),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "LogLevel": "ERROR",
        "ConnectTimeout": "20",
        "NumberOfPasswordPrompts": "1",
        "PreferredAuthentications": "publickey" if errand.key else "password",
        "KexAlgorithms": errand.kex,
        "HostKeyAlgorithms": errand.host_key,
        "Ciphers": errand.cipher,
        "MACs": errand.mac,
        "RekeyLimit": None if errand.rekey is None else str(errand.rekey),
    }
    words = ["ssh", "-F", "/dev/null", "-p", str(errand.port), "-t" if errand.terminal else "-T"]
    for name, value in settings.items():
        words += [] if value is None else ["-o", f"{name}={value}"]
    words += ["-i", errand.key] if errand.key else ["-o", "IdentityFile=none"]
    words += [f'-oSetEnv={name}="{value}"' for name, value in errand.environment.items()]
    environment = {}
    if errand.password is not None:
        ask = kit.file("askpass", f"#!/bin/sh\necho '{errand.password}'\n")
        ask.chmod(0o700)
        environment = {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"}
    return Call((*words, f"{errand.login}@{HOST}", *_command(errand)), environment)


def dropbear(kit: Kit, errand: Errand) -> Call:
    """`dbclient`, whose files are in the home that it is told; it takes known hosts without remarks alone."""
    kit.file(".ssh/known_hosts", "".join(f"{HOST} {' '.join(line.split()[:2])}\n" for line in errand.host_keys))
    words = ["dbclient", "-p", str(errand.port), "-t" if errand.terminal else "-T"]
    words += ["-c", errand.cipher] if errand.cipher else []
    words += ["-m", errand.mac] if errand.mac else []
    words += ["-i", kit.for_dropbear(errand.key)] if errand.key else []
    environment = {"HOME": str(kit.folder)}
    if errand.password is not None:
        environment["DROPBEAR_PASSWORD"] = errand.password
    return Call((*words, f"{errand.login}@{HOST}", *_command(errand)), environment)


def putty(kit: Kit, errand: Errand) -> Call:
    """`plink`, with a session file for what it has no option for."""
    saved = {"HostName": HOST, "PortNumber": str(errand.port), "Protocol": "ssh", "UserName": errand.login}
    if errand.rekey is not None:
        saved["RekeyBytes"] = str(errand.rekey)
    if errand.environment:
        saved["Environment"] = ",".join(f"{name}={value}" for name, value in errand.environment.items())
    kit.file("putty/sessions/errand", "".join(f"{name}={value}\n" for name, value in saved.items()))
    words = ["plink", "-batch", "-load", "errand", "-noagent", "-t" if errand.terminal else "-T"]
    for line in errand.host_keys:
        digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
        words += ["-hostkey", "SHA256:" + base64.b64encode(digest).decode().rstrip("=")]
    words += ["-i", kit.for_putty(errand.key)] if errand.key else []
    words += ["-pwfile", str(kit.file("password", errand.password))] if errand.password is not None else []
    return Call((*words, *_command(errand)), {"PUTTYDIR": str(kit.folder / "putty"), "HOME": str(kit.folder)})


def _command(errand: Errand) -> tuple[str, ...]:
    return () if errand.command is None else (errand.command,)
