"""Write ``embedded/jars.lock``: the SHA-256 of every jar that one Maven coordinate needs at run time.

Run it by hand when Neo4j's version changes (it needs ``mvn`` and the network)::

    python scripts/lock_jars.py org.neo4j:neo4j:5.26.30
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import tempfile
from pathlib import Path
from typing import Final

_LOCK: Final = Path(__file__).resolve().parents[1] / "graph_schema/knowledgesmith/graph_schema/embedded/jars.lock"
_POM: Final = """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>lock</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>
  </dependency></dependencies>
</project>
"""


def resolve(coordinate: str, folder: Path) -> Path:
    """Let Maven copy the run-time closure of ``coordinate`` below ``folder`` in repository layout."""
    group, artifact, version = coordinate.split(":")
    (folder / "pom.xml").write_text(_POM.format(group=group, artifact=artifact, version=version), encoding="utf-8")
    target = folder / "lib"
    command = [
        "mvn",
        "--quiet",
        "--batch-mode",
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        "-Dmdep.useRepositoryLayout=true",
        f"-DoutputDirectory={target}",
    ]
    subprocess.run(command, cwd=folder, check=True)
    return target


def coordinate_of(jar: Path, root: Path) -> str:
    """Read ``group:artifact:version[:classifier]`` off a path in repository layout."""
    *group, artifact, version, name = jar.relative_to(root).parts
    stem = f"{artifact}-{version}"
    classifier = name.removesuffix(".jar").removeprefix(stem).removeprefix("-")
    return ":".join(filter(None, (".".join(group), artifact, version, classifier)))


def lock_lines(root: Path) -> list[str]:
    """One ``sha256  coordinate`` line for each jar below ``root``, sorted by coordinate."""
    digests = {coordinate_of(jar, root): hashlib.sha256(jar.read_bytes()).hexdigest() for jar in root.rglob("*.jar")}
    return [f"{digest}  {coordinate}" for coordinate, digest in sorted(digests.items())]


def main() -> None:
    """Resolve, hash and write the lock."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coordinate", help="group:artifact:version of the root")
    parser.add_argument("--output", type=Path, default=_LOCK)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = lock_lines(resolve(arguments.coordinate, Path(folder)))
    arguments.output.write_text("\n".join([f"# {arguments.coordinate}", *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
