"""Names of number formats and devices that a model may be kept in; known without torch, to be checked early."""

from __future__ import annotations

import re
from typing import Final

from knowledgesmith.graph_schema.errors import InvalidInput

DTYPES: Final = ("float32", "bfloat16", "float16", "float64")
"""What a registered model's weights may be."""

DEFAULT_DTYPE: Final = "float32"
"""Of a model that was registered without naming one, by this release or an earlier one."""


PRECISION_FILE: Final = "precision.json"
"""Below the data directory: what ``precision`` measured."""


def check_dtype(name: str, field: str) -> str:
    """Refuse what is not one of :data:`DTYPES`.

    Raises:
        InvalidInput: names the field, the value and the choices.
    """
    if name not in DTYPES:
        raise InvalidInput("unknown dtype", field=field, value=name, hint=f"One of {', '.join(DTYPES)}.")
    return name


_DEVICE: Final = re.compile(r"cpu|cuda(:(0|[1-9][0-9]{0,2}))?")


def check_device_name(name: str, field: str) -> str:
    """Refuse what names no device, wherever it is; whether it is here only torch can tell (``devices``).

    Raises:
        InvalidInput: names the field, the value and the choices.
    """
    if not _DEVICE.fullmatch(name):
        raise InvalidInput(
            "unknown device", field=field, value=name, hint="Use cpu, cuda, cuda:1 and so on, or nothing for the best."
        )
    return name
