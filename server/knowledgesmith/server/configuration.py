"""Where settings come from: flags, the environment, a file, defaults; the first that names one wins."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import platformdirs
from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.server.settings import HINT, ServerSettings

PREFIX: Final = "KSMITH_"
CONFIG: Final = f"{PREFIX}CONFIG"
FILE_NAME: Final = "ksmith.toml"
SECRET: Final = frozenset({"neo4j_password"})
"""Never a flag, since other users of the machine see those, and never shown."""
_HINTS: Final = {
    "bool_parsing": "Give true or false.",
    "float_parsing": "Give a number above 0.",
    "greater_than": "Give a number above 0.",
    "less_than_equal": "Give a smaller number.",
    "int_parsing": "Give a whole number of at least 1.",
    "greater_than_equal": "Give a whole number of at least 1.",
    "string_pattern_mismatch": "Give a number with k, m or g, as in 2g.",
}


class _Sources(ServerSettings, BaseSettings):
    """What pydantic-settings reads environment and file for."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Settings, and where each that is no default came from: ``--listen``, ``KSMITH_LISTEN``, ``listen in FILE``."""

    settings: ServerSettings
    origins: Mapping[str, str]
    file: Path


def flag_of(name: str) -> str:
    """The flag of a setting; empty where there is none."""
    return "" if name in SECRET else "--" + name.replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What the sources say, unchecked."""

    values: Mapping[str, Any]
    origins: Mapping[str, str]
    file: Path


def _given(argv: Sequence[str] | None) -> _Given:
    """Read all sources.

    Raises:
        InvalidInput: the file cannot be read.
    """
    parser = argparse.ArgumentParser(
        prog="python -m knowledgesmith.server",
        description="Run the KnowledgeSmith server",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--config", help=f"file of settings (TOML); default: {CONFIG}, else {_own_file()}")
    for name, field in ServerSettings.model_fields.items():
        if flag := flag_of(name):
            default = (
                f"; default: {_written(field.default)}"
                if field.default not in ("", None) and not field.default_factory
                else ""
            )
            parser.add_argument(flag, dest=name, help=(f"{field.description}{default}").replace("%", "%%"))
    flags: dict[str, Any] = vars(parser.parse_args(argv))
    asked = flags.pop("config", "") or os.environ.get(CONFIG, "")
    path = Path(asked).expanduser() if asked else _own_file()
    file = _read_file(path, must_exist=bool(asked))
    environment = EnvSettingsSource(_Sources)()
    origins = {
        **{name: f"{name} in {path}" for name in file},
        **{name: f"{PREFIX}{name.upper()}" for name in environment},
        **{name: flag_of(name) for name in flags},
    }
    return _Given(values={**file, **environment, **flags}, origins=origins, file=path)


def configure(argv: Sequence[str] | None = None) -> Configuration:
    """Read all sources.

    Raises:
        InvalidInput: a value cannot be, a key of the file is none, or the file cannot be read. All mistakes are told.
    """
    given = _given(argv)
    try:
        settings = ServerSettings.model_validate(given.values)
    except ValidationError as error:
        raise _told(error, given.origins) from error
    return Configuration(settings=settings, origins=given.origins, file=given.file)


def salvaged(argv: Sequence[str] | None = None) -> ServerSettings:
    """The settings with a default for each that is wrong: for who only looks, and tells the mistakes besides."""
    try:
        values = dict(_given(argv).values)
    except InvalidInput:
        return ServerSettings()
    while True:
        try:
            return ServerSettings.model_validate(values)
        except ValidationError as error:
            for one in error.errors():
                values.pop(str(one["loc"][0]), None)


def parse(argv: Sequence[str] | None = None) -> ServerSettings:
    """The settings alone; see :func:`configure`."""
    return configure(argv).settings


def _own_file() -> Path:
    return Path(platformdirs.user_config_dir("knowledgesmith")) / FILE_NAME


def _read_file(path: Path, *, must_exist: bool) -> dict[str, Any]:
    hint = f"Correct the file, or name another with --config or {CONFIG}."
    if not path.is_file():
        if must_exist:
            raise InvalidInput("there is no such file of settings", field="--config", value=str(path), hint=hint)
        return {}
    try:
        found = TomlConfigSettingsSource(_Sources, toml_file=path)()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidInput(
            f"the file of settings cannot be read: {error}", field="--config", value=str(path), hint=hint
        ) from error
    if isinstance(folder := found.get("data_dir"), str) and folder:
        found["data_dir"] = str(path.resolve().parent / Path(folder).expanduser())
    return found


def _told(error: ValidationError, origins: Mapping[str, str]) -> InvalidInput:
    """One error of ours with every mistake; it names the first one's source, value and way out."""
    found = error.errors()
    texts = [_text(one, origins) for one in found]
    first, name = found[0], str(found[0]["loc"][0])
    hint = str(first.get("ctx", {}).get(HINT) or _hint(str(first["type"]), name))
    others = "".join(f"; also {text}" for text in texts[1:])
    return InvalidInput(
        f"{_plain(first)}{others}",
        field=origins.get(name, name),
        value="(not shown)" if _is_secret(first) else first["input"],
        hint=hint,
    )


def _is_secret(one: Any) -> bool:
    """A password, or what stands under a name that nobody knows: it may be a misspelt password."""
    return str(one["loc"][0]) in SECRET or one["type"] == "extra_forbidden"


def _plain(one: Any) -> str:
    if one["type"] == "extra_forbidden":
        return "there is no such setting"
    return str(one["msg"])


def _text(one: Any, origins: Mapping[str, str]) -> str:
    name = str(one["loc"][0])
    shown = "" if _is_secret(one) else f" {one['input']!r}"
    return f"{origins.get(name, name)}{shown}: {_plain(one)}"


def _hint(kind: str, name: str) -> str:
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(name, ServerSettings.model_fields, n=1)
        return f"Did you mean {near[0]}?" if near else "`ksmith config` lists all settings."
    return _HINTS.get(kind, "`ksmith config` says what each setting may be.")


def _written(value: object) -> str:
    """A value as a file of settings would have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(name: str, value: str) -> str:
    """A value without what only its owner may see."""
    if name in SECRET:
        return "(set)" if value else ""
    return re.sub(r"(?<=://)[^/@]*@", "(login)@", value)


def rows(found: Configuration) -> list[dict[str, str]]:
    """Every setting as text: name, value, where it came from, flag, variable, and what it is."""
    return [
        {
            "name": name,
            "value": _shown(name, _written(getattr(found.settings, name))),
            "origin": found.origins.get(name, "default"),
            "flag": flag_of(name),
            "variable": f"{PREFIX}{name.upper()}",
            "description": field.description or "",
        }
        for name, field in ServerSettings.model_fields.items()
    ]


def main(argv: Sequence[str]) -> int:
    """Print the settings as one JSON object: ``python -m knowledgesmith.server config [FLAGS]``."""
    try:
        found = configure(argv)
    except InvalidInput as error:
        value = str(error.value).strip("'")
        wrong = {"error": error.message, "field": error.field, "value": value, "hint": error.hint}
        sys.stdout.write(json.dumps(wrong) + "\n")
        return 1
    sys.stdout.write(
        json.dumps({"file": str(found.file), "exists": found.file.is_file(), "settings": rows(found)}) + "\n"
    )
    return 0
