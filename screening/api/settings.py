"""What the registry's service is told when it starts: read once from the environment, frozen, secrets hidden.

There is no default for a secret and no setting that turns a check off.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from environs import Env, EnvError
from marshmallow import validate

T = TypeVar("T")

PREFIX = "SCREENING_"
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """A setting is missing or cannot be used. Names the setting, never its value."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The service's settings.

    Args:
        database_url: SQLAlchemy URL of the database; may hold a password, therefore hidden.
        keyring: Path of the registry's key file.
        keyring_passphrase: What the key file is encrypted with, if it is.
        log_level: Lowest level that is logged, one of `LOG_LEVELS`.
    """

    database_url: str = field(repr=False)
    keyring: Path = field(repr=False)
    keyring_passphrase: str | None = field(default=None, repr=False)
    log_level: str = "info"

    @classmethod
    def from_environment(cls) -> "Settings":
        """Reads the settings from the process's environment.

        `SCREENING_DATABASE_URL` and `SCREENING_KEYRING` are needed; `SCREENING_KEYRING_PASSPHRASE` and
        `SCREENING_LOG_LEVEL` may be there.

        Returns:
            The settings.

        Raises:
            SettingsError: One is missing or cannot be used.
        """
        env = Env(prefix=PREFIX)
        some_text = validate.Length(min=1)
        return cls(
            database_url=_read("DATABASE_URL", lambda name: env.str(name, validate=some_text)),
            keyring=Path(_read("KEYRING", lambda name: env.str(name, validate=some_text))),
            keyring_passphrase=_read("KEYRING_PASSPHRASE", lambda name: env.str(name, None, validate=some_text)),
            log_level=_read(
                "LOG_LEVEL", lambda name: env.str(name, cls.log_level, validate=validate.OneOf(LOG_LEVELS))
            ),
        )


def _read(name: str, read: Callable[[str], T]) -> T:
    try:
        return read(name)
    except EnvError:
        raise SettingsError(f"{PREFIX}{name} is missing or cannot be used") from None
