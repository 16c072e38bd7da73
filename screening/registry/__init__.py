"""The registry's domain: models and services on SQLAlchemy, without a web framework.

A service is a function `verb_noun(unit, ...)`. It validates, changes rows, writes exactly one event with
`unit.record` (a screening: one for each candidate) and returns its result with the promise for that event. It never
commits: `screening.registry.unit.open_unit` does, or rolls everything back.

| module | what |
|---|---|
| `base`, `models` | tables |
| `migrations`, `database` | engines, and bringing a database to this version |
| `unit` | one transaction: an act with its event |
| `errors` | what a service refuses, each with the slug of its problem |
| `setup`, `trust` | beginning a registry, publishing its trust file |
| `organisations`, `people`, `sessions` | who takes part |
| `policy`, `budgets`, `idempotency` | limits |
| `records`, `record_states`, `record_checks`, `maintenance` | records and their life |
| `matching`, `screenings` | looking tokens up |
"""
