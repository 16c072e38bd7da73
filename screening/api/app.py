"""The application factory."""

from flask import Flask

from screening.api.errors import register_error_handlers
from screening.api.gate import Gate, seal
from screening.api.openapi import create_api
from screening.api.requestlog import register_request_log
from screening.api.resources import (
    documents,
    evaluation,
    health,
    organisations,
    people,
    policy,
    records,
    screenings,
    sessions,
    trust,
)
from screening.api.runtime import EXTENSION, Registry
from screening.api.settings import Settings
from screening.crypto.passwords import PasswordHasher
from screening.registry.unit import Clock, system_clock

BLUEPRINTS = (
    health.blueprint,
    documents.blueprint,
    trust.blueprint,
    evaluation.blueprint,
    sessions.blueprint,
    people.invitations,
    people.blueprint,
    organisations.blueprint,
    policy.blueprint,
    records.blueprint,
    screenings.blueprint,
)


def create_app(settings: Settings, *, clock: Clock = system_clock, passwords: PasswordHasher | None = None) -> Flask:
    """Makes the registry's application.

    Args:
        settings: Where its database and its keys are.
        clock: Gives the present.
        passwords: Hashes passwords; at OWASP's cost by default.

    Returns:
        A WSGI application that serves exactly what `POLICY` names.

    Raises:
        UnsealedError: A route and `POLICY` differ.
        KeyringError: The key file cannot be used.
        ValueError: The database's URL cannot be used.
    """
    app = Flask("screening.api", static_folder=None, template_folder=None)
    app.config.update(PROVIDE_AUTOMATIC_OPTIONS=False, MAX_CONTENT_LENGTH=64 * 1024)
    app.url_map.merge_slashes = False  # an address has one form, and nothing redirects
    app.url_map.strict_slashes = True
    registry = Registry(settings, clock=clock, passwords=passwords or PasswordHasher())
    app.extensions[EXTENSION] = registry
    register_request_log(app)
    register_error_handlers(app)
    api = create_api(app)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    seal(app, Gate(registry))
    return app
