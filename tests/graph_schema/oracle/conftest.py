"""The oracle judges what is asked and verified; what is left out for fairness has tests of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.graph_schema.planning.conftest import keep_everything


@pytest.fixture(autouse=True, scope="module")
def everything() -> Iterator[None]:
    """Nothing is left out for fairness."""
    with pytest.MonkeyPatch.context() as patch:
        keep_everything(patch)
        yield
