"""Copies on disk of what replicas serve. Each has a slot of its own, and begins with the newest of its host."""

from __future__ import annotations

import hashlib
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from feedsvc.log import fields, logger
from feedsvc.store.database import DatabaseStore
from feedsvc.store.errors import BusyError, StoreError
from feedsvc.store.place import claim
from feedsvc.store.slots import grant, is_damage, is_damaged, load, look, newest_first, tried, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedsvc.store.publication import Delta
    from feedsvc.store.tokens import Grants

# So many replicas on one host find a file of their own.
_SLOTS = 256


class Copies:
    """The files of one host for one store, like `replica-0.db`; one of them is ours, and no other is written."""

    def __init__(self, directory: Path, url: str) -> None:
        """In a directory, of the store of this URL."""
        # What was served of another store must not be taken for ours.
        name = hashlib.blake2b(url.encode(), digest_size=4).hexdigest()
        self._paths = [directory / f"replica-{name}-{slot}.db" for slot in range(_SLOTS)]
        self._own: DatabaseStore | None = None
        # Who may read private feeds; and who may by our file, where that is known.
        self.grants: Grants = {}
        self._granted: Grants | None = None
        # Whether ours has what is served; and whether it was said that it cannot.
        self._kept = self._told = False

    def open(self) -> Delta | None:
        """The newest of all that can be read; from now on, one of the files is ours."""
        damaged: list[Path] = []
        there = [path for path in self._paths if path.exists()]
        found = newest_first([copy for path in there if (copy := tried(look, path, damaged))])
        known = [copy.path for copy in found]
        readable = ((path, delta) for path in known if (delta := tried(load, path, damaged)))
        source, newest = next(readable, (None, None))
        for path in damaged:
            self._remove(path)
        own = self._claim([*known, *(path for path in self._paths if path not in known)])
        self._kept = own is not None and own == source
        if found:
            # Who was revoked must not come back, whichever file that stands in.
            self.admit(max(found, key=lambda copy: copy.granted).grants)
        return newest

    def _remove(self, path: Path, *, sure: bool = False) -> None:
        """Make room for a new file in the place of a damaged one, where nobody else is about to."""
        try:
            with closing(claim(path)):
                if sure or is_damaged(path):
                    for ending in ("-wal", "-shm", ""):
                        Path(f"{path}{ending}").unlink(missing_ok=True)
                    logger.warning(
                        "the copy on disk of what replicas serve is damaged; it is made anew",
                        extra=fields(file=str(path)),
                    )
        except BusyError:
            return
        except (StoreError, OSError) as error:
            self._tell(error)

    def _claim(self, paths: list[Path]) -> Path | None:
        for path in paths:
            store = DatabaseStore(f"sqlite:///{path}", write=True)
            try:
                store.open()
            except BusyError:
                continue
            except StoreError as error:
                self._tell(error)
                return None
            self._own = store
            # Private feeds are in it.
            with suppress(OSError):
                path.chmod(0o600)
            return path
        return None

    def keep(self, delta: Delta, whole: Callable[[], Delta]) -> None:
        """Keep what is new, or all, where ours has not what was before; that it cannot be kept is logged once."""
        if self._own is None:
            return
        try:
            try:
                self._write(self._own, delta, whole)
            except StoreError as error:
                path = Path(self._own.place.name)
                if not is_damage(error):
                    raise
                self._own.close()
                self._remove(path, sure=True)
                self._kept = False
                self._write(self._own, delta, whole)
        except StoreError as error:
            self._tell(error)
            self._kept = False
        else:
            self._kept, self._told = True, False

    def _write(self, own: DatabaseStore, delta: Delta, whole: Callable[[], Delta]) -> None:
        delta = delta if self._kept or delta.whole else whole()
        with own.writing() as connection:
            write(connection, delta)
            if delta.whole:
                grant(connection, self.grants)
        if delta.whole:
            self._granted = self.grants

    def admit(self, grants: Grants) -> None:
        """Keep who may read private feeds; what cannot be written is tried again at the next call."""
        self.grants = grants
        if self._own is None or grants == self._granted:
            return
        try:
            with self._own.writing() as connection:
                grant(connection, grants)
        except StoreError as error:
            self._tell(error)
        else:
            self._granted = grants

    def _tell(self, error: Exception) -> None:
        if not self._told:
            logger.warning("what is served cannot be kept for a restart", extra=fields(error=str(error)))
        self._told = True

    def close(self) -> None:
        """Let go of ours."""
        if self._own:
            self._own.close()
