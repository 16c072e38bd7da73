"""A small registry for tests: keys, trust file, two member organisations with their people, records and candidates.

```python
template = World.create(url)          # once for each kind of database: migrates and fills it
world = template.at(clone_url)        # for each test
with world.unit(world.alpha.admin) as unit:
    create_record(unit, **world.record(world.alpha))
```

Tokens here are made up, not derived: the registry cannot tell.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from screening.crypto import ristretto
from screening.crypto.encoding import b64u
from screening.crypto.identifiers import uuid7
from screening.crypto.keyring import KeyholderKeyring, OrganisationKeyring, RecoveryKeyring, RegistryKeyring
from screening.crypto.passwords import PasswordHasher
from screening.crypto.sealing import seal
from screening.crypto.signing import Statement, body_digest
from screening.crypto.stretch import StretchParameters
from screening.crypto.tokens import entries_digest, pack_entry, self_token
from screening.crypto.trust import (
    EvaluatorEntry,
    TrustFile,
    WitnessEntry,
    build_certificate,
    build_trust_file,
    verify_trust_file,
)
from screening.registry import database
from screening.registry.models import Category, EventRow, LawfulBasis, Purpose, Record, Role
from screening.registry.organisations import admit_organisation
from screening.registry.people import InvitedPerson, accept_invitation, invite_person
from screening.registry.records import approve_version, create_record
from screening.registry.screenings import Candidate, ScreeningRequest
from screening.registry.setup import initialise_registry
from screening.registry.trust import publish_trust_file
from screening.registry.unit import Actor, RegistryContext, Unit, open_unit

T = TypeVar("T")

START = datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)
REGISTRY = "test-registry"
LOG_ORIGIN = "log.example/test-registry"
SCHEME = "5c" * 32
PASSWORD = "seven purple lanterns drift"
STRONG_RULES = (2, 4, 5, 7)
"""Numbers of rules of tier A that need no document."""


class Clock:
    """The present, moved by hand."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        """Moves on by what `timedelta` takes."""
        self.now += timedelta(**duration)


def cheap_passwords() -> PasswordHasher:
    """Hashes passwords at a cost that tests can pay."""
    return PasswordHasher(memory_kib=8, iterations=1, parallelism=1)


@dataclass(frozen=True)
class Someone:
    """A person of an organisation."""

    person: uuid.UUID
    organisation: uuid.UUID
    email: str
    roles: frozenset[Role]

    @property
    def actor(self) -> Actor:
        """The person, as if logged in."""
        return Actor(self.person, self.organisation, self.roles, session=uuid.UUID(int=0))


@dataclass(frozen=True)
class Member:
    """An admitted organisation with its keys and people."""

    id: uuid.UUID
    name: str
    keyring: OrganisationKeyring
    recovery: RecoveryKeyring
    certificate: Statement
    """Signed by the organisation and a keyholder; the registry adds its own signature."""
    admin: Someone
    second_admin: Someone
    recruiter: Someone
    auditor: Someone


@dataclass(frozen=True)
class World:
    """A registry with two members, in a database."""

    url: str
    engine: Engine
    sessions: sessionmaker[Session]
    clock: Clock
    context: RegistryContext
    keyring: RegistryKeyring
    keyholder: KeyholderKeyring
    registrar: Someone
    operator_auditor: Someone
    alpha: Member
    beta: Member

    @classmethod
    def create(cls, url: str) -> "World":
        """Migrates an empty database and fills it."""
        return _Builder(url).build()

    def at(self, url: str) -> "World":
        """The same registry in a copy of its database, at the beginning of its time."""
        engine = database.create_engine(url)
        clock = Clock(START + timedelta(minutes=1))
        return replace(self, url=url, engine=engine, sessions=database.create_sessions(engine), clock=clock)

    def close(self) -> None:
        """Closes connections; the database stays."""
        self.engine.dispose()

    @property
    def trust(self) -> TrustFile:
        """The trust file in force."""
        return self.context.required_trust

    @contextmanager
    def unit(self, someone: Someone | None = None, *, write: bool = True) -> Iterator[Unit]:
        """A unit in which somebody acts, a millisecond after the one before, so that ids sort by time."""
        self.clock.advance(milliseconds=1)
        actor = None if someone is None else someone.actor
        with open_unit(self.sessions, self.context, self.clock, actor, write=write) as unit:
            yield unit

    def act(self, someone: Someone | None, service: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Runs one service in a unit of its own, as somebody."""
        with self.unit(someone) as unit:
            return service(unit, *args, **kwargs)

    def events(self) -> list[str]:
        """Tags of all events, in the order in which they were written."""
        with self.sessions() as session:
            return list(session.scalars(select(EventRow.tag).order_by(EventRow.id)))

    def count(self, table: type[Any]) -> int:
        """Number of a table's rows."""
        with self.sessions() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    def record(self, member: Member, *, seed: str = "person", submit: bool = True, **changes: Any) -> dict[str, Any]:
        """Everything that `create_record` takes, besides the unit; `changes` as for `version`."""
        record = uuid7()
        made = self.version(member, record, seed=seed, **changes)
        return {"record": record, "submit": submit, **made}

    def version(
        self,
        member: Member,
        record: uuid.UUID,
        *,
        number: int = 1,
        previous: str | None = None,
        seed: str = "person",
        entries: Sequence[bytes] | None = None,
        dossier: Mapping[str, Any] | None = None,
        signed: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """A signed version with its entries and dossier; `changes` and `signed` are fields of the signed body."""
        tokens = list(entries) if entries is not None else strong_entries(seed)
        sealed = dict(dossier) if dossier is not None else self.dossier(member, record, number)
        body = {
            "type": "record-version",
            "registry": self.context.id,
            "organisation": str(member.id),
            "record": str(record),
            "number": number,
            "previous": previous,
            "category": "SEA",
            "basis": "determination",
            "review_on": None,
            "expires_on": str(self.clock.now.date() + timedelta(days=1_000)),
            "scheme": self.context.scheme_digest,
            "epoch": self.context.epoch,
            "tokens": entries_digest(tokens),
            "dossier": body_digest(sealed),
            "time": written(self.clock.now),
        }
        return {"version": self.sign(member, body | changes | dict(signed or {})), "entries": tokens, "dossier": sealed}

    def dossier(
        self, member: Member, record: uuid.UUID, number: int, content: bytes = b'{"note":"invented"}'
    ) -> dict[str, Any]:
        """A dossier sealed to both of an organisation's keys."""
        boxes = []
        for key in (member.keyring.sealing, member.recovery.sealing):
            box = self._seal(key.public_bytes, content, "dossier", record, number)
            boxes.append({"recipient": key.key_id, "box": b64u(box)})
        return {"boxes": boxes}

    def approval(self, member: Member, version: Statement, signed: Mapping[str, Any] | None = None) -> Statement:
        """A signed approval of a version; `signed` changes fields of its body."""
        body = self._about(version, "record-approval") | {"version": version.digest}
        return self.sign(member, body | dict(signed or {}))

    def withdrawal(
        self,
        member: Member,
        version: Statement,
        reason: str = "overturned",
        signed: Mapping[str, Any] | None = None,
    ) -> Statement:
        """A signed withdrawal of a version's record; `signed` changes fields of its body."""
        body = self._about(version, "record-withdrawal") | {"reason": reason}
        return self.sign(member, body | dict(signed or {}))

    def sign(self, member: Member, body: Mapping[str, Any]) -> Statement:
        """Any statement, signed by an organisation."""
        return Statement.of(body).sign("organisation", member.keyring.signing)

    def note(self, member: Member, object_id: uuid.UUID, label: str = "screening-note", version: int = 1) -> bytes:
        """Something sealed to an organisation."""
        return self._seal(member.keyring.sealing.public_bytes, b"a note", label, object_id, version)

    def active_record(self, member: Member, *, seed: str = "person", **changes: Any) -> uuid.UUID:
        """Enters a record and has it approved by a second person; gives its id."""
        made = self.record(member, seed=seed, **changes)
        record, _ = self.act(member.admin, create_record, **made)
        approval = self.approval(member, made["version"])
        self.act(member.second_admin, approve_version, record.id, etag=1, approval=approval)
        return record.id

    def candidate(self, member: Member, seed: str | None = "person", **changes: Any) -> Candidate:
        """Somebody to ask about; without a seed, somebody whose details do not allow a check."""
        id = changes.pop("id", None) or uuid7()
        values: dict[str, Any] = {
            "id": id,
            "entries": [] if seed is None else strong_entries(seed),
            "self_token": self_token(member.keyring.self_key, f"identity of {seed}".encode()),
            "note": self.note(member, id),
        }
        return Candidate(**(values | changes))

    def request(self, *candidates: Candidate, **changes: Any) -> ScreeningRequest:
        """A screening of candidates."""
        values: dict[str, Any] = {
            "purpose": Purpose.RECRUITMENT,
            "vacancy": "V-2026-17",
            "lawful_basis": LawfulBasis.NOTICE,
            "categories": frozenset(Category),
            "scheme": self.context.scheme_digest,
            "epoch": self.context.epoch,
            "candidates": candidates,
        }
        return ScreeningRequest(**(values | changes))

    def stored_record(self, record: uuid.UUID) -> Record:
        """A record's row as it is now."""
        with self.sessions() as session:
            return session.get_one(Record, record)

    def _seal(self, key: bytes, content: bytes, label: str, object_id: uuid.UUID, version: int) -> bytes:
        return seal(key, content, label=label, registry=self.context.id, object_id=str(object_id), version=version)

    def _about(self, version: Statement, type: str) -> dict[str, Any]:
        names = ("registry", "organisation", "record", "number")
        return {"type": type, "time": written(self.clock.now), **{name: version.body[name] for name in names}}


def written(time: datetime) -> str:
    """A time as statements have it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def made_up_token(seed: str, rule: int) -> bytes:
    """A token of a person and a rule, the same every time."""
    return hashlib.sha256(f"{seed}/{rule}".encode()).digest()[:16]


def entries_of(seed: str, rules: Sequence[int], name: int | None = 0) -> list[bytes]:
    """One entry for each rule."""
    return [pack_entry(rule, name, made_up_token(seed, rule)) for rule in rules]


def strong_entries(seed: str) -> list[bytes]:
    """Entries that grade strong against themselves."""
    return entries_of(seed, STRONG_RULES)


def in_days(clock: Clock, days: int) -> date:
    """A date."""
    return clock.now.date() + timedelta(days=days)


class _Builder:
    """Fills an empty database through the services, as people would."""

    def __init__(self, url: str) -> None:
        database.upgrade(url)
        self.url = url
        self.engine = database.create_engine(url)
        self.sessions = database.create_sessions(self.engine)
        self.clock = Clock()
        self.keyring = RegistryKeyring.generate(registry=REGISTRY)
        self.keyholder = KeyholderKeyring.generate(keyholder="keyholder-1")
        self.context = RegistryContext(
            id=REGISTRY,
            signing=self.keyring.signing,
            log=self.keyring.log,
            log_origin=LOG_ORIGIN,
            passwords=cheap_passwords(),
        )

    def build(self) -> World:
        with self._unit() as unit:
            begun = initialise_registry(
                unit,
                operator="The operator",
                contact="registry@operator.example",
                registrar_email="registrar@operator.example",
                registrar_name="The registrar",
            )
        statement = first_trust_file(self.keyring, self.keyholder)
        with self._unit() as unit:
            trust, _ = publish_trust_file(unit, statement)
        self.context = replace(self.context, trust=trust)
        registrar = self._joined(begun.registrar)
        auditor = self._person(registrar, begun.operator.id, "auditor@operator.example", Role.AUDITOR)
        world = World(
            self.url,
            self.engine,
            self.sessions,
            self.clock,
            self.context,
            self.keyring,
            self.keyholder,
            registrar,
            auditor,
            self._member("Alpha", registrar),
            self._member("Beta", registrar),
        )
        world.close()
        return world

    @contextmanager
    def _unit(self, someone: Someone | None = None) -> Iterator[Unit]:
        self.clock.advance(milliseconds=1)
        actor = None if someone is None else someone.actor
        with open_unit(self.sessions, self.context, self.clock, actor) as unit:
            yield unit

    def _member(self, name: str, registrar: Someone) -> Member:
        id, host = uuid7(), f"{name.lower()}.example"
        keyring = OrganisationKeyring.generate(registry=REGISTRY, organisation=str(id))
        recovery = RecoveryKeyring.generate(organisation=str(id))
        certificate = signed_certificate(keyring, recovery, self.keyholder, name=name, contact=f"hr@{host}")
        with self._unit(registrar) as unit:
            admit_organisation(unit, certificate)
        admin = self._person(registrar, id, f"admin@{host}", Role.ENTITY_ADMIN)
        return Member(
            id,
            name,
            keyring,
            recovery,
            certificate,
            admin,
            self._person(admin, id, f"admin2@{host}", Role.ENTITY_ADMIN),
            self._person(admin, id, f"recruiter@{host}", Role.RECRUITER),
            self._person(admin, id, f"auditor@{host}", Role.AUDITOR),
        )

    def _person(self, by: Someone, organisation: uuid.UUID, email: str, *roles: Role) -> Someone:
        with self._unit(by) as unit:
            invited = invite_person(unit, organisation=organisation, email=email, name=email, roles=roles)
        return self._joined(invited)

    def _joined(self, invited: InvitedPerson) -> Someone:
        with self._unit() as unit:
            person, _ = accept_invitation(unit, invited.code, PASSWORD)
        return Someone(person.id, person.organisation_id, person.email, person.roles)


def first_trust_file(keyring: RegistryKeyring, keyholder: KeyholderKeyring, **changes: Any) -> Statement:
    """A registry's first trust file, with one keyholder, signed by both."""
    own = EvaluatorEntry(
        id="registry",
        url="https://registry.example",
        share=ristretto.scalarmult_base(keyring.share),
        signing_key=keyring.signing.verifying_key,
    )
    other = EvaluatorEntry(
        id=keyholder.keyholder,
        url="https://keyholder.example",
        share=ristretto.scalarmult_base(keyholder.share),
        signing_key=keyholder.signing.verifying_key,
    )
    values: dict[str, Any] = {
        "registry": keyring.registry,
        "serial": 1,
        "previous": None,
        "epoch": 1,
        "scheme_version": 1,
        "scheme_digest": SCHEME,
        "stretch": StretchParameters(memory_kib=8192, iterations=1, parallelism=1, length=32),
        "evaluators": [own, other],
        "log_origin": LOG_ORIGIN,
        "log_key": keyring.log.public_bytes,
        "witnesses": [WitnessEntry(name=keyholder.keyholder, key=keyholder.witness.public_bytes)],
        "quorum": 1,
        "issued_at": START,
    }
    statement = build_trust_file(**(values | changes))
    return statement.sign("registry", keyring.signing).sign(keyholder.keyholder, keyholder.signing)


def verified(statement: Statement) -> TrustFile:
    """A first trust file, verified."""
    return verify_trust_file(statement, predecessor=None)


def signed_certificate(
    keyring: OrganisationKeyring,
    recovery: RecoveryKeyring,
    keyholder: KeyholderKeyring,
    *,
    name: str,
    contact: str,
    serial: int = 1,
) -> Statement:
    """An organisation's certificate, signed by it and by a keyholder."""
    certificate = build_certificate(
        keyring, recovery.sealing.public_bytes, name=name, contact=contact, serial=serial, issued_at=START
    )
    return certificate.sign(keyholder.keyholder, keyholder.signing)
