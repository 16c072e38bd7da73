"""Runs `screening` as a process of its own, and sets up a registry with a keyholder and an organisation through it."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from screening.cli import cli
from screening.cli.running import run

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-c", "from screening.cli import main; main()")
READY_SECONDS = 30.0
PASSWORDS = {
    "rita@registry.example": "registrar carries 7 lanterns",
    "ana@harbour.example": "ana keeps harbours quiet at 4",
    "ben@harbour.example": "ben repairs blue boats at noon",
    "eve@harbour.example": "eve reads every ledger twice",
}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What `--json` printed, or the error that it printed."""
        content: dict[str, Any] = json.loads(self.out if self.code in (0, 10, 11) else self.err)
        return content


def screening(*words: str | Path, env: Mapping[str, str] | None = None, stdin: str = "") -> Done:
    """Runs a command. The environment holds no setting but those given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SCREENING_")}
    done = subprocess.run(
        [*PROGRAM, *map(str, words)],
        cwd=ROOT,
        env={**clean, **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def screening_here(*words: str | Path, env: Mapping[str, str] | None = None) -> Done:
    """Runs a command in this process, which is much faster."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in [name for name in os.environ if name.startswith("SCREENING_")]:
            patch.delenv(name)
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        code = run(cli, [str(word) for word in words])
    return Done(code, out.getvalue(), err.getvalue())


def succeed_here(*words: str | Path) -> str:
    """Runs a command in this process that must succeed, and gives what it printed."""
    done = screening_here(*words)
    assert done.code == 0, done.err
    return done.out


def succeed(*words: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Runs a command that must succeed, and gives what it printed."""
    done = screening(*words, env=env)
    assert done.code == 0, done.err
    return done.out


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """Everything that was set up, each party in a directory of its own."""

    directory: Path
    registry_url: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}")
    keyholder_url: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}")
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    fingerprint: str = ""
    organisation: str = ""

    @property
    def registry(self) -> Path:
        return self.directory / "registry"

    @property
    def keyholder(self) -> Path:
        return self.directory / "keyholder"

    def home(self, who: str) -> Path:
        return self.directory / who

    def start(self, service: str) -> None:
        words = (
            ["serve", "--dir", self.registry]
            if service == "registry"
            else ["keyholder", "serve", "--dir", self.keyholder]
        )
        url = self.registry_url if service == "registry" else self.keyholder_url
        bind = url.removeprefix("http://")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SCREENING_")}
        with (self.directory / f"{service}.log").open("ab") as log:
            self.processes[service] = subprocess.Popen(
                [*PROGRAM, *map(str, words), "--bind", bind, "--workers", "1"],
                cwd=ROOT,
                env=clean,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                if httpx.get(f"{url}/readyz", trust_env=False, timeout=5).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            log_text = (self.directory / f"{service}.log").read_text()
            assert self.processes[service].poll() is None, log_text
            assert time.monotonic() < deadline, log_text
            time.sleep(0.05)

    def stop(self, service: str) -> None:
        process = self.processes.pop(service)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def log_in(self, who: str, email: str) -> None:
        succeed("login", "--home", self.home(who), "--email", email, env={"SCREENING_PASSWORD": PASSWORDS[email]})

    def join(self, who: str, email: str, code: str) -> None:
        env = {"SCREENING_PASSWORD": PASSWORDS[email], "SCREENING_INVITATION": code}
        succeed("user", "accept", "--home", self.home(who), env=env)
        self.log_in(who, email)


def set_up(site: Site) -> None:
    """The whole sequence of docs/operations.md, command by command."""
    folder = site.directory
    succeed("keyholder", "init", "--dir", site.keyholder, "--id", "keyholder-1", "--url", site.keyholder_url)
    (folder / "kh.json").write_text(succeed("keyholder", "export", "--dir", site.keyholder))
    begun = json.loads(
        succeed(
            *("init", "--dir", site.registry, "--registry", "demo-registry", "--url", site.registry_url),
            *("--keyholder", folder / "kh.json", "--operator", "Registry Office"),
            *("--registrar-email", "rita@registry.example", "--registrar-name", "Rita", "--json"),
        )
    )
    trust = site.registry / "trust.json"
    signed = json.loads(succeed("keyholder", "sign-trust", "--dir", site.keyholder, trust, "--json"))
    assert signed["pinned"] is True
    site.fingerprint = signed["fingerprint"]
    succeed("trust", "install", "--dir", site.registry, trust)
    site.start("registry")
    site.start("keyholder")
    succeed("trust", "pin", trust, "--fingerprint", site.fingerprint, "--home", site.home("rita"))
    site.join("rita", "rita@registry.example", begun["invitation_code"])

    made = json.loads(
        succeed(
            *("org", "init", "--home", site.home("ana"), "--name", "Harbour Relief", "--contact", "hr@harbour.example"),
            *("--trust", trust, "--fingerprint", site.fingerprint, "--json"),
        )
    )
    site.organisation = made["organisation"]
    (folder / "org.json").write_text(succeed("org", "export", "--home", site.home("ana")))
    enrol: list[str | Path] = ["keyholder", "enrol", "--dir", site.keyholder, folder / "org.json", "--budget", "20000"]
    (folder / "org2.json").write_text(succeed(*enrol))
    succeed("org", "admit", "--home", site.home("rita"), folder / "org2.json")
    invited = json.loads(
        succeed(
            *("user", "invite", "--home", site.home("rita"), "--organisation", site.organisation, "--json"),
            *("--email", "ana@harbour.example", "--name", "Ana", "--role", "entity_admin", "--role", "recruiter"),
        )
    )
    site.join("ana", "ana@harbour.example", invited["code"])
    succeed("org", "install", "--home", site.home("ana"))
    site.home("ben").mkdir(mode=0o700)
    for file in ("trust.json", "organisation.keys.json", "certificate.json"):
        copy = site.home("ben") / file
        copy.touch(mode=0o600)
        copy.write_bytes((site.home("ana") / file).read_bytes())
    invited = json.loads(
        succeed(
            *("user", "invite", "--home", site.home("ana"), "--json", "--email", "ben@harbour.example"),
            *("--name", "Ben", "--role", "entity_admin", "--role", "recruiter"),
        )
    )
    site.join("ben", "ben@harbour.example", invited["code"])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A registry, a keyholder and an organisation with two admins, set up by commands; shared by all tests."""
    made = Site(tmp_path_factory.mktemp("site"))
    try:
        set_up(made)
        yield made
    finally:
        for service in list(made.processes):
            made.stop(service)
