"""Builds the virtual environments of the gates from the lock files, and pysshd's wheel for them."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.gates import show
from tests.gates.interpreters import Interpreter
from tests.gates.programs import must, run

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
LOWEST_LOCK = ROOT / "tests" / "gates" / "lowest.lock"
NEWEST, LOWEST = "newest", "lowest"

# Only wheels whose hash the lock names: nothing is built here but pysshd itself.
_PIP_INSTALL = ("install", "--quiet", "--no-input", "--disable-pip-version-check", "--only-binary", ":all:")
_IGNORED = shutil.ignore_patterns(
    ".git", ".venv*", "__pycache__", "*.egg-info", "build", "dist", ".*_cache", ".hypothesis"
)


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with everything of the lock in it; `cryptography` says which version of that."""

    folder: Path
    interpreter: Interpreter
    cryptography: str

    @property
    def bin(self) -> Path:
        """Where its programs are."""
        return self.folder / "bin"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.bin / "python"


def pinned_cryptography(lock: Path) -> str:
    """The version of cryptography that `lock` pins."""
    for line in lock.read_text().splitlines():
        if line.startswith("cryptography=="):
            return line.removeprefix("cryptography==").split()[0]
    raise ValueError(f"{lock.name} pins no cryptography")


def _stamp(interpreter: Interpreter, which: str) -> str:
    """What an environment is made of: as long as this is unchanged it is used again."""
    locks = [LOCK, LOWEST_LOCK] if which == LOWEST else [LOCK]
    digest = hashlib.sha256(b"\0".join(lock.read_bytes() for lock in locks)).hexdigest()
    return json.dumps({"python": interpreter.path, "version": interpreter.version, "locks": digest})


def build(interpreter: Interpreter, which: str, parent: Path, pip_of: Environment | None = None) -> Environment:
    """Make, or find, the environment of `interpreter` with the newest or the lowest cryptography, below `parent`.

    `pip_of` lends its pip where the interpreter brings none. Raises `NotReadyError` where something fails.
    """
    name = f".venv-tests-py{interpreter.series[0]}{interpreter.series[1]}-{which}"
    version = pinned_cryptography(LOWEST_LOCK if which == LOWEST else LOCK)
    made = Environment(parent / name, interpreter, version)
    stamp_file, stamp = made.folder / "made-of.json", _stamp(interpreter, which)
    if stamp_file.is_file() and stamp_file.read_text() == stamp and probe_environment(made):
        show.note(f"{name}: unchanged, used again")
        return made
    show.note(f"{name}: making it with {interpreter} from the lock file")
    if made.folder.exists():
        shutil.rmtree(made.folder)
    borrowed = pip_of is not None and not interpreter.has_pip
    without = ["--without-pip"] if borrowed else []
    must([interpreter.path, "-I", "-m", "venv", *without, made.folder], cwd=ROOT, why="making a virtual environment")
    install = [*_pip(made, pip_of), *_PIP_INSTALL, "--require-hashes"]
    must([*install, "-r", LOCK], cwd=ROOT, why="installing what the lock file pins")
    if which == LOWEST:
        must([*install, "--no-deps", "-r", LOWEST_LOCK], cwd=ROOT, why="installing the lowest cryptography")
    stamp_file.write_text(stamp)
    return made


def probe_environment(made: Environment) -> bool:
    """True where the environment's interpreter still starts: a system upgrade may have taken it away."""
    try:
        return run([made.python, "-I", "-c", "import cryptography, pytest"], cwd=ROOT, seconds=60).status == 0
    except OSError:
        return False


def _pip(made: Environment, lender: Environment | None) -> list[str | Path]:
    if (made.bin / "pip").exists() or lender is None:
        return [made.python, "-I", "-m", "pip"]
    return [lender.python, "-I", "-m", "pip", "--python", made.python]


def copy_checkout(target: Path) -> None:
    """Copy the working tree's own files, committed or not, to the new folder `target`."""
    listed = (
        run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, seconds=60)
        if shutil.which("git")
        else None
    )
    if listed is None or listed.status != 0:
        shutil.copytree(ROOT, target, symlinks=True, ignore=_IGNORED, dirs_exist_ok=True)
        return
    for name in filter(None, listed.output.split("\0")):
        source = ROOT / name
        if source.is_symlink() or source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)


def build_wheel(builder: Environment, work: Path) -> Path:
    """Build pysshd's wheel with the setuptools of the lock, from a copy: an old folder `build` must not leak in."""
    source, wheels = work / "source", work / "wheels"
    copy_checkout(source)
    command: list[str | Path] = [
        builder.python,
        "-I",
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    pinned: list[str | Path] = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", wheels, source]
    must([*command, *pinned], cwd=work, why="building pysshd")
    (wheel,) = wheels.glob("pysshd-*.whl")
    return wheel


def install_wheel(made: Environment, wheel: Path, pip_of: Environment | None = None) -> None:
    """Install pysshd, and nothing else, in place of what an earlier run installed."""
    command = [*_pip(made, pip_of), "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    must([*command, "--no-deps", "--no-index", "--force-reinstall", wheel], cwd=ROOT, why="installing pysshd")
