"""How a store can fail."""

# What is said of one that is new, which is no failure where a publisher has just been started.
UNWRITTEN = "no publisher has written it yet; start one"


class StoreError(Exception):
    """The store cannot be used; the message says why, and what to do."""


class BusyError(StoreError):
    """Another process writes the store."""


class AloneError(StoreError):
    """Another process writes the store for itself alone: it cannot be shared."""


class DeposedError(StoreError):
    """Another process is the publisher now: what this one would publish is of no use any more."""
