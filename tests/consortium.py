"""A small consortium for tests of the client: a registry's evaluator and a keyholder as real HTTP servers.

Each stands behind a `Party`, which can change what it answers, lose an answer, or answer something else altogether.
"""

import contextlib
import hashlib
import io
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import run_wsgi_app

from audit.promise import make_promise
from screening.client.profile import Profile
from screening.crypto import ristretto, voprf
from screening.crypto.encoding import b64u
from screening.crypto.keyring import KeyholderKeyring, OrganisationKeyring, RecoveryKeyring, RegistryKeyring
from screening.crypto.signing import SigningKey, Statement, canonical
from screening.crypto.stretch import StretchParameters, salt, stretch
from screening.crypto.tokens import token
from screening.crypto.trust import (
    OrganisationCertificate,
    TrustFile,
    build_certificate,
    verify_certificate,
    verify_trust_file,
)
from screening.evaluator.blueprint import blueprint
from screening.evaluator.keyholder import KEYS_FILE, TRUST_FILE, Keyholder, create_keyholder_app
from screening.evaluator.models import EvaluationBatch, EvaluatorBase
from screening.evaluator.service import Enrolment, Evaluator, EvaluatorConfig
from tests.servers import serving

REGISTRY = "test-registry"
SCHEME = "5c" * 32
CHEAP = StretchParameters(memory_kib=64, iterations=1, parallelism=1, length=32)
START = datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)

Respond = Callable[[], tuple[str, str, bytes]]


@dataclass
class Clock:
    """The consortium's time, moved by hand."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class Party:
    """A WSGI application around an honest one.

    Attributes:
        mutate: Changes the honest answer's JSON in place, or gives another one.
        respond: Answers instead: status, content type, body.
        headers: Further headers of what `respond` gives.
        lose_answers: Carries requests out, and answers as a proxy does that lost the answer.
        requests: The bodies that came in.
        seen: The WSGI environments that they came with.
    """

    def __init__(self) -> None:
        self.application: Any = None
        self.mutate: Callable[[dict[str, Any]], Any] | None = None
        self.respond: Respond | None = None
        self.headers: dict[str, str] = {}
        self.lose_answers = False
        self.requests: list[bytes] = []
        self.seen: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.requests.append(body)
        self.seen.append(environ)
        if self.respond is not None:
            status, kind, answer = self.respond()
            headers = {"Content-Type": kind, **self.headers}
        else:
            status, answer, headers = self._honestly(environ, body)
        start_response(status, [*headers.items(), ("Content-Length", str(len(answer)))])
        return [answer]

    def _honestly(self, environ: dict[str, Any], body: bytes) -> tuple[str, bytes, dict[str, str]]:
        chunks, status, headers = run_wsgi_app(self.application, {**environ, "wsgi.input": io.BytesIO(body)})
        answer = b"".join(chunks)
        if self.lose_answers:
            return "504 Gateway Timeout", b"", {"Content-Type": "text/plain"}
        if self.mutate is not None and status.startswith("200"):
            content = json.loads(answer)
            answer = json.dumps(self.mutate(content) or content).encode()
        return status, answer, {"Content-Type": headers["Content-Type"]}


class MemberDirectory:
    """The registry's organisations."""

    def __init__(self) -> None:
        self.known: dict[str, Enrolment] = {}

    def find(self, session: Session, organisation: str, key: str) -> Enrolment | None:
        return self.known.get(organisation + key)


class PromisingRecorder:
    """Promises every evaluation, as the registry does."""

    def __init__(self, log: SigningKey, origin: str) -> None:
        self._log = log
        self._origin = origin

    def evaluated(self, session: Session, *, time: datetime, **_event: Any) -> Mapping[str, Any]:
        return self.promise(time)

    def promise(self, time: datetime) -> Mapping[str, Any]:
        return make_promise(
            self._log.sign,
            key=self._log.key_id,
            origin=self._origin,
            event_id=uuid.uuid4(),
            leaf_hash=bytes(32),
            time=time,
        )


@dataclass
class Member:
    """An organisation with its keys and certificate."""

    keys: OrganisationKeyring
    recovery: RecoveryKeyring
    statement: Statement
    certificate: OrganisationCertificate
    directory: Path


@dataclass
class Consortium:
    """Everything that the tests look at or change. Made by `make_consortium`."""

    directory: Path
    clock: Clock
    registry: RegistryKeyring
    keyholder_keys: KeyholderKeyring
    trust_statement: Statement
    trust: TrustFile
    parties: dict[str, Party]
    servers: dict[str, contextlib.ExitStack]
    keyholder: Keyholder
    registry_directory: MemberDirectory
    registry_sessions: sessionmaker[Session]
    members: dict[str, Member] = field(default_factory=dict)

    @property
    def keyholder_directory(self) -> Path:
        return self.directory / "keyholder"

    # --- organisations -------------------------------------------------------------------------------------------

    def enrol(self, name: str, *, budget: int = 10_000, at_keyholder: bool = True) -> Member:
        """Makes an organisation, countersigned by both, with a profile directory of its own."""
        keys = OrganisationKeyring.generate(registry=REGISTRY, organisation=self.new_id())
        recovery = RecoveryKeyring.generate(organisation=keys.organisation)
        requested = build_certificate(
            keys, recovery.sealing.public_bytes, name=name, contact="hr@org.example", serial=1, issued_at=START
        )
        if at_keyholder:
            self.keyholder.enrol(requested, budget=budget)
        statement = requested.sign("registry", self.registry.signing).sign("keyholder-1", self.keyholder_keys.signing)
        certificate = verify_certificate(statement, self.trust)
        enrolment = Enrolment(keys.organisation, keys.signing.public_bytes, False, budget)
        self.registry_directory.known[keys.organisation + keys.signing.key_id] = enrolment
        profile = Profile.create(self.directory / name)
        profile.pin_trust(self.trust_statement, fingerprint=self.trust.fingerprint)
        profile.save_keys(keys)
        profile.save_certificate(statement)
        self.members[name] = Member(keys, recovery, statement, certificate, profile.directory)
        return self.members[name]

    def profile(self, name: str) -> Profile:
        """The profile of an organisation, which is enrolled when first asked for."""
        if name not in self.members:
            self.enrol(name)
        return Profile(self.members[name].directory)

    def organisation(self, name: str) -> str:
        return self.members[name].keys.organisation

    def new_id(self) -> str:
        return str(uuid.uuid4())

    # --- trust files ---------------------------------------------------------------------------------------------

    def signed(self, body: Mapping[str, Any]) -> Statement:
        """A trust file with the signatures of both evaluators, whatever it says."""
        own = Statement(body).sign("registry", self.registry.signing)
        return own.sign("keyholder-1", self.keyholder_keys.signing)

    def successor(self) -> Statement:
        return self.signed({**self.trust_statement.body, "serial": 2, "previous": self.trust_statement.digest})

    def fingerprint(self, statement: Statement) -> str:
        return hashlib.sha256(b"screening/1/trust-file\x00" + canonical(statement.body)).hexdigest()

    # --- evaluations ---------------------------------------------------------------------------------------------

    def direct_token(self, feature: bytes) -> bytes:
        """What one server with the sum of all shares would give; the sum exists here alone, for the test."""
        k = ristretto.scalar_add(self.registry.share, self.keyholder_keys.share)
        [stretched] = stretch([feature], CHEAP, salt(REGISTRY, 1))
        blinded = voprf.blind(stretched)
        return token(voprf.finalize(stretched, blinded.blind, ristretto.scalarmult(k, blinded.element)))

    def requests(self) -> list[dict[str, Any]]:
        """The bodies of all evaluation requests that came to anybody."""
        return [json.loads(request)["body"] for party in self.parties.values() for request in party.requests if request]

    def charged(self, evaluator: str) -> int:
        """Elements charged at an evaluator so far."""
        sessions = self.registry_sessions if evaluator == "registry" else self.keyholder.sessions
        with sessions() as session:
            return sum(session.scalars(select(EvaluationBatch.elements)))

    def forged_promise(self) -> Mapping[str, Any]:
        """A promise by somebody else's key."""
        return PromisingRecorder(SigningKey.generate(), self.trust.log_origin).promise(self.clock.now)

    # --- servers -------------------------------------------------------------------------------------------------

    def stop(self, party: str) -> None:
        """Takes a server down; its address stays its own."""
        self.servers[party].close()

    def behave(self) -> None:
        """Makes every party answer honestly from now on."""
        for party in self.parties.values():
            party.mutate = party.respond = None
            party.headers, party.lose_answers, party.requests, party.seen = {}, False, [], []

    def restart(self, party: str) -> None:
        url = next(entry.url for entry in self.trust.evaluators if entry.id == party)
        self.servers[party].enter_context(serving(self.parties[party], port=int(url.rpartition(":")[2])))


@contextlib.contextmanager
def make_consortium(directory: Path) -> Iterator[Consortium]:
    """Makes and serves a consortium of a registry's evaluator and one keyholder.

    Args:
        directory: An empty directory for its files.
    """
    clock = Clock()
    registry = RegistryKeyring.generate(registry=REGISTRY)
    keys = KeyholderKeyring.generate(keyholder="keyholder-1")
    parties = {"registry": Party(), "keyholder-1": Party()}
    servers = {name: contextlib.ExitStack() for name in parties}
    with servers["registry"], servers["keyholder-1"], pytest.MonkeyPatch.context() as patch:
        patch.setattr("screening.crypto.trust.MINIMUM_STRETCH", CHEAP)
        urls = {name: servers[name].enter_context(serving(party)) for name, party in parties.items()}
        body = _trust_body(registry, keys, urls)
        statement = Statement(body).sign("registry", registry.signing).sign("keyholder-1", keys.signing)
        trust = verify_trust_file(statement, predecessor=None)
        keyholder_directory = directory / "keyholder"
        keyholder_directory.mkdir()
        keys.save(keyholder_directory / KEYS_FILE)
        (keyholder_directory / TRUST_FILE).write_text(json.dumps(statement.to_json()))
        keyholder = Keyholder(keyholder_directory, clock=clock)
        parties["keyholder-1"].application = create_keyholder_app(keyholder)
        structlog.reset_defaults()
        members = MemberDirectory()
        engine = create_engine(f"sqlite:///{directory / 'registry.sqlite'}")
        EvaluatorBase.metadata.create_all(engine)
        sessions = sessionmaker(engine)
        config = EvaluatorConfig(
            "registry", REGISTRY, 1, SCHEME, registry.share, voprf.public_share(registry.share), 10**9
        )
        recorder = PromisingRecorder(registry.log, trust.log_origin)
        application = Flask(__name__)
        application.register_blueprint(blueprint(Evaluator(config, sessions, members, recorder, clock)))
        parties["registry"].application = application
        yield Consortium(
            directory, clock, registry, keys, statement, trust, parties, servers, keyholder, members, sessions
        )
    engine.dispose()
    keyholder.sessions.kw["bind"].dispose()


def _trust_body(registry: RegistryKeyring, keyholder: KeyholderKeyring, urls: Mapping[str, str]) -> dict[str, Any]:
    evaluators = (("registry", registry.share, registry.signing), ("keyholder-1", keyholder.share, keyholder.signing))
    return {
        "type": "trust-file",
        "version": 1,
        "registry": REGISTRY,
        "serial": 1,
        "previous": None,
        "epoch": 1,
        "scheme": {"version": 1, "digest": SCHEME},
        "suite": "ristretto255-SHA512",
        "stretch": CHEAP.to_json(),
        "evaluators": [
            {
                "id": name,
                "url": urls[name],
                "share": b64u(voprf.public_share(share)),
                "signing_key": b64u(signing.public_bytes),
            }
            for name, share, signing in evaluators
        ],
        "log": {"origin": f"{REGISTRY}/log", "key": b64u(registry.log.public_bytes)},
        "witnesses": [{"name": "keyholder-1", "key": b64u(keyholder.witness.public_bytes)}],
        "quorum": 1,
        "issued_at": "2026-11-20T14:00:00Z",
    }
