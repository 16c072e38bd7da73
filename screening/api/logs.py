"""Logs as JSON lines on standard output.

This is the operator's log. A line that cannot be written is lost and stops nothing: what must not be lost is in the
access log, in the database.
"""

import contextlib
import io
import logging
import sys
from typing import TextIO, cast

import structlog

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(level: str) -> None:
    """Makes every structlog logger of this process write JSON lines.

    Args:
        level: Lowest level that is written, one of `screening.api.settings.LOG_LEVELS`.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _StandardOutput())),
        cache_logger_on_first_use=True,
    )


class _StandardOutput(io.TextIOBase):
    """Standard output as it is when something is written; a disk that is full or a reader that has gone is no error."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
