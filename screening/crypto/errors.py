"""The one family of errors that `screening.crypto` raises.

No message repeats what was submitted, and none holds a secret: they may be logged and shown.
"""


class CryptoError(Exception):
    """Anything that went wrong in `screening.crypto`."""


class EncodingError(CryptoError):
    """Bytes or text that are not in the one accepted form."""


class IdentifierError(EncodingError):
    """A time, prefix or reference from which no identifier can be made or read."""


class LibraryError(CryptoError):
    """No usable libsodium was found, or it failed to start."""


class PointError(CryptoError):
    """Not a canonically encoded element of ristretto255, or the identity."""


class ScalarError(CryptoError):
    """Not a canonically encoded scalar of ristretto255, or zero."""


class BatchError(CryptoError):
    """A batch that is empty, too large, or whose parts do not belong together."""


class ProofError(CryptoError):
    """An evaluator's proof does not hold: it used another key, or other elements, than it should have."""


class SignatureError(CryptoError):
    """A signature is missing or wrong, or a key is not fit to be used."""


class SealError(CryptoError):
    """A sealed box cannot be made or opened."""


class UnknownSuiteError(SealError):
    """A box sealed with a suite that this version does not know."""


class StretchError(CryptoError):
    """Parameters that Argon2id does not accept, or inputs that cannot be stretched."""


class PasswordError(CryptoError):
    """A password that may not be used; the message says why and never repeats it."""


class KeyringError(CryptoError):
    """A key file that cannot be read, written or opened."""


class TrustError(CryptoError):
    """A trust file or a certificate that must not be trusted.

    Attributes:
        code: A stable word for the reason, such as `registry-differs`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
