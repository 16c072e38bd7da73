"""The matching scheme: its version, rules and digest, and all that is asked of it."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import version

from screening.identity import core, features, skeleton, tokens
from screening.identity.data import read_json
from screening.identity.documents import MIN_NUMBER
from screening.identity.features import CAPS, Feature, Role, identity_features
from screening.identity.grading import RULES, Grade, Rule, Tier, grade_hits, rule_by_id
from screening.identity.model import Identity
from screening.identity.quality import BIRTH_DATE_MISSING, BIRTH_DATE_PARTIAL, SINGLE_NAME, Lack, Quality

TABLES = ("name_tables.json", "common_names.json", "countries.json")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One feature of a person, and what it means."""

    rule: str
    tier: Tier
    sentence: str
    value: str = field(repr=False)
    name: int | None


class Scheme:
    """A version of the matching scheme. Use `current_scheme`."""

    version = 1

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, in the order in which features are kept where there are too many."""
        return RULES

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, over the definition and all tables.

        Two parties with the same digest make the same features of the same person. Sentences, which people read, are
        not part of it; the versions of the two libraries whose tables normalisation uses are.
        """
        canonical = json.dumps(self.definition(), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()

    def definition(self) -> dict[str, object]:
        """Returns all that the digest covers."""
        return {
            "version": self.version,
            "rules": [[rule.id, rule.number, rule.tier, rule.code] for rule in RULES],
            "caps": CAPS,
            "limits": {
                "number": MIN_NUMBER,
                "pairs": features.MAX_PAIRS,
                "bag": features.MIN_BAG,
                "rare token": features.MIN_RARE_TOKEN,
                "rare skeleton": features.MIN_RARE_SKELETON,
            },
            "tokens": [
                tokens.ARABIC_MARKS,
                tokens.ARABIC_STEPS,
                tokens.ARABIC_INITIAL,
                tokens.HANGUL_RUN,
                tokens.HAN_RUN,
                tokens.CAMEL,
                tokens.GAP,
            ],
            "core": [core.SERVANT, core.FATHER, core.SERVANT_OF, core.OF_THE_FAITH, core.THE_FAITH],
            "skeleton": [skeleton.RESPELT, skeleton.SEMIVOWELS, skeleton.SOFTENED, skeleton.MERGED, skeleton.VOWELS],
            "tables": {table: read_json(table) for table in TABLES},
            "libraries": {library: version(library) for library in ("anyascii", "pypinyin")},
        }

    def rule(self, rule_id: str) -> Rule:
        """Returns the rule with this id.

        Raises:
            KeyError: There is none.
        """
        return rule_by_id(rule_id)

    def features(self, identity: Identity, role: Role = "record") -> list[Feature]:
        """Returns the features of a person, always the same and in the same order.

        Args:
            identity: The person.
            role: "record" for a person who is entered, "query" for one who is screened.

        Returns:
            At most 256 different (rule, value) for a record and 32 for a query. The same (rule, value) stands once for
            each name that gives it.

        Raises:
            ValueError: Another role.
        """
        if role not in CAPS:
            raise ValueError("a role is record or query")
        return identity_features(identity, role)

    def grade(self, record_features: Iterable[Feature], query_features: Iterable[Feature]) -> Grade | None:
        """Returns how well a query matches a record, or None if they have nothing in common."""
        stored: dict[tuple[str, str], list[int | None]] = defaultdict(list)
        for feature in record_features:
            stored[feature.rule, feature.value].append(feature.name)
        return grade_hits(
            (rule_by_id(feature.rule).number, record_name, feature.name, feature.value)
            for feature in query_features
            for record_name in stored.get((feature.rule, feature.value), ())
        )

    def can_grade_strong(self, identity: Identity) -> bool:
        """Tells whether a record of this person would be a strong match if the same details were asked for."""
        return self.grade(self.features(identity, "record"), self.features(identity, "query")) == "strong"

    def quality(self, identity: Identity) -> Quality:
        """Tells what an identity's details allow, and what to add for a strong match."""
        strong = self.can_grade_strong(identity)
        return Quality(
            can_grade_strong=strong,
            can_match=bool(self.features(identity, "query")),
            lacks=() if strong else tuple(_lacks(identity)),
        )

    def explain(self, identity: Identity, role: Role = "record") -> list[Explanation]:
        """Returns every feature of a person with what its rule means."""
        return [
            Explanation(feature.rule, rule.tier, rule.sentence, feature.value, feature.name)
            for feature in self.features(identity, role)
            for rule in (rule_by_id(feature.rule),)
        ]


@cache
def current_scheme() -> Scheme:
    """Returns the scheme that is in use."""
    return Scheme()


def _lacks(identity: Identity) -> list[Lack]:
    found = []
    if identity.dob is None:
        found.append(BIRTH_DATE_MISSING)
    elif not any(dob.full for dob in identity.dobs):
        found.append(BIRTH_DATE_PARTIAL)
    if all(len(core.core(tokens.name_tokens(name))) == 1 for name in identity.names):
        found.append(SINGLE_NAME)
    return found
