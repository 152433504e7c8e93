"""Writing: what is different of two mappings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsvc.store import writing

# None is a value like any other: a path that leads nowhere any more.
NUMBERED = st.dictionaries(st.integers(0, 9), st.none() | st.integers(0, 2))


@given(NUMBERED, NUMBERED, st.integers(1, 4))
def test_changes_are_found_in_any_order(
    old: dict[int, int | None], new: dict[int, int | None], batch: int
) -> None:
    """However two mappings are ordered, and however much they have in common: what differs is found, each once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "_BATCH", batch)
        changed, gone = writing.changes_of(old, new)
    assert sorted(changed) == sorted(key for key in new if key not in old or old[key] != new[key])
    assert sorted(gone) == sorted(old.keys() - new.keys())


@given(st.lists(st.integers(0, 99), unique=True), st.sets(st.integers(0, 99)), st.sets(st.integers(0, 99)))
def test_changes_are_found_among_what_stays(keys: list[int], gone: set[int], changed: set[int]) -> None:
    """One order, as nearly always; some are gone, some new, some others."""
    old = {key: 0 for key in keys if key not in changed or key % 2}
    new = {key: int(key in changed) for key in keys if key not in gone}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "_BATCH", 3)
        found = writing.changes_of(old, new)
    assert found == ([key for key in new if old.get(key) != new[key]], [key for key in old if key not in new])
