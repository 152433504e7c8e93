"""Admission: who may read private feeds, by the tokens that the store has; no request waits for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from feedsvc.feeds.privacy import PRIVATE
from feedsvc.log import fields, logger
from feedsvc.store.errors import StoreError
from feedsvc.store.tokens import Grants, digest_of, grants_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedsvc.documents.document import Document
    from feedsvc.documents.snapshot import Snapshot
    from feedsvc.store.database import DatabaseStore

# A token works, or works no more, so long after it was made or revoked.
EVERY_SECONDS = 2.0


class Admission:
    """Looks again and again, while there is something private; what was found last holds while nothing can be."""

    def __init__(self, store: DatabaseStore, is_wanted: Callable[[], bool]) -> None:
        """Of a store to be read; `is_wanted` tells whether there is anything that tokens open."""
        self._store = store
        self._is_wanted = is_wanted
        self._error: str | None = None
        self._turn = threading.Lock()
        self.grants: Grants = {}

    def start(self) -> None:
        """Look now, and then from a thread of its own."""
        self.look()
        threading.Thread(target=self._run, name="admit", daemon=True).start()

    def _run(self) -> None:
        while True:
            threading.Event().wait(EVERY_SECONDS)
            try:
                self.look()
            except Exception:  # noqa: BLE001 - whatever it is, one that is revoked must be refused once it is over
                logger.exception("the tokens cannot be read")

    def look(self) -> None:
        """Take up the tokens that there are now."""
        if not self._is_wanted():
            return
        with self._turn:
            error = self._read()
        if error and self._error is None:
            logger.warning("the tokens cannot be read; those of before hold", extra=fields(error=error))
        self._error = error

    def _read(self) -> str | None:
        try:
            self.grants = grants_in(self._store)
        except StoreError as error:
            self._store.disconnect()
            return str(error)
        return None


def find_document(snapshot: Snapshot, grants: Grants, path: str) -> Document | None:
    """The document of a path; of one such as `/private/<token>/topics/ai.atom`, the private one that it opens."""
    if path.startswith(PRIVATE):
        return _private_document(snapshot, grants, path)
    return snapshot.document(path)


def _private_document(snapshot: Snapshot, grants: Grants, path: str) -> Document | None:
    """What a token opens.

    Whatever is wrong, the token, the feed, or that the one does not open the other, all of this is done: neither
    the answer nor its time tells which. No token is compared with another; its digest is looked up.
    """
    token, _, place = path.removeprefix(PRIVATE).partition("/")
    grant = grants.get(digest_of(token))
    documents = snapshot.private.documents if snapshot.private else {}
    document = documents.get(PRIVATE + place)
    feed = PRIVATE + place.rpartition(".")[0]
    return document if grant is not None and (not grant.feeds or feed in grant.feeds) else None
