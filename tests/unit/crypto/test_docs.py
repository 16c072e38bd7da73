"""The examples in the modules' docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import screening.crypto

MODULES = sorted(module.name for module in pkgutil.iter_modules(screening.crypto.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"screening.crypto.{name}")).failed == 0


def test_the_package_lists_its_modules() -> None:
    described = screening.crypto.__doc__ or ""
    public = [name for name in MODULES if not name.startswith("_") and name != "errors"]
    assert [name for name in public if f"`{name}`" not in described] == []
