"""The configuration of the embedded Neo4j: closed to the outside, and sizes that can be meant."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from knowledgesmith.graph_schema.embedded import EmbeddedSettings, start
from knowledgesmith.graph_schema.embedded.bolt import answers, claim_port
from knowledgesmith.graph_schema.embedded.config import neo4j_settings, require_loopback, write_config
from knowledgesmith.graph_schema.errors import InvalidInput, PortTaken


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "localhost", "example.org", ""])  # noqa: S104  # refused
def test_what_is_not_encrypted_stays_on_loopback(tmp_path: Path, host: str) -> None:
    settings = EmbeddedSettings(data_dir=tmp_path / "db", host=host)
    with pytest.raises(InvalidInput, match=r"loopback only.*KSMITH_NEO4J_URI"):
        start(settings, owned=True)
    assert not (tmp_path / "db").exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_is_accepted(tmp_path: Path, host: str) -> None:
    chosen = neo4j_settings(EmbeddedSettings(data_dir=tmp_path, host=host), port=7687)
    assert chosen["server.bolt.listen_address"].endswith(":7687")


def test_every_listener_is_checked(tmp_path: Path) -> None:
    chosen = neo4j_settings(EmbeddedSettings(data_dir=tmp_path), port=7687)
    open_http = chosen | {"server.http.listen_address": "0.0.0.0:7474"}
    with pytest.raises(InvalidInput, match=r"server\.http\.listen_address"):
        require_loopback(open_http)
    with pytest.raises(InvalidInput):
        require_loopback(open_http | {"dbms.security.auth_enabled": "true"})  # a password would travel in the clear


def test_nothing_else_listens_or_reports(tmp_path: Path) -> None:
    chosen = neo4j_settings(EmbeddedSettings(data_dir=tmp_path), port=7687)
    off = (
        "server.http.enabled",
        "server.https.enabled",
        "dbms.usage_report.enabled",
        "client.allow_telemetry",
        "server.bolt.telemetry.enabled",
    )
    assert {chosen[key] for key in off} == {"false"}
    assert chosen["server.config.strict_validation.enabled"] == "true"


@pytest.mark.parametrize("login", [True, False])
def test_a_login_is_asked_for_where_there_is_one(tmp_path: Path, login: bool) -> None:
    chosen = neo4j_settings(EmbeddedSettings(data_dir=tmp_path), port=7687, login=login)
    assert chosen["dbms.security.auth_enabled"] == str(login).lower()
    assert chosen["dbms.security.auth_max_failed_attempts"] == "0", "nobody can lock the owner out"


def test_the_file_is_private(tmp_path: Path) -> None:
    write_config(tmp_path, {"b": "2", "a": "1"})
    file = tmp_path / "neo4j.conf"
    assert file.read_text(encoding="utf-8") == "a=1\nb=2\n"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("heap", "1"),
        ("heap", "1g\nserver.http.enabled=true"),
        ("heap", "64m"),
        ("page_cache", "half"),
        ("port", 70000),
        ("port", -1),
    ],
)
def test_sizes_and_ports_that_cannot_be_meant(tmp_path: Path, field: str, value: object) -> None:
    arguments: dict[str, object] = {"data_dir": tmp_path, field: value}
    with pytest.raises(InvalidInput, match=field):
        EmbeddedSettings(**arguments)  # type: ignore[arg-type]  # wrong values are the point


def test_a_taken_port_is_refused_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            claim_port(host="127.0.0.1", port=port)
        assert claim_port(host="127.0.0.1", port=None) != port


def test_a_listener_that_does_not_speak_bolt_is_no_database() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    assert not answers(host="127.0.0.1", port=port)
