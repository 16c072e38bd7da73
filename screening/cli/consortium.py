"""A whole consortium on one machine: a registry, a keyholder and organisations, each with its own directory and keys.

It goes through the very steps that docs/operations.md asks of real operators: what they would type is run as a command
of its own, and what organisations do is done with the SDK. The demonstration, and tests over real sockets, build on it.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from screening.client import Client, Profile
from screening.client.organisations import create_organisation, read_request

PROGRAM: Final = (sys.executable, "-c", "from screening.cli import main; main()")
REGISTRY_ID: Final = "demo-registry"
KEYHOLDER_ID: Final = "keyholder-1"
STATE_FILE: Final = "consortium.json"
LIBSODIUM: Final = "SCREENING_LIBSODIUM"
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0
SHARED_FILES: Final = ("trust.json", "organisation.keys.json", "certificate.json")


class ConsortiumError(Exception):
    """The consortium could not be set up or started; the message says why and what to do."""


@dataclass(frozen=True)
class Member:
    """An organisation and its people.

    Attributes:
        name: The organisation's name.
        people: E-mail address of each person to (name, roles). The first must be an entity admin.
        budget: Elements a day that the keyholder grants it.
    """

    name: str
    people: Mapping[str, tuple[str, tuple[str, ...]]]
    budget: int = 20_000


@dataclass(frozen=True)
class Login:
    """How a person of the consortium logs in.

    Attributes:
        email: The log-in.
        password: The password, made at random.
        roles: What the person may do.
        organisation: The organisation's name.
        home: The person's profile directory.
    """

    email: str
    password: str = field(repr=False)
    roles: tuple[str, ...]
    organisation: str
    home: Path


class Consortium:
    """Sets up, starts and stops.

    Args:
        directory: Everything lies in it; nothing outside is touched.
        registry_port: Where the registry listens, on loopback.
        keyholder_port: Where the keyholder listens.
        announced: Ports that the trust file names instead, where something relays to those above.
        database_url: The registry's database; a SQLite file in the directory by default.
        program: What runs `screening`, as words of a command line.
        workers: Processes of each service.
        say: Told about each step.
    """

    def __init__(
        self,
        directory: Path,
        *,
        registry_port: int,
        keyholder_port: int,
        announced: tuple[int, int] | None = None,
        database_url: str | None = None,
        program: Sequence[str] = PROGRAM,
        workers: int = 1,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.directory = directory.absolute()
        self.ports = (registry_port, keyholder_port)
        self.announced = announced or self.ports
        self.logins: dict[str, Login] = {}
        self.organisations: dict[str, str] = {}
        self._database_url = database_url
        self._program = tuple(program)
        self._workers = workers
        self._say = say
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- setting up ----------------------------------------------------------------------------------------------

    def build(self, members: Sequence[Member]) -> None:
        """Makes keys, trust file, database, organisations and people; leaves the services running.

        Args:
            members: The organisations.
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        trust_file, fingerprint, code = self._ceremony()
        self.start()
        registrar = Login(
            "registrar@registry.example", _password(), ("registrar",), "Registry", self.directory / "registrar"
        )
        self._say("The registrar accepts the invitation that was printed when the registry was set up")
        profile = Profile.create(registrar.home)
        profile.pin_trust(read_trust(trust_file), fingerprint=fingerprint)
        self._accept(registrar, code)
        for member in members:
            self._admit(member, registrar, trust_file, fingerprint)
        self._save()

    def _ceremony(self) -> tuple[Path, str, str]:
        registry, keyholder = self.directory / "registry", self.directory / "keyholder"
        registry_url, keyholder_url = (f"http://127.0.0.1:{port}" for port in self.announced)
        self._say("A keyholder makes its share of the hashing key")
        self._command("keyholder", "init", "--dir", str(keyholder), "--id", KEYHOLDER_ID, "--url", keyholder_url)
        description = self.directory / "keyholder-1.json"
        description.write_text(self._command("keyholder", "export", "--dir", str(keyholder)))
        self._say("The registry makes its own share, its database and a trust file")
        words = ["init", "--dir", str(registry), "--registry", REGISTRY_ID, "--url", registry_url]
        words += ["--keyholder", str(description), "--operator", "Registry", "--json"]
        words += ["--registrar-email", "registrar@registry.example"]
        words += ["--database-url", self._database_url] if self._database_url else []
        code = json.loads(self._command(*words))["invitation_code"]
        trust_file = registry / "trust.json"
        self._say("The keyholder signs the trust file too, and the registry publishes it")
        signed = self._command("keyholder", "sign-trust", "--dir", str(keyholder), str(trust_file), "--json")
        self._command("trust", "install", "--dir", str(registry), str(trust_file))
        return trust_file, json.loads(signed)["fingerprint"], code

    def _admit(self, member: Member, registrar: Login, trust_file: Path, fingerprint: str) -> None:
        self._say(f"{member.name} makes its keys; keyholder and registry check and admit it")
        folder = self.directory / member.name.lower().replace(" ", "-")
        homes = {email: folder / email.partition("@")[0] for email in member.people}
        first = next(iter(homes.values()))
        profile = Profile.create(first)
        profile.pin_trust(read_trust(trust_file), fingerprint=fingerprint)
        create_organisation(
            profile,
            name=member.name,
            contact=f"focal-point@{next(iter(member.people)).partition('@')[2]}",
            recovery_file=folder / "recovery-key-keep-offline.json",
            now=datetime.now(UTC),
        )
        request, countersigned = folder / "request.json", folder / "countersigned.json"
        request.write_text(json.dumps(profile.certificate_statement.to_json()))
        enrol = ["enrol", "--dir", str(self.directory / "keyholder"), str(request), "--budget", str(member.budget)]
        self._command("keyholder", *enrol, "--output", str(countersigned))
        with Client(Profile(registrar.home)) as client:
            organisation, _ = client.organisations.admit(read_request(json.loads(countersigned.read_text())))
            self.organisations[member.name] = organisation.id
            email, (name, roles) = next(iter(member.people.items()))
            invitation = client.people.invite(email=email, name=name, roles=roles, organisation=organisation.id)
        admin = Login(email, _password(), roles, member.name, first)
        self._accept(admin, invitation.code)
        with Client(profile) as client:
            client.organisations.install()
            for email, (name, roles) in list(member.people.items())[1:]:
                homes[email].mkdir(parents=True, mode=0o700)
                for file in SHARED_FILES:
                    shutil.copy2(first / file, homes[email] / file)
                invitation = client.people.invite(email=email, name=name, roles=roles)
                self._accept(Login(email, _password(), roles, member.name, homes[email]), invitation.code)

    def _accept(self, login: Login, code: str) -> None:
        with Client(Profile(login.home)) as client:
            client.people.accept(code, login.password)
            client.sessions.open(login.email, login.password)
        self.logins[login.email] = login

    def _command(self, *words: str) -> str:
        done = subprocess.run([*self._program, *words], env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise ConsortiumError(f"screening {' '.join(words[:2])} failed: {done.stderr.strip()}")
        return done.stdout

    # --- running -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts registry and keyholder as processes of their own, and waits until both answer.

        Raises:
            ConsortiumError: One ended at once, or did not answer in time.
        """
        for service, words in (("registry", ("serve",)), ("keyholder", ("keyholder", "serve"))):
            self.start_service(service, *words)
        for service in ("registry", "keyholder"):
            self._wait(service)

    def start_service(self, service: str, *words: str) -> None:
        """Starts one service without waiting for it."""
        port = self.ports[0] if service == "registry" else self.ports[1]
        command = [*self._program, *words, "--dir", str(self.directory / service)]
        command += ["--bind", f"127.0.0.1:{port}", "--workers", str(self._workers)]
        with self.log(service).open("ab") as output:
            self._processes[service] = subprocess.Popen(
                command,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Ends every service that runs."""
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes.clear()

    def log(self, service: str) -> Path:
        """Where a service's log is."""
        return self.directory / f"{service}.log"

    def processes(self) -> Mapping[str, int]:
        """The process ids of the services that run."""
        return {service: process.pid for service, process in self._processes.items()}

    def _wait(self, service: str) -> None:
        port = self.ports[0] if service == "registry" else self.ports[1]
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self._processes[service].poll() is not None:
                self.stop()
                raise ConsortiumError(f"the {service} ended at once; {self.log(service)} says why")
            try:
                if (
                    httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5, trust_env=False).status_code
                    == httpx.codes.OK
                ):
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                self.stop()
                raise ConsortiumError(f"the {service} does not answer; {self.log(service)} may say why")
            time.sleep(0.05)

    # --- using ---------------------------------------------------------------------------------------------------

    def client(self, email: str) -> Client:
        """A client of one person, logged in anew."""
        login = self.logins[email]
        client = Client(Profile(login.home))
        client.sessions.open(login.email, login.password)
        return client

    def _save(self) -> None:
        state = {
            "ports": self.ports,
            "organisations": self.organisations,
            "logins": [
                {
                    "email": login.email,
                    "password": login.password,
                    "roles": login.roles,
                    "organisation": login.organisation,
                    "home": str(login.home.relative_to(self.directory)),
                }
                for login in self.logins.values()
            ],
        }
        path = self.directory / STATE_FILE
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(state, file, indent=1)


def load(directory: Path, **options: Any) -> Consortium | None:
    """A consortium that was set up before, with the ports that its trust file names; None where there is none.

    Args:
        directory: Where it is.
        options: As for `Consortium`.
    """
    path = directory.absolute() / STATE_FILE
    if not path.is_file():
        return None
    state = json.loads(path.read_text())
    consortium = Consortium(directory, registry_port=state["ports"][0], keyholder_port=state["ports"][1], **options)
    consortium.organisations = state["organisations"]
    for item in state["logins"]:
        home = consortium.directory / item["home"]
        login = Login(item["email"], item["password"], tuple(item["roles"]), item["organisation"], home)
        consortium.logins[login.email] = login
    return consortium


def read_trust(path: Path) -> Any:
    """The statement in a trust file, not yet verified."""
    from screening.cli.trust import statement

    return statement(path)


def _password() -> str:
    return secrets.token_urlsafe(18)


def _environment() -> dict[str, str]:
    """This process's environment without settings of another registry or profile, which would go first."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SCREENING_") or name == LIBSODIUM}
