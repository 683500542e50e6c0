"""Write the client for programs without an event loop from the one for programs with one.

Run from anywhere: ``python scripts/gen_sync.py [--check]``; ``--check`` fails when the committed files differ. Words
are replaced one by one: ``async`` and ``await`` go, names of the event loop get their counterparts.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CLIENT: Final = ROOT / "client" / "knowledgesmith" / "client"
SOURCE: Final = CLIENT / "_async"
TARGET: Final = CLIENT / "_sync"
REPLACEMENTS: Final = (
    (r"\ban (?=``async )", "a "),
    (r"\basync (?=def|for|with)", ""),
    (r"\bawait ", ""),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\b__a(?=enter__|exit__)", "__"),
    (r"\baclosing\b", "closing"),
    (r"\bgrpc\.aio\b", "grpc"),
    (r"\bimport asyncio\n", ""),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"\A(\"\"\".*\n)", r"\1# Generated from _async by scripts/gen_sync.py; not edited.\n"),
)


def twin(text: str) -> str:
    """The text of a module without its event loop, before it is formatted."""
    needs_time = "asyncio.sleep" in text and "import time\n" not in text
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text)
    return text.replace("annotations\n", "annotations\n\nimport time\n", 1) if needs_time else text


def generate(folder: Path) -> list[str]:
    """Write all modules into ``folder``, formatted as the rest of the code is; their names."""
    names = sorted(path.name for path in SOURCE.glob("*.py") if path.name != "__init__.py")
    for name in names:
        (folder / name).write_text(twin((SOURCE / name).read_text(encoding="utf-8")), encoding="utf-8")
    ruff, settings = (
        str(Path(sys.executable).with_name("ruff")),
        ("--config", "pyproject.toml", "--no-cache", "--quiet"),
    )
    subprocess.run(
        [ruff, "check", *settings, "--select", "I,UP028", "--fix", "--unsafe-fixes", str(folder)], cwd=ROOT, check=True
    )
    subprocess.run([ruff, "format", *settings, str(folder)], cwd=ROOT, check=True)
    return names


def main() -> int:
    """Generate, or compare with what is committed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        names = generate(out)
        stale = [
            name
            for name in names
            if not (TARGET / name).exists() or (TARGET / name).read_bytes() != (out / name).read_bytes()
        ]
        extra = [path.name for path in TARGET.glob("*.py") if path.name not in (*names, "__init__.py")]
        if arguments.check:
            for name in [*stale, *extra]:
                sys.stderr.write(
                    f"{TARGET.relative_to(ROOT) / name} differs from its source; run scripts/gen_sync.py\n"
                )
            return 1 if stale or extra else 0
        for name in stale:
            (TARGET / name).write_bytes((out / name).read_bytes())
        for name in extra:
            (TARGET / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
