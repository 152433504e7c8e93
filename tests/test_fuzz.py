"""The targets of `make fuzz`, each tried with the inputs that are kept of it."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING

import pytest
from support import ROOT

from fuzz.__main__ import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CORPUS = ROOT / "fuzz/corpus"
_KEPT = [path for target in TARGETS for path in sorted((_CORPUS / target).iterdir())]


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """What is refused is logged, and that is right."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("path", _KEPT, ids=[f"{path.parent.name}-{path.name}" for path in _KEPT])
def test_what_is_kept_does_no_harm(path: Path) -> None:
    """Each input that is kept, also of findings that were mended, leaves everything as it must be."""
    importlib.import_module(f"fuzz.{path.parent.name}").fuzz(path.read_bytes())


def test_every_target_has_inputs_and_every_input_a_target() -> None:
    """There is a directory of inputs for each target, and no other."""
    assert {path.name for path in _CORPUS.iterdir()} == set(TARGETS)
