"""Regenerate the wire types from the ``.proto`` files, in place.

Run from anywhere: ``python scripts/gen_proto.py [--check | --image FILE]``; ``--check`` fails when the committed files
differ, ``--image`` only writes the compiled description of the files, which ``buf`` lints and compares.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
PACKAGE = Path("knowledgesmith/v1")


@contextmanager
def google_protos() -> Generator[Path]:
    """A folder with the files of the ``google`` package that ours import, under the names that they are imported by.

    They come with the installed ``googleapis-common-protos``, which names one of them otherwise than the world does.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for package in ("api", "longrunning", "rpc"):
            (folder / "google" / package).mkdir(parents=True)
            for path in files(f"google.{package}").iterdir():
                if path.name.endswith(".proto"):
                    name = path.name.replace("_proto.proto", ".proto")
                    (folder / "google" / package / name).write_bytes(path.read_bytes())
        yield folder


def protoc(*arguments: str) -> None:
    """Run the compiler over all of the project's files."""
    sources = sorted(str(p.relative_to(PROTO)) for p in (PROTO / PACKAGE).glob("*.proto"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    with google_protos() as google:
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", "-I", ".", "-I", str(google), *arguments, *sources],
            cwd=PROTO,
            check=True,
            env={**os.environ, "PATH": path},
        )


def generate(out: Path) -> list[Path]:
    """Write all generated files below ``out`` and return them, relative to it."""
    protoc(*(f"--{kind}_out={out}" for kind in ("python", "mypy", "grpc_python", "mypy_grpc")))
    for source in (PROTO / PACKAGE).glob("*.proto"):
        if "\nservice " not in source.read_text(encoding="utf-8"):
            for suffix in ("_pb2_grpc.py", "_pb2_grpc.pyi"):
                (out / PACKAGE / f"{source.stem}{suffix}").unlink(missing_ok=True)
    return sorted(p.relative_to(out) for p in (out / PACKAGE).glob("*_pb2*"))


def main() -> int:
    """Regenerate, or compare with what is committed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("--image", type=Path, help="write the compiled description here, and nothing else")
    arguments = parser.parse_args()
    if arguments.image is not None:
        arguments.image.parent.mkdir(parents=True, exist_ok=True)
        protoc("--include_imports", "--include_source_info", f"--descriptor_set_out={arguments.image.resolve()}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        (out / PACKAGE).mkdir(parents=True)
        fresh = generate(out)
        committed = sorted(p.relative_to(PROTO) for p in (PROTO / PACKAGE).glob("*_pb2*"))
        stale = [p for p in fresh if not (PROTO / p).exists() or (PROTO / p).read_bytes() != (out / p).read_bytes()]
        extra = [p for p in committed if p not in fresh]
        if arguments.check:
            for path in [*stale, *extra]:
                sys.stderr.write(f"{path} differs from its .proto; run `make proto`\n")
            return 1 if stale or extra else 0
        for path in fresh:
            shutil.copyfile(out / path, PROTO / path)
        for path in extra:
            (PROTO / path).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
