"""What the server's settings say of where it is: read as the server reads them, without it.

A variable (``KSMITH_LISTEN``) goes before the file (``KSMITH_CONFIG``, else ``ksmith.toml`` in the user's folder of
settings); flags go before both.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Final

from knowledgesmith.client._errors import InvalidInput

DEFAULT_TARGET: Final = "127.0.0.1:7617"
"""Where a server listens and a client looks for it, unless a setting says otherwise."""
_PREFIX: Final = "KSMITH_"
_CONFIG: Final = f"{_PREFIX}CONFIG"
_FILE_NAME: Final = "ksmith.toml"


def own_setting(name: str, default: str) -> str:
    """A setting of one's own server as text: ``listen``, ``metrics`` or ``data_dir``.

    Raises:
        InvalidInput: the file of settings cannot be read, or has something else than text there.
    """
    if given := os.environ.get(_PREFIX + name.upper()):
        return given
    path = _file()
    if not path.is_file():
        return default
    hint = f"Correct the file, or name another with {_CONFIG}."
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get(name, default)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidInput(
            f"The file of settings cannot be read: {error}",
            reason="INVALID_FIELD",
            field="file",
            value=str(path),
            hint=hint,
        ) from error
    if not isinstance(found, str):
        raise InvalidInput(
            "The setting must be text.", reason="INVALID_FIELD", field=f"{name} in {path}", value=str(found), hint=hint
        )
    return str(path.parent / Path(found).expanduser()) if name == "data_dir" and found != default else found


def _file() -> Path:
    if given := os.environ.get(_CONFIG):
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_dir("knowledgesmith")) / _FILE_NAME
