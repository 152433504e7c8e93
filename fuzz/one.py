"""One target in a process of its own, guided by what of feedsvc each input reaches: `python -m fuzz.one TARGET …`.

What stands behind the target's name is for libFuzzer.
"""

from __future__ import annotations

import importlib
import logging
import sys

import atheris


def main() -> None:
    """Try inputs until libFuzzer ends the process."""
    name, *flags = sys.argv[1:]
    # What is refused is logged, and that is right.
    logging.disable(logging.CRITICAL)
    with atheris.instrument_imports(include=["feedsvc"]):
        target = importlib.import_module(f"fuzz.{name}")
    atheris.Setup([sys.argv[0], *flags], target.fuzz)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
