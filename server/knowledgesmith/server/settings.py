"""Settings of the server: from flags and the environment, checked once at the start, all mistakes at once."""

from __future__ import annotations

import argparse
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from knowledgesmith.editors.dtypes import DEFAULT_DTYPE, DTYPES, PRECISION_FILE, check_device_name, check_dtype
from knowledgesmith.graph_schema.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where to listen, where to keep things, which database and device to use.

    ``neo4j_uri`` empty means: run the embedded database below ``data_dir`` and wait ``neo4j_start_timeout`` seconds for
    its first start. ``device`` empty means: the best there is. ``dtype`` is that of models which are registered without
    one.
    """

    listen: str = "127.0.0.1:7617"
    metrics_listen: str = "127.0.0.1:7618"
    data_dir: Path
    neo4j_uri: str = ""
    neo4j_user: str = ""
    neo4j_password: str = ""
    neo4j_database: str = "neo4j"
    neo4j_heap: str = "1g"
    neo4j_start_timeout: float = 900.0
    device: str = ""
    dtype: str = DEFAULT_DTYPE
    drain_seconds: float = 25.0

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
    def score_cache(self) -> Path:
        """Scores by revision and text."""
        return self.data_dir / "scores.sqlite"

    @property
    def precision_cache(self) -> Path:
        """Measured compute precisions by device."""
        return self.data_dir / PRECISION_FILE

    @property
    def statistics_dir(self) -> Path:
        """Key statistics by model, layer and text."""
        return self.data_dir / "statistics"

    def create_directories(self) -> None:
        """Make every directory that the server writes to."""
        for path in (self.artefact_dir, self.probe_set_dir, self.export_dir, self.statistics_dir):
            path.mkdir(parents=True, exist_ok=True)


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


def _seconds(text: str, field: str) -> float:
    """Seconds above 0; ``inf`` for no limit.

    Raises:
        InvalidInput: it is no such number.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise InvalidInput("not a time to wait", field=field, value=text, hint="Give seconds above 0, or inf.")
    return seconds


def parse(argv: Sequence[str] | None = None, env: Mapping[str, str] | None = None) -> ServerSettings:
    """Read flags, then the environment (``KSMITH_…``), then defaults.

    Raises:
        InvalidInput: an address is not on loopback, or a device, dtype or time is none.
    """
    env = os.environ if env is None else env
    default_dir = env.get("KSMITH_DATA_DIR") or platformdirs.user_data_dir("knowledgesmith")
    parser = argparse.ArgumentParser(
        prog="python -m knowledgesmith.server", description="Run the KnowledgeSmith server"
    )
    parser.add_argument("--listen", default=env.get("KSMITH_LISTEN", "127.0.0.1:7617"), help="gRPC address")
    parser.add_argument("--metrics", default=env.get("KSMITH_METRICS", "127.0.0.1:7618"), help="Prometheus address")
    parser.add_argument("--data-dir", type=Path, default=Path(default_dir), help="where everything is kept")
    parser.add_argument("--device", default=env.get("KSMITH_DEVICE", ""), help="cpu, cuda, cuda:1 …; default: the best")
    parser.add_argument(
        "--dtype",
        default=env.get("KSMITH_DTYPE") or DEFAULT_DTYPE,
        help=f"of models that are registered without one: {', '.join(DTYPES)}; default: {DEFAULT_DTYPE}",
    )
    parser.add_argument(
        "--neo4j-heap", default=env.get("KSMITH_NEO4J_HEAP", "1g"), help="heap of the embedded database"
    )
    parser.add_argument(
        "--neo4j-start-timeout",
        default=env.get("KSMITH_NEO4J_START_TIMEOUT", "900"),
        metavar="SECONDS",
        help="patience with the first start of the embedded database, recovery included; default: 900",
    )
    args = parser.parse_args(argv)
    check_loopback(args.listen, "--listen")
    check_loopback(args.metrics, "--metrics")
    if args.device:
        check_device_name(args.device, "--device")
    check_dtype(args.dtype, "--dtype")
    return ServerSettings(
        listen=args.listen,
        metrics_listen=args.metrics,
        data_dir=args.data_dir.expanduser().resolve(),
        device=args.device,
        dtype=args.dtype,
        neo4j_heap=args.neo4j_heap,
        neo4j_start_timeout=_seconds(args.neo4j_start_timeout, "--neo4j-start-timeout"),
        neo4j_uri=env.get("KSMITH_NEO4J_URI", ""),
        neo4j_user=env.get("KSMITH_NEO4J_USER", ""),
        neo4j_password=env.get("KSMITH_NEO4J_PASSWORD", ""),
        neo4j_database=env.get("KSMITH_NEO4J_DATABASE", "neo4j"),
    )
