"""How a store can fail."""


class StoreError(Exception):
    """The store cannot be used; the message says why, and what to do."""


class BusyError(StoreError):
    """Another process writes the store."""


class DeposedError(StoreError):
    """Another process is the publisher now: what this one would publish is of no use any more."""
