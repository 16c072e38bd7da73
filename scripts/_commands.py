"""What `scripts/run`, `test`, `check`, `benchmark` and `lock` do, each in the environment that it needs."""

import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from _environment import ENVIRONMENT, PYTHON, ROOT, EnvironmentFailedError, ensure, say

CHECKS = {
    "lint": ["ruff", "check"],
    "format": ["ruff", "format", "--check"],
    "types": ["mypy"],
    "import directions, README": [
        "pytest",
        "-q",
        "tests/policy/test_import_directions.py",
        "tests/policy/test_readme_commands.py",
    ],
}
# Benchmarks that measure other products too; what those need is large, and partly compiled on installation.
COMPARING = {"matching"}
# Which extras of setup.cfg each lock holds, besides what running needs.
LOCKS = {"run": [], "test": ["test"], "bench": ["bench"], "lock": ["lock"]}


def run(arguments: Sequence[str]) -> NoReturn:
    ensure("run")
    _become("screening.cli.demo", arguments)


def test(arguments: Sequence[str]) -> NoReturn:
    ensure("test")
    _become("pytest", arguments)


def check(arguments: Sequence[str]) -> int:
    if arguments:
        say("check takes no arguments")
        return 2
    ensure("test")
    failed = []
    for name, command in CHECKS.items():
        print(f"== {name}: {' '.join(command)}", flush=True)
        if subprocess.run([PYTHON, "-m", *command], cwd=ROOT, check=False).returncode:
            failed.append(name)
    print(f"check: failed: {', '.join(failed)}" if failed else "check: all passed")
    return 1 if failed else 0


def benchmark(arguments: Sequence[str]) -> int:
    names = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("[a-z]*.py"))}
    if arguments and arguments[0] in names:
        ensure("bench" if arguments[0] in COMPARING else "test")
        _become(f"benchmarks.{arguments[0]}", arguments[1:])
    known = [f"  {name:<12} {_summary(path)}" for name, path in names.items()]
    text = "\n".join(["Benchmarks, each `scripts/benchmark NAME [--json]`:", *known])
    if not arguments or arguments[0] in ("-h", "--help"):
        print(text)
        return 0
    say(f"There is no benchmark of that name.\n{text}")
    return 2


def lock(arguments: Sequence[str]) -> int:
    """Resolves everything together first, so that the same package has the same version in every lock."""
    if list(arguments) not in ([], ["--upgrade"]):
        say("usage: scripts/lock [--upgrade]")
        return 2
    ensure("lock")
    requirements = ROOT / "requirements"
    with tempfile.TemporaryDirectory() as folder:
        together = Path(folder) / "together.txt"
        if not arguments:
            # What is locked now stays as it is wherever setup.cfg still allows it.
            together.write_text("\n".join(path.read_text() for path in requirements.glob("*.txt")))
        _compile(together, [extra for extras in LOCKS.values() for extra in extras], arguments)
        for name, extras in LOCKS.items():
            _compile(together.with_name(f"{name}.txt"), extras, ["--constraints", str(together), "--no-annotate"])
        for name in LOCKS:
            (requirements / f"{name}.txt").write_text(together.with_name(f"{name}.txt").read_text())
            say(f"wrote requirements/{name}.txt")
    return 0


def _compile(target: Path, extras: Sequence[str], options: Sequence[str]) -> None:
    command = [str(ENVIRONMENT / "bin" / "uv"), "--system-certs", "pip", "compile", "setup.cfg", "--quiet"]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url"]
    command += ["--custom-compile-command", "scripts/lock", "--output-file", str(target)]
    command += [part for extra in extras for part in ("--extra", extra)]
    if subprocess.run([*command, *options], cwd=ROOT, check=False).returncode:
        raise EnvironmentFailedError("The requirements could not be resolved; uv says why above. No lock was changed.")


def _become(module: str, arguments: Sequence[str]) -> NoReturn:
    """Goes on as a Python module in the environment, in the project's folder, with its exit code."""
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), "-m", module, *arguments])


def _summary(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0]


def main() -> int:
    commands = {command.__name__: command for command in (run, test, check, benchmark, lock)}
    try:
        return commands[sys.argv[1]](sys.argv[2:])
    except EnvironmentFailedError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
