"""Regenerate the wire types from the ``.proto`` files, in place.

Run from anywhere: ``python scripts/gen_proto.py [--check]``; ``--check`` fails when the committed files differ.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
PACKAGE = Path("knowledgesmith/v1")


def generate(out: Path) -> list[Path]:
    """Write all generated files below ``out`` and return them, relative to it."""
    sources = sorted(str(p.relative_to(PROTO)) for p in (PROTO / PACKAGE).glob("*.proto"))
    outputs = [f"--{kind}_out={out}" for kind in ("python", "mypy", "grpc_python", "mypy_grpc")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I", ".", *outputs, *sources],
        cwd=PROTO,
        check=True,
        env={**os.environ, "PATH": path},
    )
    for source in sources:
        if "\nservice " not in (PROTO / source).read_text(encoding="utf-8"):
            for suffix in ("_pb2_grpc.py", "_pb2_grpc.pyi"):
                (out / source.replace(".proto", suffix)).unlink(missing_ok=True)
    return sorted(p.relative_to(out) for p in (out / PACKAGE).glob("*_pb2*"))


def main() -> int:
    """Regenerate, or compare with what is committed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        (out / PACKAGE).mkdir(parents=True)
        fresh = generate(out)
        committed = sorted(p.relative_to(PROTO) for p in (PROTO / PACKAGE).glob("*_pb2*"))
        stale = [p for p in fresh if not (PROTO / p).exists() or (PROTO / p).read_bytes() != (out / p).read_bytes()]
        extra = [p for p in committed if p not in fresh]
        if check:
            for path in [*stale, *extra]:
                sys.stderr.write(f"{path} differs from its .proto; run `make proto`\n")
            return 1 if stale or extra else 0
        for path in fresh:
            shutil.copyfile(out / path, PROTO / path)
        for path in extra:
            (PROTO / path).unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
