"""What is installed beside the client, which needs no library of models, databases or notebooks: who does, says so."""

from __future__ import annotations

import importlib.metadata
import re
from typing import Final

from knowledgesmith.client._errors import FailedPrecondition

PACKAGE: Final = "knowledgesmith"
SERVER: Final = "server"
NOTEBOOK: Final = "notebook"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA: Final = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")


def missing(extra: str) -> tuple[str, ...]:
    """Distributions of an extra that this environment lacks; none where the package itself is not installed."""
    try:
        wanted = importlib.metadata.requires(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(name for name in map(_name, (line for line in wanted if _of(line) == extra)) if not _installed(name))


def require(extra: str, what: str) -> None:
    """Refuse what needs an extra that is not here.

    Args:
        extra: :data:`SERVER` or :data:`NOTEBOOK`.
        what: what needs it, as the beginning of a sentence.

    Raises:
        FailedPrecondition: something of the extra is not installed.
    """
    if lacking := missing(extra):
        some = ", ".join(lacking[:3]) + (", …" if len(lacking) > 3 else "")
        raise FailedPrecondition(
            f"{what} needs the extra `{extra}`, which is not installed here ({some}).",
            reason="NOT_INSTALLED",
            field="extra",
            value=extra,
            hint=f"Install it: pip install '{PACKAGE}[{extra}]'.",
        )


def _of(requirement: str) -> str:
    found = _EXTRA.search(requirement)
    return found[1] if found else ""


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    return found[0] if found else requirement


def _installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
