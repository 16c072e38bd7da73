"""The three places libsodium comes from, each in a process of its own; none leaves a file behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from screening.crypto._libsodium import SYSTEM_NAMES, _bundled_bytes

ROOT = Path(__file__).parents[3]
GENERATOR = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"

WITHOUT_SYSTEM = "from screening.crypto import _libsodium; _libsodium.SYSTEM_NAMES = (); "
WITHOUT_MEMORY = "import os; os.__dict__.pop('memfd_create', None); "
USE = """
import os, sys
from screening.crypto import ristretto
print(ristretto.scalarmult_base(ristretto.ONE).hex())
print(ristretto._sodium._name)
print("rbcl" in sys.modules)
print(os.listdir(os.environ["TMPDIR"]))
"""


def run(code: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != "SCREENING_LIBSODIUM"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**clean, "TMPDIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def loaded_from(code: str, tmp_path: Path, **environment: str) -> str:
    """Runs the group in a new process; checks what it computed, and that it left nothing behind; says from where."""
    done = run(code + USE, tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    generator, name, imported, left = done.stdout.splitlines()
    assert (generator, imported, left) == (GENERATOR, "False", "[]")
    assert list(tmp_path.iterdir()) == []
    return name


@pytest.fixture
def library_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    content = _bundled_bytes()
    assert content is not None
    path = tmp_path_factory.mktemp("library") / "mine.so"
    path.write_bytes(content)
    return path


def test_the_configured_path_comes_first(tmp_path: Path, library_file: Path) -> None:
    assert loaded_from("", tmp_path, SCREENING_LIBSODIUM=str(library_file)) == str(library_file)


def test_the_system_s_library_comes_second(tmp_path: Path, library_file: Path) -> None:
    """Whether this machine has libsodium or not: one under the system's name is put where the loader looks."""
    system = library_file.with_name(SYSTEM_NAMES[0])
    library_file.rename(system)
    assert loaded_from("", tmp_path, LD_LIBRARY_PATH=str(system.parent)) == SYSTEM_NAMES[0]


def test_the_wheel_s_copy_comes_last_and_from_memory(tmp_path: Path) -> None:
    assert loaded_from(WITHOUT_SYSTEM, tmp_path).startswith("/proc/self/fd/")


def test_without_memory_files_a_temporary_file_is_used_and_removed(tmp_path: Path) -> None:
    assert loaded_from(WITHOUT_MEMORY + WITHOUT_SYSTEM, tmp_path).startswith(str(tmp_path))


@pytest.mark.parametrize("content", [None, b"", b"no library"])
def test_a_configured_path_that_is_no_library_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "libsodium.so"
    if content is not None:
        path.write_bytes(content)
    done = run("import screening.crypto.ristretto", tmp_path, SCREENING_LIBSODIUM=str(path))
    assert done.returncode == 1
    assert "LibraryError: SCREENING_LIBSODIUM does not name a libsodium" in done.stderr


def test_a_library_without_ristretto255_is_refused(tmp_path: Path) -> None:
    done = run("import screening.crypto.ristretto", tmp_path, SCREENING_LIBSODIUM="libc.so.6")
    assert "LibraryError: SCREENING_LIBSODIUM does not name a libsodium" in done.stderr


def test_a_machine_without_any_libsodium_is_told_what_to_do(tmp_path: Path) -> None:
    code = WITHOUT_SYSTEM + "_libsodium._bundled_bytes = lambda: None; import screening.crypto.ristretto"
    done = run(code, tmp_path)
    assert "LibraryError: no libsodium with ristretto255 was found; install libsodium" in done.stderr
