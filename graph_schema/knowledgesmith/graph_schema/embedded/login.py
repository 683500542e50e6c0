"""The login of an embedded database: made once, at random, kept where only its owner reads it, and told to Neo4j.

Neo4j takes its first user from ``auth.ini`` where it has none yet: in a new database, and in one that ran without
logins before. That holds a salted hash, so the password itself stands in one file only, and on no command line.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.embedded.settings import Home

USER: Final = "neo4j"
_PASSWORD_BYTES: Final = 16
_SALT_BYTES: Final = 32
_ROUNDS: Final = 1024
"""Of the hash, as Neo4j computes it."""
_SYSTEM: Final = "system"
"""Neo4j's database of users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who may use the database."""

    user: str
    password: str = field(repr=False)


def read(home: Home) -> Login | None:
    """The login of a home; ``None`` when it has none, or its file is unreadable."""
    try:
        raw = json.loads(home.login_file.read_text(encoding="utf-8"))
        return Login(user=str(raw["user"]), password=str(raw["password"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def prepare(home: Home) -> Login:
    """The login of a home whose database does not run; a new one where there is none, or it was lost.

    A lost one cannot be read from the database, only replaced: Neo4j's users go, and nothing else does.
    """
    login = read(home)
    if login is None:
        if _initial(home).exists():
            _forget_users(home)
        login = Login(user=USER, password=secrets.token_hex(_PASSWORD_BYTES))
        _write(home.login_file, json.dumps({"user": login.user, "password": login.password}) + "\n")
    _initial(home).parent.mkdir(parents=True, exist_ok=True)
    _write(_initial(home), f"{login.user}:{_hashed(login.password)}:\n")
    return login


def _initial(home: Home) -> Path:
    return home.root / "data" / "dbms" / "auth.ini"


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = salt + password.encode()
    for _ in range(_ROUNDS):
        digest = hashlib.sha256(digest).digest()
    return f"SHA-256,{digest.hex()},{salt.hex()},{_ROUNDS}"


def _forget_users(home: Home) -> None:
    for kind in ("databases", "transactions"):
        shutil.rmtree(home.root / "data" / kind / _SYSTEM, ignore_errors=True)


def _write(file: Path, text: str) -> None:
    """Write a file that nobody else may read, whole or not at all."""
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as output:
        output.write(text)
    part.replace(file)
