"""The tables of the matching scheme; SOURCE.md says where each comes from."""

import json
from importlib.resources import files
from typing import Any


def read_json(name: str) -> Any:
    """Returns the content of one of this folder's JSON files."""
    return json.loads(files(__name__).joinpath(name).read_text("utf-8"))
