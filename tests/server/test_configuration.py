"""Settings: flags, then the environment, then a file, then defaults; every mistake is told with its source."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from knowledgesmith.client.cli import main
from knowledgesmith.client.local_server import own_server
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.server.configuration import PREFIX, SECRET, configure, flag_of, parse, rows, salvaged
from knowledgesmith.server.settings import ServerSettings

GIVEN = {  # a value of each setting that is not its default, as text
    "listen": "127.0.0.1:1",
    "metrics": "[::1]:3",
    "data_dir": "/var/empty/ksmith",
    "device": "cpu",
    "dtype": "bfloat16",
    "neo4j_uri": "bolt://127.0.0.1:9",
    "neo4j_user": "anna",
    "neo4j_password": "p=ä\"'x",
    "neo4j_database": "graphs",
    "neo4j_heap": "2g",
    "neo4j_start_timeout": "inf",
    "drain_seconds": "5",
    "query_seconds": "0.5",
    "upload_bytes": "1000",
    "reflection": "true",
    "long_calls": "2",
    "worlds_kept": "1",
    "statistics_bytes": "1000",
    "batch_probes": "7",
}
WRONG = {
    "listen": "0.0.0.0:7617",
    "metrics": "127.0.0.1:70000",
    "device": "gpu",
    "dtype": "float8",
    "neo4j_heap": "much",
    "neo4j_start_timeout": "nan",
    "drain_seconds": "-1",
    "query_seconds": "inf",
    "upload_bytes": "0",
    "reflection": "perhaps",
    "long_calls": "1.5",
    "worlds_kept": "none",
    "statistics_bytes": "0",
    "batch_probes": "0",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ServerSettings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing"))


def write(tmp_path: Path, **values: str) -> Path:
    path = tmp_path / "own.toml"
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()), encoding="utf-8")
    return path


def test_the_table_of_this_test_has_every_setting() -> None:
    assert GIVEN.keys() == ServerSettings.model_fields.keys()
    defaults = ServerSettings()
    assert all(str(getattr(defaults, name)) != value for name, value in GIVEN.items())


@pytest.mark.parametrize("name", GIVEN)
def test_a_flag_goes_before_a_variable_before_the_file_before_the_default(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = parse([])
    wanted = getattr(ServerSettings.model_validate({name: GIVEN[name]}), name)
    assert getattr(plain, name) != wanted
    path = write(tmp_path, **{name: GIVEN[name]})
    by_file = configure(["--config", str(path)])
    assert (getattr(by_file.settings, name), by_file.origins) == (wanted, {name: f"{name} in {path}"})
    monkeypatch.setenv(PREFIX + name.upper(), GIVEN[name])
    by_variable = configure([])
    assert (getattr(by_variable.settings, name), by_variable.origins) == (wanted, {name: PREFIX + name.upper()})
    path = write(tmp_path, **{name: str(getattr(plain, name))})
    assert configure(["--config", str(path)]).settings == by_variable.settings
    if flag := flag_of(name):
        monkeypatch.setenv(PREFIX + name.upper(), str(getattr(plain, name)))
        by_flag = configure([flag, GIVEN[name]])
        assert (getattr(by_flag.settings, name), by_flag.origins) == (wanted, {name: flag})


def test_secrets_are_no_flags_and_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {name for name in ServerSettings.model_fields if not flag_of(name)} == SECRET
    monkeypatch.setenv("KSMITH_NEO4J_PASSWORD", "seven dwarfs")
    shown = json.dumps(rows(configure([])))
    assert "dwarfs" not in shown
    assert "(set)" in shown


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_names_its_source_and_a_way_out(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, **{name: WRONG[name]})
    sources = {flag_of(name): [flag_of(name), WRONG[name]], f"{name} in {path}": ["--config", str(path)]}
    for source, words in sources.items():
        with pytest.raises(InvalidInput) as refused:
            parse(words)
        assert refused.value.field == source
        assert WRONG[name] in str(refused.value.value)
        assert refused.value.hint
    monkeypatch.setenv(PREFIX + name.upper(), WRONG[name])
    with pytest.raises(InvalidInput) as refused:
        parse([])
    assert refused.value.field == PREFIX + name.upper()


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSMITH_DTYPE", "float8")
    with pytest.raises(InvalidInput) as refused:
        parse(["--listen", "example.org:1", "--long-calls", "0"])
    said = str(refused.value)
    assert all(source in said for source in ("--listen", "KSMITH_DTYPE", "--long-calls"))


@pytest.mark.parametrize(
    "address", ["0.0.0.0:7617", "example.org:1", "10.0.0.1:1", "127.0.0.1", "127.0.0.1:x", ":1", "127.0.0.1:70000"]
)
def test_the_server_listens_on_loopback_only(address: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(["--listen", address])
    assert refused.value.field == "--listen"
    assert refused.value.hint


def test_a_key_that_is_no_setting_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such setting") as refused:
        parse(["--config", str(write(tmp_path, query_second="3"))])
    assert refused.value.hint == "Did you mean query_seconds?"


@pytest.mark.parametrize("content", [b"listen = ", b"\xff\xfe", b"[[listen]]\nx=1", None])
def test_a_file_that_cannot_be_read_is_told(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        parse(["--config", str(path)])
    assert str(path) in str(refused.value)


def test_the_own_file_is_found_without_being_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "nothing" / "knowledgesmith"
    folder.mkdir(parents=True)
    (folder / "ksmith.toml").write_text("query_seconds = 3\n", encoding="utf-8")
    assert parse([]).query_seconds == 3
    monkeypatch.setenv("KSMITH_CONFIG", str(write(tmp_path, query_seconds="4")))
    assert parse([]).query_seconds == 4


def test_settings_reach_the_worker_unchanged() -> None:
    settings = ServerSettings.model_validate(GIVEN)
    assert math.isinf(settings.neo4j_start_timeout)
    assert ServerSettings.model_validate_json(settings.model_dump_json()) == settings


def test_the_command_shows_every_setting_with_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSMITH_DTYPE", "bfloat16")
    done = CliRunner().invoke(main, ["config", "--json", "--", "--query-seconds", "3"])
    assert done.exit_code == 0, done.output
    found = {row["name"]: row for row in json.loads(done.output)["settings"]}
    assert found.keys() == GIVEN.keys()
    assert (found["dtype"]["value"], found["dtype"]["origin"]) == ("bfloat16", "KSMITH_DTYPE")
    assert (found["reflection"]["value"], found["reflection"]["origin"]) == ("false", "default")
    assert (found["query_seconds"]["value"], found["query_seconds"]["origin"]) == ("3.0", "--query-seconds")
    shown = CliRunner().invoke(main, ["config"])
    assert "KSMITH_DTYPE" in shown.output
    wrong = CliRunner().invoke(main, ["config", "--", "--query-seconds", "soon"])
    assert wrong.exit_code == 1
    assert "--query-seconds" in wrong.output


def in_file(tmp_path: Path, line: str) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(f"{line}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "line",
    [
        'neo4j_passwrd = "topsecret"',
        'password = "topsecret"',
        '[neo4j]\npassword = "topsecret"',
        'neo4j_password = ["topsecret"]',
    ],
)
def test_a_password_is_never_told(line: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(["--config", str(in_file(tmp_path, line))])
    assert "topsecret" not in str(refused.value)


def test_a_login_in_an_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSMITH_NEO4J_URI", "bolt://anna:topsecret@graphs:7687")
    found = json.dumps(rows(configure([])))
    assert "topsecret" not in found
    assert "graphs:7687" in found


@pytest.mark.parametrize("name", ["query_seconds", "neo4j_start_timeout", "batch_probes"])
def test_true_is_no_number(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="true and false"):
        parse(["--config", str(in_file(tmp_path, f"{name} = true"))])


def test_no_folder_is_not_the_present_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no folder"):
        parse(["--config", str(in_file(tmp_path, 'data_dir = ""'))])


def test_a_folder_of_the_file_lies_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = in_file(tmp_path, 'data_dir = "data"')
    monkeypatch.chdir("/")
    assert parse(["--config", str(path)]).data_dir == (tmp_path / "data").resolve()


def test_what_is_wrong_spoils_nothing_else_for_who_only_looks(tmp_path: Path) -> None:
    path = in_file(tmp_path, f'data_dir = "{tmp_path / "own"}"\nbatch_probes = 0\nlisten = "everywhere"')
    found = salvaged(["--config", str(path)])
    assert found.data_dir == (tmp_path / "own").resolve()
    assert (found.batch_probes, found.listen) == (ServerSettings().batch_probes, ServerSettings().listen)


@pytest.mark.parametrize("source", ["default", "file", "relative file", "variable", "both"])
def test_the_client_looks_for_its_server_where_the_settings_put_it(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source in ("file", "relative file", "both"):
        folder = "data" if source == "relative file" else str(tmp_path / "data")
        path = write(tmp_path, listen="127.0.0.1:9001", metrics="127.0.0.1:9002", data_dir=folder)
        monkeypatch.setenv("KSMITH_CONFIG", str(path))
    if source in ("variable", "both"):
        monkeypatch.setenv("KSMITH_LISTEN", "127.0.0.1:9003")
        monkeypatch.setenv("KSMITH_DATA_DIR", str(tmp_path / "other"))
    wanted, found = parse([]), own_server()
    assert (found.target, found.metrics, found.data_dir.resolve()) == (wanted.listen, wanted.metrics, wanted.data_dir)
    given = own_server(data_dir=tmp_path / "given", target="127.0.0.1:1", metrics="127.0.0.1:2")
    assert (given.target, given.metrics, given.data_dir) == ("127.0.0.1:1", "127.0.0.1:2", tmp_path / "given")


@pytest.mark.parametrize("content", ["listen = ", "data_dir = 7"])
def test_the_client_tells_a_file_that_it_cannot_read(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = in_file(tmp_path, content)
    monkeypatch.setenv("KSMITH_CONFIG", str(path))
    done = CliRunner().invoke(main, ["down"])
    assert done.exit_code == 1
    assert str(path) in done.output.replace("\n", "")
