"""`pysshd quickstart`: from nothing to a login in one command, with nothing written outside the state folder."""

import os
import pwd
import re
import sys
from importlib.resources import files
from pathlib import Path

import click

from pysshd.cli.logs import log_options
from pysshd.cli.serving import serve_policy
from pysshd.cli.starter_keys import StarterKeys, find_or_make
from pysshd.daemon.host_keys import HostKey
from pysshd.daemon.listeners import bind
from pysshd.daemon.state import default_state_directory, prepare_state_directory
from pysshd.errors import StartupError
from pysshd.policy.settings import Listen

POLICY = "policy.yaml"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}")
PORT = 2222


@click.command(short_help="A daemon of your own, in one minute.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="The state folder; absent: $STATE_DIRECTORY, /var/lib/pysshd for root, else ~/.local/state/pysshd.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=None, help=f"The port of a new policy.  [default: {PORT}]"
)
@log_options
def quickstart(state: Path | None, port: int | None, log_format: str, log_level: str) -> None:
    """Serve a policy of your own, writing it first where there is none.

    The first start writes a commented policy with your name and your public keys into the state folder (a key is made
    for you where you have none), generates host keys, and prints the ssh line that logs you in. Later starts serve what
    is there. Only this machine can connect, and nothing outside the state folder is written.
    """
    uid = os.geteuid()
    folder = prepare_state_directory((state or default_state_directory(os.environ, uid)).absolute(), uid)
    if not str(folder).isprintable():
        raise StartupError(f"state folder {str(folder)!a}: has a character that a policy can not hold; name another")
    policy = folder / POLICY
    name = starter_name(uid)
    if policy.exists():
        if port is not None:
            raise StartupError(f"--port: {policy} is there already; change server.listen in that file")
    else:
        # Before a policy is written that could not be served, and that a later --port could not change.
        refuse_taken_port(port or PORT)
    keys = find_or_make(folder, Path(pwd_home(uid)), ssh_home(uid))
    if not policy.exists():
        write_policy(policy, template(), name, folder, keys, port or PORT)

    def ready(host_keys: list[HostKey], addresses: list[str]) -> None:
        known_hosts = write_known_hosts(folder, host_keys, addresses)
        announce(policy, name, keys, host_keys, addresses, known_hosts)

    if uid == 0:
        click.echo("started as root: root alone is served, and every session is root's", err=True)
    serve_policy(policy, log_format, log_level, root_may_serve=uid == 0, ready=ready)


def template() -> str:
    """Return the packaged example that a new policy is made of."""
    return files("pysshd.cli").joinpath("quickstart.yaml").read_text("utf-8")


def starter_name(uid: int) -> str:
    """Return the account name of whoever started this, as far as a policy can say it."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = ""
    # YAML reads a bare null as nothing.
    return name if NAME.fullmatch(name) and name.lower() != "null" else "owner"


def pwd_home(uid: int) -> str:
    """Return the home folder of whoever started this."""
    try:
        return os.environ.get("HOME") or pwd.getpwuid(uid).pw_dir
    except KeyError:
        return "/"


def ssh_home(uid: int) -> Path | None:
    """Return the home folder that ssh looks for keys in, which HOME does not change; None where it knows none."""
    try:
        return Path(pwd.getpwuid(uid).pw_dir)
    except KeyError:
        return None


def refuse_taken_port(port: int) -> None:
    """StartupError where the port of a new policy can not be listened on."""
    try:
        for listener in bind((Listen(f"127.0.0.1:{port}", "127.0.0.1", port),)):
            listener.socket.close()
    except StartupError as error:
        raise StartupError(f"{error} (pysshd quickstart --port {port + 1})") from None


def filled(text: str, name: str, folder: Path, keys: StarterKeys, port: int) -> str:
    """Return the template with a person, keys, a state folder and a port in place of the example's."""
    names = {"starter": name, "somebody-else": "somebody-else" if name != "somebody-else" else "nobody"}
    lines = []
    for line in text.splitlines():
        if line.lstrip().startswith('- "ssh-'):
            lines += [f'      - "{key}"' for key in keys.public]
        elif line.startswith("  listen:"):
            lines += [f'  listen: ["127.0.0.1:{port}"]', f"  state: {_quoted(str(folder))}"]
        elif line.lstrip().startswith("#"):
            lines.append(line)
        else:
            lines.append(re.sub(r"\b(starter|somebody-else)\b", lambda found: names[found[0]], line))
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_policy(path: Path, text: str, name: str, folder: Path, keys: StarterKeys, port: int) -> None:
    """Write a new policy, once and whole, for its user alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(filled(text, name, folder, keys, port), "utf-8")
        draft.chmod(0o600)
        os.link(draft, path)
    except OSError as error:
        raise StartupError(f"policy {path}: can not be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def write_known_hosts(folder: Path, host_keys: list[HostKey], addresses: list[str]) -> Path:
    """Write the host keys where the printed ssh line finds them, so that no first contact has to be taken on trust."""
    path = folder / "known_hosts"
    lines = []
    for address in addresses:
        host, _, port = address.rpartition(":")
        place = f"[{host.strip('[]')}]:{port}" if port != "22" else host.strip("[]")
        lines += [f"{place} {entry.key.public.line}\n" for entry in host_keys]
    path.write_text("".join(lines), "utf-8")
    return path


def announce(
    policy: Path, name: str, keys: StarterKeys, host_keys: list[HostKey], addresses: list[str], known_hosts: Path
) -> None:
    """Print what a person needs next: the fingerprints, where the policy lies, and the line that logs in."""
    host, _, port = addresses[0].rpartition(":")
    words = ["ssh", "-p", port, "-o", f"UserKnownHostsFile={_option_value(known_hosts)}"]
    if keys.identity is not None:
        words += ["-i", str(keys.identity), "-o", "IdentitiesOnly=yes"]
    words.append(f"{name}@{host.strip('[]')}")
    bold = sys.stdout.isatty()
    click.echo("\nhost key fingerprints")
    for entry in host_keys:
        click.echo(f"  {entry.key.public.fingerprint}  {entry.key.public.key_type}")
    click.echo(f"policy\n  {policy}")
    click.echo("log in with")
    click.echo("  " + click.style(" ".join(map(_shell_word, words)), bold=bold))
    click.echo("Ctrl-C ends the daemon; from another terminal, the line above logs in.\n")
    sys.stdout.flush()


def _option_value(path: Path) -> str:
    """A path as the value of an option of ssh, which splits at blanks and fills in what follows a percent sign."""
    value = str(path).replace("%", "%%")
    return f'"{value}"' if " " in value else value


def _shell_word(word: str) -> str:
    return word if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]+", word) else "'" + word.replace("'", "'\\''") + "'"
