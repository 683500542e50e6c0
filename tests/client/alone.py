"""Runs Python as if only the client were installed: nothing of the extras, and none of the service's own packages."""

from __future__ import annotations

import importlib.abc
import importlib.metadata
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

OWN = ("knowledgesmith.server", "knowledgesmith.editors", "knowledgesmith.graph_schema")


def plain(name: str) -> str:
    """A distribution's name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_with(requirements: Sequence[str]) -> set[str]:
    """Distributions that these requirements bring, and those that those need, extras aside."""
    found: set[str] = set()
    todo = [line for line in requirements if "extra ==" not in line]
    while todo:
        name = plain(re.split(r"[^A-Za-z0-9._-]", todo.pop(), maxsplit=1)[0])
        if name in found:
            continue
        found.add(name)
        try:
            needed = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # for another system
            continue
        todo += [line for line in needed if "extra ==" not in line]
    return found


class OnlyTheClient(importlib.abc.MetaPathFinder):
    """Hides every module that is neither the client's, nor Python's, nor of what the client requires."""

    def __init__(self) -> None:
        here = installed_with(importlib.metadata.requires("knowledgesmith") or [])
        owners = importlib.metadata.packages_distributions()
        self.hidden = {top for top, names in owners.items() if not {plain(name) for name in names} & here}
        self.hidden -= {"knowledgesmith"} | set(sys.stdlib_module_names)
        self.here = here

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the finder's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Refuse what is hidden; others find the rest."""
        if fullname.partition(".")[0] in self.hidden or fullname.startswith(OWN):
            raise ModuleNotFoundError(f"no module named {fullname!r} without an extra", name=fullname)
        return None


def begin() -> OnlyTheClient:
    """Hide the extras from this process, from what is installed, too."""
    finder = OnlyTheClient()
    sys.meta_path.insert(0, finder)
    real = importlib.metadata.distribution

    def distribution(distribution_name: str) -> importlib.metadata.Distribution:
        if plain(distribution_name) not in finder.here | {"knowledgesmith"}:
            raise importlib.metadata.PackageNotFoundError(distribution_name)
        return real(distribution_name)

    importlib.metadata.distribution = distribution
    return finder
