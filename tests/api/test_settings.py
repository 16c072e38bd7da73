"""Settings are read once, are complete or refused, and do not show secrets."""

from pathlib import Path

import pytest

from screening.api.settings import Settings, SettingsError

SECRET = "correct-horse-battery"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCREENING_DATABASE_URL", f"postgresql://registry:{SECRET}@localhost/registry")
    monkeypatch.setenv("SCREENING_KEYRING", "/etc/screening/registry.keys.json")
    for name in ("SCREENING_KEYRING_PASSPHRASE", "SCREENING_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)


def test_settings_are_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCREENING_KEYRING_PASSPHRASE", SECRET)
    monkeypatch.setenv("SCREENING_LOG_LEVEL", "warning")
    settings = Settings.from_environment()
    assert settings.database_url.endswith("@localhost/registry")
    assert settings.keyring == Path("/etc/screening/registry.keys.json")
    assert settings.keyring_passphrase == SECRET
    assert settings.log_level == "warning"


def test_a_passphrase_has_no_default() -> None:
    assert Settings.from_environment().keyring_passphrase is None


@pytest.mark.parametrize("name", ["SCREENING_DATABASE_URL", "SCREENING_KEYRING"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_setting_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment()


def test_an_unusable_setting_is_named_but_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCREENING_LOG_LEVEL", SECRET)
    with pytest.raises(SettingsError, match="SCREENING_LOG_LEVEL") as caught:
        Settings.from_environment()
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCREENING_KEYRING_PASSPHRASE", SECRET)
    settings = Settings.from_environment()
    assert SECRET not in repr(settings)
    assert "keys.json" not in repr(settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Settings.from_environment().log_level = "debug"  # type: ignore[misc] # that is what is tried
