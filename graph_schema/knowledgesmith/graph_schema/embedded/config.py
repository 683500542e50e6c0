"""The configuration an embedded Neo4j runs with, and the rule that it listens on loopback only."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from knowledgesmith.graph_schema.embedded.settings import EmbeddedSettings, Home, mebibytes
from knowledgesmith.graph_schema.errors import InvalidInput

_TRANSACTION_SHARE: Final = 0.6
_FIXED: Final[Mapping[str, str]] = {
    "server.config.strict_validation.enabled": "true",
    # Nothing listens but Bolt, and nothing is reported to anybody.
    "server.bolt.enabled": "true",
    "server.http.enabled": "false",
    "server.https.enabled": "false",
    "server.bolt.telemetry.enabled": "false",
    "client.allow_telemetry": "false",
    "dbms.usage_report.enabled": "false",
    # The password is long and random: who guesses wrong must not lock its owner out.
    "dbms.security.auth_max_failed_attempts": "0",
    # A query must not read files or addresses of this machine.
    "dbms.security.allow_csv_import_from_file_urls": "false",
    "internal.dbms.cypher_ip_blocklist": "0.0.0.0/0,::/0",
    "dbms.security.procedures.allowlist": "db.*,dbms.*,tx.*",
    # Stopping waits this long for idle sessions; the default is 5 s.
    "internal.server.bolt.thread_pool_shutdown_wait_time": "1s",
    # Small files: the default reserves 256 MB at once and keeps 2 GB of log.
    "db.tx_log.preallocate": "false",
    "db.tx_log.rotation.size": "64M",
    "db.tx_log.rotation.retention_policy": "256M size",
    # A stuck writer must fail loudly instead of holding the fence of an intervention.
    "db.lock.acquisition.timeout": "10s",
    "db.transaction.timeout": "120s",
}
# No flag ends Java where memory is short: a single query may ask for more than there is, fails alone, and its memory
# is free again. A database that does not recover is noticed from outside, since it does not answer, and started again.
_JVM_FLAGS: Final = (
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
    ),
    "-XX:-OmitStackTraceInFastThrow",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dlog4j2.disable.jmx=true",
    "-Dfile.encoding=UTF-8",
)
_SHORT_LIVED_FLAGS: Final = ("-XX:TieredStopAtLevel=1",)
_MAIN_CLASS: Final = "org.neo4j.server.CommunityEntryPoint"
_ADMIN_CLASS: Final = "org.neo4j.cli.AdminTool"


def neo4j_settings(settings: EmbeddedSettings, *, port: int, login: bool = False) -> dict[str, str]:
    """Every key of ``neo4j.conf`` for one database; ``login``: whether it asks for one.

    Raises:
        InvalidInput: somebody could connect from another machine.
    """
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    limit = f"{int(mebibytes(settings.heap) * _TRANSACTION_SHARE)}m"
    chosen = {
        **_FIXED,
        "dbms.security.auth_enabled": str(login).lower(),
        "server.default_listen_address": settings.host,
        "server.bolt.listen_address": f"{host}:{port}",
        "server.bolt.advertised_address": f"{host}:{port}",
        "server.memory.heap.initial_size": settings.heap,
        "server.memory.heap.max_size": settings.heap,
        "server.memory.pagecache.size": settings.page_cache,
        "dbms.memory.transaction.total.max": limit,
        "db.memory.transaction.max": limit,
    }
    require_loopback(chosen)
    return chosen


def require_loopback(chosen: Mapping[str, str]) -> None:
    """Refuse a configuration unless every listener is on loopback: nothing is encrypted, a password neither.

    Raises:
        InvalidInput: a ``*listen_address`` can be reached from outside.
    """
    for key, value in chosen.items():
        if key.endswith("listen_address") and not _is_loopback(_host_of(value)):
            raise InvalidInput(
                "The embedded Neo4j encrypts nothing, so it may listen on loopback only.",
                field=key,
                value=value,
                hint="Use 127.0.0.1, or run a Neo4j with TLS and passwords yourself and set KSMITH_NEO4J_URI.",
            )


def _host_of(address: str) -> str:
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name may resolve to anything tomorrow
        return False


def write_config(folder: Path, chosen: Mapping[str, str]) -> None:
    """Write ``neo4j.conf`` below ``folder``; only its owner may read or write it (Neo4j insists)."""
    file = folder / "neo4j.conf"
    file.write_text("".join(f"{key}={value}\n" for key, value in sorted(chosen.items())), encoding="utf-8")
    file.chmod(0o600)


def java_command(*, java: Path, library: Path, home: Home, settings: EmbeddedSettings) -> list[str]:
    """The command line of one Neo4j. Heap and ``--add-opens`` are set here, as Neo4j's own launcher is not used."""
    return [
        str(java),
        f"-Xms{settings.heap}",
        f"-Xmx{settings.heap}",
        *_JVM_FLAGS,
        *(_SHORT_LIVED_FLAGS if settings.short_lived else ()),
        "-cp",
        f"{library}/*",
        _MAIN_CLASS,
        f"--home-dir={home.root}",
        f"--config-dir={home.config_dir}",
        "--console-mode",
    ]


def admin_command(*, java: Path, library: Path, settings: EmbeddedSettings, arguments: Sequence[str]) -> list[str]:
    """The command line of Neo4j's admin tool; it finds its home and configuration in the environment."""
    return [str(java), f"-Xmx{settings.heap}", *_JVM_FLAGS, "-cp", f"{library}/*", _ADMIN_CLASS, *arguments]
