"""A consortium over real sockets in which some persons were entered and screened, with everything that was observed."""

from __future__ import annotations

import random
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from screening.cli.consortium import Consortium, Member
from screening.client.screenings import Asked, ScreeningResult
from screening.identity import Identity
from tests.recorder import Recorder

SUBMITTER, APPROVER = "one@entering.example", "two@entering.example"
RECRUITER = "one@asking.example"
VICTIM = "one@robbed.example"
VICTIM_BUDGET = 800
MEMBERS = (
    Member(
        "Entering",
        {SUBMITTER: ("Staff One", ("entity_admin",)), APPROVER: ("Staff Two", ("entity_admin",))},
        budget=1_000_000,
    ),
    Member(
        "Asking",
        {
            "admin@asking.example": ("Staff Three", ("entity_admin",)),
            RECRUITER: ("Staff Four", ("recruiter",)),
        },
        budget=1_000_000,
    ),
    Member("Robbed", {VICTIM: ("Staff Five", ("entity_admin", "recruiter"))}, budget=VICTIM_BUDGET),
)

# Syllables make names that no protocol, log or library would contain by itself.
_SYLLABLES = {
    "latin": [
        "zor",
        "van",
        "ek",
        "qual",
        "tim",
        "bre",
        "óx",
        "fjør",
        "ñal",
        "güz",
        "wrét",
        "plim",
        "skó",
        "dvar",
        "yth",
        "kru",
    ],
    "cyrillic": ["зор", "щек", "вань", "жул", "тре", "бов", "хин", "ёрф", "дзю", "плах", "цуг", "мыр"],
    "arabic": ["زور", "غنم", "خطف", "شلم", "ثقب", "ظرف", "ضحك", "جفل"],
    "greek": ["ζορ", "ψηλ", "ξεν", "θρακ", "φιλν", "γκουρ", "χτεν", "βλαψ"],
    "hangul": list("퀄팀브롱잰쿡뱃쭐팽"),
    "han": list("鑫龘霆曌翀喆赟淼"),
}
_SCRIPTS = ("latin", "latin", "latin", "cyrillic", "arabic", "greek", "hangul", "han")


@dataclass(frozen=True)
class Invented:
    """A person who does not exist."""

    given: str
    family: str
    dob: str
    number: str

    @property
    def identity(self) -> Identity:
        """As it is entered or asked."""
        document = {"type": "passport", "number": self.number, "issuer": "FR"}
        return Identity.from_dict(
            {"given": self.given, "family": self.family, "dob": self.dob, "documents": [document]}
        )

    @property
    def secrets(self) -> set[str]:
        """What must not be seen anywhere."""
        return {self.given, self.family, f"{self.given} {self.family}", f"{self.family} {self.given}", self.number}


def invent(number: int, seed: int) -> list[Invented]:
    """Persons with names in several scripts, all different from one another."""
    chance = random.Random(seed)
    people: dict[tuple[str, str], Invented] = {}
    while len(people) < number:
        script = chance.choice(_SCRIPTS)
        parts = 1 if script in ("hangul", "han") else 3
        given, family = (
            "".join(chance.choices(_SYLLABLES[script], k=chance.randint(parts, parts + 1))).capitalize()
            for _ in range(2)
        )
        born = datetime(1950, 1, 1, tzinfo=UTC) + timedelta(days=chance.randrange(20_000))
        document = "".join(chance.choices("QXZWJKV", k=4)) + str(chance.randrange(10**6, 10**7))
        people[given, family] = Invented(given, family, born.date().isoformat(), document)
    return list(people.values())


@dataclass(frozen=True)
class Populated:
    """What is known of the consortium, by whoever observes everything.

    Attributes:
        consortium: It, running.
        entered: Persons who have an active record.
        strangers: Persons who were screened without one.
        results: What the screenings of `entered` and `strangers` gave, in that order.
        recorders: What relayed and kept the traffic of registry and keyholder.
    """

    consortium: Consortium
    entered: Sequence[Invented]
    strangers: Sequence[Invented]
    results: Sequence[ScreeningResult]
    recorders: Sequence[Recorder]


@contextmanager
def populated(directory: Path, records: int, *, database_url: str | None = None) -> Iterator[Populated]:
    """Sets a consortium up, enters persons, and screens as many: half of them the same, half strangers.

    Args:
        directory: Where it lives.
        records: Number of persons entered, and of persons screened.
        database_url: The registry's database; SQLite in the directory by default.
    """
    entered, strangers = invent(records, 1), invent(records, 2)[: records // 2]
    ports = free_ports(2)
    program = (sys.executable, str(Path(__file__).with_name("cheap.py")))
    with Recorder() as registry, Recorder() as keyholder:
        registry.relay_to(ports[0])
        keyholder.relay_to(ports[1])
        consortium = Consortium(
            directory,
            registry_port=ports[0],
            keyholder_port=ports[1],
            announced=(registry.port, keyholder.port),
            database_url=database_url,
            program=program,
        )
        with consortium:
            consortium.build(MEMBERS)
            enter(consortium, entered)
            results = screen(consortium, [*entered[: records - len(strangers)], *strangers])
            yield Populated(consortium, entered, strangers, results, (registry, keyholder))


def enter(consortium: Consortium, people: Sequence[Invented]) -> None:
    """Enters persons, and approves them as somebody else."""
    expires_on = datetime.now(UTC).date() + timedelta(days=1000)
    with consortium.client(SUBMITTER) as one, consortium.client(APPROVER) as two:
        for person in people:
            record = one.records.add(person.identity, category="SEA", basis="determination", expires_on=expires_on)
            two.records.approve(record.id)


def screen(consortium: Consortium, people: Sequence[Invented]) -> list[ScreeningResult]:
    """Screens persons, a hundred at a time."""
    asked = Asked("recruitment", "VACANCY-1", "notice")
    with consortium.client(RECRUITER) as client:
        return [
            result
            for start in range(0, len(people), 100)
            for result in client.screenings.check_all([p.identity for p in people[start : start + 100]], asked)
        ]


def free_ports(number: int) -> list[int]:
    """Loopback ports that nothing uses."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    try:
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
