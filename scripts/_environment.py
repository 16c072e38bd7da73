"""The project's environment, `.venv`: made, filled from the hash-locked requirements, and kept up to date.

Standard library only: this runs before anything is installed.
"""

import configparser
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"

# Which requirements are installed: name -> digest of the lock and of where it was installed.
_STAMP = ENVIRONMENT / ".installed.json"
# Present while pip works. A leftover says that it was interrupted, so that what it left cannot be trusted.
_UNFINISHED = ENVIRONMENT / ".unfinished"

_LAUNCHER = """\
#!/bin/sh
'''exec' "{python}" -P "$0" "$@"
' '''
import sys

from {module} import {function}

sys.exit({function}())
"""


class EnvironmentFailedError(Exception):
    """The environment could not be made; the text says what to do."""


def say(text: str) -> None:
    """Tells the person what is going on, without touching standard output."""
    print(text, file=sys.stderr, flush=True)


def ensure(name: str) -> None:
    """Makes sure that what `requirements/<name>.txt` locks is installed; costs next to nothing when it is.

    Args:
        name: "run", "test", "bench" or "lock".

    Raises:
        EnvironmentFailedError: No environment could be made, or a package could not be installed.
    """
    lock = ROOT / "requirements" / f"{name}.txt"
    digest = hashlib.sha256(str(ROOT).encode() + b"\0" + lock.read_bytes()).hexdigest()
    if _installed().get(name) == digest and _works():
        return
    with _alone():
        installed = _installed()
        if installed.get(name) == digest and _works():
            return
        started = time.monotonic()
        say(f"Installing what requirements/{name}.txt lists into .venv (this once) ...")
        if not _works():
            _make()
            installed = {}
        _install(lock)
        _link_project()
        _write(_STAMP, json.dumps(installed | {name: digest}))
        _UNFINISHED.unlink()
        say(f"Installed in {time.monotonic() - started:.0f} s.")


def _installed() -> dict[str, str]:
    if _UNFINISHED.exists():
        return {}
    try:
        stamps = json.loads(_STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamps if isinstance(stamps, dict) else {}


def _works() -> bool:
    """Whether `.venv` holds a Python that runs and is recent enough."""
    if Path(sys.prefix) == ENVIRONMENT:
        return True
    command = [str(PYTHON), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


@contextmanager
def _alone() -> Iterator[None]:
    """Holds off every other start of these scripts in the same folder; a killed process lets go by itself."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another run that is installing ...")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _make() -> None:
    command = [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise EnvironmentFailedError(
            f"Python could not make the environment {ENVIRONMENT}. "
            "On Debian and Ubuntu the package python3-venv is needed."
        )


def _install(lock: Path) -> None:
    interrupted = _UNFINISHED.exists()
    _UNFINISHED.touch()
    pip = [str(PYTHON), "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
        # The making of the environment was interrupted.
        subprocess.run([PYTHON, "-m", "ensurepip", "--upgrade"], stdout=sys.stderr, check=False)
    options = ["--disable-pip-version-check", "--no-input", "--quiet", "--no-deps", "--require-hashes"]
    if interrupted:
        options.append("--force-reinstall")
    if subprocess.run([*pip, "install", *options, "-r", str(lock)], stdout=sys.stderr, check=False).returncode:
        raise EnvironmentFailedError("Not everything could be installed; pip says why above. Starting again goes on.")


def _link_project() -> None:
    """Puts the project itself into the environment, in development mode: its folder and its commands."""
    (site_packages,) = ENVIRONMENT.glob("lib/python3.*/site-packages")
    _write(site_packages / "screening-registry.pth", f"{ROOT}\n")
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    for line in setup["options.entry_points"]["console_scripts"].split("\n"):
        if line:
            command, _, target = line.partition("=")
            module, _, function = target.strip().partition(":")
            launcher = PYTHON.with_name(command.strip())
            _write(launcher, _LAUNCHER.format(python=PYTHON, module=module, function=function))
            launcher.chmod(0o755)


def _write(path: Path, text: str) -> None:
    """Writes a file so that nobody ever sees half of it."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text)
    temporary.replace(path)
