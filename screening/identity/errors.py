"""The one error of this package."""


class IdentityError(ValueError):
    """What was entered cannot be used; nothing was changed.

    The message names the field and what is wrong with it. It never holds what was entered, so it may be logged and
    shown.

    Attributes:
        field: Path of the field, such as `dob` or `documents[1].number`; empty where the whole input is meant.
        code: Stable, machine-readable reason, such as `too-long`.
    """

    def __init__(self, field: str, code: str, message: str) -> None:
        """Make the error.

        Args:
            field: Path of the field.
            code: Stable reason.
            message: What is wrong, as the end of a sentence that begins with the field; holds nothing entered.
        """
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.code = code
