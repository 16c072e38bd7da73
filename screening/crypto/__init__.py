"""The cryptography of the registry, one construction a module.

Bytes and frozen dataclasses go in; bytes, or one family of errors (`screening.crypto.errors`), come out. Nothing here
knows of a database, a web framework or a setting, and nothing imports the rest of `screening`.

| module | construction |
|---|---|
| `encoding` | base64url, length prefixes |
| `identifiers` | UUIDv7, references that people say aloud |
| `ristretto` | ristretto255 (RFC 9496) over libsodium |
| `voprf` | VOPRF, ristretto255-SHA512 (RFC 9497), with additive shares |
| `stretch` | Argon2id (RFC 9106) over whole features |
| `tokens` | features, tokens, the entries that travel |
| `signing` | Ed25519 statements over canonical JSON (RFC 8032, RFC 8785) |
| `sealing` | HPKE (RFC 9180) with ML-KEM-768 and X25519 |
| `passwords` | Argon2id for people's passwords |
| `keyring` | key files |
| `trust` | the trust file and organisations' certificates |
"""
