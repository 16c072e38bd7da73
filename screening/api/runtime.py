"""What a registry process has open and knows: database, keys, and the trust file in force."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from flask import current_app, g
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit.events import BatchEvaluated
from screening.api.settings import Settings
from screening.crypto.keyring import RegistryKeyring
from screening.crypto.passwords import PasswordHasher
from screening.crypto.voprf import public_share
from screening.evaluator.service import Enrolment, Evaluator, EvaluatorConfig
from screening.registry.database import create_engine, create_sessions, require_head
from screening.registry.errors import NotReadyError
from screening.registry.evaluations import RegistryRecorder
from screening.registry.models import TrustFileRow
from screening.registry.organisations import RegistryDirectory
from screening.registry.policy import policy_value
from screening.registry.trust import current_trust_file
from screening.registry.unit import Clock, RegistryContext

EXTENSION = "screening"
REFRESH_SECONDS = 2.0
"""How long a process may work with a trust file or an over-all budget that another process has replaced."""


@dataclass(frozen=True)
class _Present:
    """What the database said when it was last asked."""

    serial: int
    total_budget: int
    context: RegistryContext
    evaluator: Evaluator


class Registry:
    """The registry's process.

    Args:
        settings: Where the database and the key file are.
        clock: Gives the present.
        passwords: Hashes and verifies passwords.

    Raises:
        KeyringError: The key file cannot be used.
        ValueError: The database's URL cannot be used.
    """

    def __init__(self, settings: Settings, *, clock: Clock, passwords: PasswordHasher) -> None:
        self.clock = clock
        self.engine = create_engine(settings.database_url)
        self.sessions = create_sessions(self.engine)
        self._keyring = RegistryKeyring.load(settings.keyring, passphrase=settings.keyring_passphrase)
        self._passwords = passwords
        self._lock = threading.Lock()
        self._present: _Present | None = None
        self._asked = 0.0

    def context(self) -> RegistryContext:
        """What services need to know.

        Raises:
            NotReadyError: No trust file is published yet, or it is not of this process's keys.
        """
        return self._refreshed().context

    def evaluator(self) -> Evaluator:
        """The registry's own evaluator.

        Raises:
            NotReadyError: As `context`.
        """
        return self._refreshed().evaluator

    def check_ready(self) -> None:
        """Says whether the registry can work.

        Raises:
            NotReadyError: The database is of another version, or no trust file is published.
            DatabaseUnavailableError: The database cannot be reached.
        """
        require_head(self.engine)
        self.context()

    def _refreshed(self) -> _Present:
        present = self._present
        if present is not None and time.monotonic() - self._asked < REFRESH_SECONDS:
            return present
        with self._lock:
            if self._present is None or time.monotonic() - self._asked >= REFRESH_SECONDS:
                self._present = self._ask(self._present)
                self._asked = time.monotonic()
            return self._present

    def _ask(self, before: _Present | None) -> _Present:
        with self.sessions() as session:
            serial = session.scalar(select(func.max(TrustFileRow.serial)))
            total_budget = policy_value(session, "evaluation_elements_total_per_day")
            if before is not None and (serial, total_budget) == (before.serial, before.total_budget):
                return before
            trust = current_trust_file(session)
        keys = self._keyring
        if serial is None or trust is None:
            raise NotReadyError
        own = trust.evaluators[0]
        named = (trust.registry, own.signing_key.public_bytes, own.share, trust.log_key)
        if named != (keys.registry, keys.signing.public_bytes, public_share(keys.share), keys.log.public_bytes):
            raise NotReadyError(
                "The trust file in force is of another registry or of other keys than this process has."
            )
        context = RegistryContext(
            id=trust.registry,
            signing=keys.signing,
            log=keys.log,
            log_origin=trust.log_origin,
            trust=trust,
            passwords=self._passwords,
        )
        config = EvaluatorConfig(
            id=own.id,
            registry=trust.registry,
            epoch=trust.epoch,
            scheme_digest=trust.scheme_digest,
            share=keys.share,
            public_share=own.share,
            total_daily_budget=total_budget,
        )
        evaluator = Evaluator(config, self.sessions, _Directory(), _NotingRecorder(context), self.clock)
        return _Present(serial, total_budget, context, evaluator)


class _Directory:
    """The registry's organisations, as the evaluator knows them."""

    def __init__(self) -> None:
        self._organisations = RegistryDirectory()

    def find(self, session: Session, organisation: str, key: str) -> Enrolment | None:
        found = self._organisations.find(session, organisation, key)
        if found is None:
            return None
        return Enrolment(found.organisation, found.signing_key, found.suspended, found.daily_budget)


class _NotingRecorder(RegistryRecorder):
    """Tells the gate which event the evaluator recorded in its own transaction."""

    def evaluated(self, session: Session, **facts: Any) -> Mapping[str, Any]:
        promise = super().evaluated(session, **facts)
        g.recorded_elsewhere = [BatchEvaluated.tag]
        return promise


def current_registry() -> Registry:
    """The registry of the application that serves the current request."""
    return cast("Registry", current_app.extensions[EXTENSION])
