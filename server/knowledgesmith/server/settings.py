"""Settings of the server: what they are, what each may be, and the folders that follow from them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from knowledgesmith.editors.models.dtypes import DEFAULT_DTYPE, DTYPES, PRECISION_FILE, check_device_name, check_dtype
from knowledgesmith.graph_schema.errors import InvalidInput

HINT = "hint"


def check_loopback(address: str, field: str) -> None:
    """Refuse an address that other machines could reach: this release has neither TLS nor tokens.

    Raises:
        InvalidInput: not ``host:port`` on a loopback address.
    """
    host, _, port = address.rpartition(":")
    hint = "Use 127.0.0.1:PORT; put a TLS proxy in front to serve other machines."
    if not port.isdigit() or int(port) > 65535:
        raise InvalidInput("the address must be HOST:PORT", field=field, value=address, hint=hint)
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise InvalidInput("the server listens on loopback only", field=field, value=address, hint=hint)


def _checked(check: Callable[[str, str], object], *, empty: bool = False) -> AfterValidator:
    """A check of ours as one of pydantic; its hint travels with the error."""

    def validate(value: str) -> str:
        if empty and not value:
            return value
        try:
            check(value, "")
        except InvalidInput as error:
            raise PydanticCustomError("setting", "{text}", {"text": error.message, HINT: error.hint}) from error
        return value

    return AfterValidator(validate)


def _some_path(value: object) -> object:
    if value == "":
        raise PydanticCustomError("setting", "{text}", {"text": "no folder is named", HINT: "Name a folder."})
    return value


def _resolved(path: Path) -> Path:
    return path.expanduser().resolve()


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError(
            "setting", "{text}", {"text": "true and false are no numbers", HINT: "Give a number."}
        )
    return value


DAY: Final = 86_400.0
Loopback = Annotated[str, _checked(check_loopback)]
Folder = Annotated[Path, BeforeValidator(_some_path), AfterValidator(_resolved)]
Seconds = Annotated[float, BeforeValidator(_no_truth), Field(gt=0)]
Bounded = Annotated[float, BeforeValidator(_no_truth), Field(gt=0, le=DAY)]
Count = Annotated[int, BeforeValidator(_no_truth), Field(ge=1)]


class ServerSettings(BaseModel):
    """Where to listen, where to keep things, which database and device to use, and how much at once.

    ``neo4j_uri`` empty means: run the embedded database below ``data_dir``. The description of each is its help.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    listen: Loopback = Field(default="127.0.0.1:7617", description="gRPC address, on loopback")
    metrics: Loopback = Field(default="127.0.0.1:7618", description="address of the Prometheus metrics, on loopback")
    data_dir: Folder = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("knowledgesmith")).resolve(),
        description="where everything is kept",
    )
    device: Annotated[str, _checked(check_device_name, empty=True)] = Field(
        default="", description="cpu, cuda, cuda:1 …; empty: the best there is"
    )
    dtype: Annotated[str, _checked(check_dtype)] = Field(
        default=DEFAULT_DTYPE, description=f"of models that are registered without one: {', '.join(DTYPES)}"
    )
    neo4j_uri: str = Field(default="", description="your own Neo4j; empty: the embedded one")
    neo4j_user: str = Field(default="", description="its user")
    neo4j_password: str = Field(default="", description="its password (environment or file only)", repr=False)
    neo4j_database: str = Field(default="neo4j", description="its database")
    neo4j_heap: str = Field(default="1g", description="heap of the embedded database", pattern=r"^\d+[kmgKMG]?$")
    neo4j_start_timeout: Seconds = Field(
        default=900.0,
        description="seconds for the first start of the embedded database, recovery included; inf: no limit",
    )
    reflection: bool = Field(
        default=False, description="true: tools may ask which services and messages there are (gRPC server reflection)"
    )
    drain_seconds: Bounded = Field(
        default=25.0, description="seconds that calls and an intervention may take to end when the server stops"
    )
    query_seconds: Bounded = Field(default=20.0, description="seconds for a query that somebody types")
    upload_bytes: Count = Field(default=8 * 1024**3, description="most bytes of one import, unpacked")
    long_calls: Count = Field(default=8, description="imports, audits and archives at a time; more wait")
    worlds_kept: Count = Field(default=4, description="closed worlds kept between plans, about 30 bytes a fact each")
    statistics_bytes: Count = Field(
        default=16 * 1024**3, description="most bytes of key statistics kept, those in use apart"
    )
    batch_probes: Count = Field(
        default=48,
        description="probes measured between two ledger writes",
    )

    @property
    def artefact_dir(self) -> Path:
        """Artefacts by digest."""
        return self.data_dir / "artefacts"

    @property
    def probe_set_dir(self) -> Path:
        """Probe sets by digest."""
        return self.data_dir / "probe_sets"

    @property
    def export_dir(self) -> Path:
        """Exported checkpoints and adapters."""
        return self.data_dir / "exports"

    @property
    def operation_dir(self) -> Path:
        """Files of operations: uploads, rejections, archives."""
        return self.data_dir / "operations"

    @property
    def score_cache(self) -> Path:
        """Scores by revision and text."""
        return self.data_dir / "scores.sqlite"

    @property
    def precision_cache(self) -> Path:
        """Measured compute precisions by device."""
        return self.data_dir / PRECISION_FILE

    @property
    def statistics_dir(self) -> Path:
        """Statistics by model, map and text."""
        return self.data_dir / "statistics"

    def create_directories(self) -> None:
        """Make every directory that the server writes to."""
        kept = (self.artefact_dir, self.probe_set_dir, self.export_dir, self.operation_dir)
        for path in (*kept, self.statistics_dir):
            path.mkdir(parents=True, exist_ok=True)
