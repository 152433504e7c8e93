"""How a store can fail."""


class StoreError(Exception):
    """The store cannot be used; the message says why, and what to do."""


class BusyError(StoreError):
    """Another process writes the store."""
