"""Names of the number formats that a model may be kept in; known without torch, so that a setting is checked early."""

from __future__ import annotations

from typing import Final

from knowledgesmith.graph_schema.errors import InvalidInput

DTYPES: Final = ("float32", "bfloat16", "float16", "float64")
"""What a registered model's weights may be."""

DEFAULT_DTYPE: Final = "float32"
"""Of a model that was registered without naming one, by this release or an earlier one."""


def check_dtype(name: str, field: str) -> str:
    """Refuse what is not one of :data:`DTYPES`.

    Raises:
        InvalidInput: names the field, the value and the choices.
    """
    if name not in DTYPES:
        raise InvalidInput("unknown dtype", field=field, value=name, hint=f"One of {', '.join(DTYPES)}.")
    return name
