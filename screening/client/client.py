"""`Client`: a profile, the connections that its work needs, and what can be done with them.

    with Client(Profile(Path("~/.config/screening").expanduser())) as client:
        client.sessions.open("ana@org.example", password)
        result = client.screenings.check(identity, purpose="recruitment", vacancy="V-12", lawful_basis="notice")
        print(result.wording.text)

`client.records`, `screenings`, `people`, `organisations` and `sessions` are what programs call. Underneath them:

- `client.call("POST", "/v1/records", json_content=..., idempotency_key=...)` asks the registry in the session's name;
- `client.open_call(...)` asks it without a session (log-in, invitations, the trust file);
- `client.evaluate(features, purpose)` turns encoded features into tokens (see `screening.client.evaluation`);
- `client.trust`, `client.keys`, `client.certificate`, `client.organisation` are what stands in the profile.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpx

from screening.client.errors import NotLoggedInError, ProblemError
from screening.client.evaluation import PendingEvaluation, Purpose, prepare
from screening.client.profile import Profile
from screening.client.transport import Answer, Transport, make_http
from screening.crypto.keyring import OrganisationKeyring
from screening.crypto.trust import OrganisationCertificate, TrustFile

if TYPE_CHECKING:
    from screening.client.organisations import Organisations
    from screening.client.people import People
    from screening.client.records import Records
    from screening.client.screenings import Screenings
    from screening.client.sessions import Sessions

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


class Client:
    """What one organisation's program works with. Safe to use from several threads.

    Args:
        profile: The organisation's directory.
        http: The HTTP client to use; by default one that the `Client` makes and closes.
        clock: Gives the present time, aware.
        stretch_threads: Threads for Argon2id; all cores by default.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        http: httpx.Client | None = None,
        clock: Clock = utc_now,
        stretch_threads: int | None = None,
    ) -> None:
        self.profile = profile
        self.clock = clock
        self.stretch_threads = stretch_threads
        self._own_http = http is None
        self._http = http if http is not None else make_http()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        if self._own_http:
            self._http.close()

    @cached_property
    def sessions(self) -> "Sessions":
        """Logging in and out."""
        from screening.client.sessions import Sessions  # these modules need this one

        return Sessions(self)

    @cached_property
    def people(self) -> "People":
        """People of the organisation."""
        from screening.client.people import People

        return People(self)

    @cached_property
    def organisations(self) -> "Organisations":
        """Organisations, policy and the published trust file."""
        from screening.client.organisations import Organisations

        return Organisations(self)

    @cached_property
    def records(self) -> "Records":
        """The organisation's records."""
        from screening.client.records import Records

        return Records(self)

    @cached_property
    def screenings(self) -> "Screenings":
        """The organisation's checks."""
        from screening.client.screenings import Screenings

        return Screenings(self)

    @property
    def trust(self) -> TrustFile:
        """The pinned trust file."""
        return self.profile.trust

    @property
    def keys(self) -> OrganisationKeyring:
        """The organisation's keys."""
        return self.profile.keys

    @property
    def certificate(self) -> OrganisationCertificate:
        """The organisation's certificate, complete."""
        return self.profile.certificate

    @property
    def organisation(self) -> str:
        """The organisation's id."""
        return str(self.keys.organisation)

    def registry(self, *, session: bool) -> Transport:
        """The connection to the registry.

        Args:
            session: Whether requests carry the kept session's token.
        """
        bearer = (lambda: self.profile.session.token) if session else None
        return Transport(self.trust.evaluators[0].url, party="registry", http=self._http, bearer=bearer)

    def call(
        self,
        method: str,
        path: str,
        *,
        json_content: object = None,
        params: Mapping[str, str | int] | None = None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> Answer:
        """Asks the registry in the name of the person who is logged in.

        Args:
            method: The HTTP method.
            path: Such as `/v1/records`.
            json_content: The body.
            params: The query.
            idempotency_key: Makes a POST repeatable; it is then tried again when the registry does not answer.
            if_match: The ETag of what is changed.

        Raises:
            NotLoggedInError: Nobody is, or the session has ended.
            ProblemError, UnavailableError, RegistryMisbehavedError: See `Transport.request`.
        """
        headers = {"Idempotency-Key": idempotency_key, "If-Match": if_match}
        try:
            return self.registry(session=True).request(
                method,
                path,
                json_content=json_content,
                params=params,
                headers={name: value for name, value in headers.items() if value is not None},
                idempotent=idempotency_key is not None,
            )
        except ProblemError as problem:
            if problem.slug in ("unauthenticated", "session-ended"):
                raise NotLoggedInError("the session has ended; log in again") from problem
            raise

    def open_call(self, method: str, path: str, *, json_content: object = None) -> Answer:
        """Asks the registry without a session."""
        return self.registry(session=False).request(method, path, json_content=json_content)

    def prepare_evaluation(
        self, features: Sequence[Sequence[bytes]], purpose: Purpose, *, batch: uuid.UUID | None = None
    ) -> PendingEvaluation:
        """Stretches, blinds and signs; asks nobody yet. `complete` of the result may be called until it succeeds.

        Args:
            features: For each candidate its encoded features (`screening.crypto.tokens.encode_feature`).
            purpose: `screening`, `record` or `rekey`.
            batch: The batch's id; a new one by default.
        """
        return prepare(
            features,
            purpose,
            trust=self.trust,
            organisation=self.organisation,
            signing=self.keys.signing,
            http=self._http,
            clock=self.clock,
            batch=batch,
            threads=self.stretch_threads,
        )

    def evaluate(self, features: Sequence[Sequence[bytes]], purpose: Purpose) -> list[list[bytes]]:
        """Turns encoded features into tokens, with every evaluator's proof checked.

        Args:
            features: For each candidate (at most 100) its encoded features (at most 32; 256 of a record).
            purpose: `screening`, `record` or `rekey`.

        Returns:
            For each candidate its tokens of 16 bytes, in the features' order.

        Raises:
            ProblemError, UnavailableError, EvaluatorMisbehavedError: Named for the evaluator; see `complete`.
        """
        return self.prepare_evaluation(features, purpose).complete().tokens
