"""The login of an embedded database: private, kept, and made anew only where it was lost."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from knowledgesmith.graph_schema.embedded import info, login, status
from knowledgesmith.graph_schema.embedded.settings import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.at(tmp_path / "db")
    made.create()
    return made


def initial(home: Home) -> Path:
    return home.root / "data" / "dbms" / "auth.ini"


def test_it_is_random_and_for_its_owner_only(home: Home, tmp_path: Path) -> None:
    made = login.prepare(home)
    other = Home.at(tmp_path / "other")
    other.create()
    assert made.user == login.prepare(other).user == "neo4j"
    assert made.password != login.prepare(other).password
    assert re.fullmatch(r"[0-9a-f]{32}", made.password), "no sign that a command line takes for an option"
    assert made.password not in repr(made)
    for file in (home.login_file, initial(home)):
        assert file.stat().st_mode & 0o777 == 0o600
    assert login.prepare(home) == login.read(home) == made


def test_neo4j_is_told_a_salted_hash_and_not_the_password(home: Home) -> None:
    made = login.prepare(home)
    text = initial(home).read_text(encoding="utf-8")
    user, credential, flags = text.strip().split(":")
    kind, digest, salt, rounds = credential.split(",")
    assert (user, kind, flags) == ("neo4j", "SHA-256", "")
    found = hashlib.sha256(bytes.fromhex(salt) + made.password.encode()).digest()
    for _ in range(int(rounds) - 1):
        found = hashlib.sha256(found).digest()
    assert found.hex() == digest
    assert made.password not in text


@pytest.mark.parametrize("left", [None, "", "{", "[]", '{"user": "neo4j"}'])
def test_a_lost_login_is_replaced_and_nothing_but_neo4js_users_goes(home: Home, left: str | None) -> None:
    first = login.prepare(home)
    for kind in ("databases", "transactions"):
        for name in ("neo4j", "system"):
            (home.root / "data" / kind / name).mkdir(parents=True)
    if left is None:
        home.login_file.unlink()
    else:
        home.login_file.write_text(left, encoding="utf-8")
    assert login.read(home) is None
    assert login.prepare(home).password != first.password
    for kind in ("databases", "transactions"):
        assert [folder.name for folder in (home.root / "data" / kind).iterdir()] == ["neo4j"]


def test_a_first_login_leaves_everything_as_it_is(home: Home) -> None:
    """The directory ran without one before, so Neo4j has no users yet."""
    for name in ("neo4j", "system"):
        (home.root / "data" / "databases" / name).mkdir(parents=True)
    login.prepare(home)
    assert sorted(folder.name for folder in (home.root / "data" / "databases").iterdir()) == ["neo4j", "system"]


def test_it_is_shown_where_it_is_asked_for(home: Home) -> None:
    assert info(home.root).user is None
    made = login.prepare(home)
    found = info(home.root)
    assert (found.user, found.password) == (made.user, made.password)
    assert made.password not in repr(found) + repr(status(home.root))
