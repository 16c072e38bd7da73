"""The scripts' own environment: installed once, again when something changed, repaired after an interruption."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def installs() -> list[list[str]]:
    """What pip was asked to install."""
    return []


@pytest.fixture
def project(tmp_path: Path, installs: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`scripts/_environment.py` at work on a small project, with a pip that only takes notes."""
    spec = importlib.util.spec_from_file_location("environment_under_test", SCRIPTS / "_environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    root = tmp_path / "a project"
    (root / "requirements").mkdir(parents=True)
    (root / "requirements" / "run.txt").write_text("one==1\n")
    (root / "requirements" / "test.txt").write_text("one==1\ntwo==2\n")
    (root / "setup.cfg").write_text("[options.entry_points]\nconsole_scripts =\n    hello = greeting.cli:main\n")
    (root / "greeting").mkdir()
    (root / "greeting" / "cli.py").write_text("def main():\n    print('hello')\n    return 3\n")
    real = subprocess.run

    def run(command: list[Any], **options: Any) -> subprocess.CompletedProcess[Any]:
        if "venv" in command:
            command = [*command, "--without-pip"]
        elif command[1:4] == ["-m", "pip", "install"]:
            installs.append(command[4:])
            return subprocess.CompletedProcess(command, 0)
        elif command[1:3] == ["-m", "pip"]:
            return subprocess.CompletedProcess(command, 0)
        return real(command, **options)

    monkeypatch.setattr(module.subprocess, "run", run)
    set_root(module, root, monkeypatch)
    return module


def set_root(module: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = root / ".venv"
    places = {
        "ROOT": root,
        "ENVIRONMENT": environment,
        "PYTHON": environment / "bin" / "python",
        "_STAMP": environment / ".installed.json",
        "_UNFINISHED": environment / ".unfinished",
    }
    for name, place in places.items():
        monkeypatch.setattr(module, name, place)


def test_what_is_locked_is_installed_once_and_only_with_its_hashes(
    project: ModuleType, installs: list[list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    project.ensure("run")
    project.ensure("run")
    assert len(installs) == 1
    assert {"--require-hashes", "--no-deps"} <= set(installs[0])
    output = capfd.readouterr()
    assert output.out == ""
    assert "Installing what requirements/run.txt lists" in output.err


def test_a_changed_lock_is_installed_again(project: ModuleType, installs: list[list[str]]) -> None:
    project.ensure("run")
    (project.ROOT / "requirements" / "run.txt").write_text("one==2\n")
    project.ensure("run")
    assert len(installs) == 2


def test_another_lock_is_installed_beside_the_first(project: ModuleType, installs: list[list[str]]) -> None:
    for name in ("run", "test", "run", "test"):
        project.ensure(name)
    assert [command[-1].rsplit("/", 1)[-1] for command in installs] == ["run.txt", "test.txt"]


def test_an_interrupted_installation_is_done_again_from_the_start(
    project: ModuleType, installs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(project, "_link_project", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            project.ensure("run")
    project.ensure("run")
    project.ensure("run")
    assert len(installs) == 2
    assert "--force-reinstall" not in installs[0]
    assert "--force-reinstall" in installs[1]


def test_an_environment_whose_python_is_gone_is_made_anew(project: ModuleType, installs: list[list[str]]) -> None:
    project.ensure("run")
    project.ensure("test")
    project.PYTHON.unlink()
    project.ensure("run")
    assert project.PYTHON.exists()
    project.ensure("test")
    assert len(installs) == 4


def test_a_folder_that_was_moved_is_installed_again(
    project: ModuleType, installs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.ensure("run")
    moved = project.ROOT.with_name("moved")
    project.ROOT.rename(moved)
    set_root(project, moved, monkeypatch)
    project.ensure("run")
    assert len(installs) == 2


def test_the_projects_command_is_there_even_in_a_folder_with_a_space(project: ModuleType) -> None:
    project.ensure("run")
    done = subprocess.run([project.PYTHON.with_name("hello")], capture_output=True, text=True, check=False, cwd="/")
    assert (done.stdout, done.returncode) == ("hello\n", 3), done.stderr


def test_a_failing_installation_is_an_error_and_is_tried_again(
    project: ModuleType, installs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.ROOT / "requirements" / "run.txt").write_text("one==1\n")
    counted = project.subprocess.run

    def run(command: list[Any], **options: Any) -> subprocess.CompletedProcess[Any]:
        done: subprocess.CompletedProcess[Any] = counted(command, **options)
        return subprocess.CompletedProcess(command, 1) if "install" in command else done

    with monkeypatch.context() as patch:
        patch.setattr(project.subprocess, "run", run)
        with pytest.raises(project.EnvironmentFailedError):
            project.ensure("run")
    project.ensure("run")
    assert len(installs) == 2


def start(tmp_path: Path, python: str | None) -> subprocess.CompletedProcess[str]:
    """Runs `scripts/_python` where the PATH offers nothing but the given text as `python3`."""
    scripts, programs = tmp_path / "scripts", tmp_path / "bin"
    scripts.mkdir()
    programs.mkdir()
    (scripts / "_python").write_bytes((SCRIPTS / "_python").read_bytes())
    (scripts / "_commands.py").write_text("import sys\nprint('started', *sys.argv[1:])\n")
    (programs / "dirname").symlink_to("/usr/bin/dirname")
    if python is not None:
        (programs / "python3").write_text(python)
        (programs / "python3").chmod(0o755)
    command = ["/bin/sh", str(scripts / "_python"), "run", "--once"]
    environment = {"PATH": os.fspath(programs)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("python", [None, "#!/bin/sh\nexit 1\n"], ids=["none", "too old"])
def test_without_a_recent_python_a_start_says_what_is_needed(tmp_path: Path, python: str | None) -> None:
    done = start(tmp_path, python)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "needs Python 3.11 or later" in done.stderr


def test_a_recent_python_on_the_path_is_found(tmp_path: Path) -> None:
    done = start(tmp_path, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    assert (done.returncode, done.stdout) == (0, "started run --once\n"), done.stderr
