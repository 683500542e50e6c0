"""Fill the tables of packages in ``docs/architecture.md`` from the code, so that the map cannot drift from the house.

``python scripts/gen_house.py [--check]``; ``--check`` fails when the page differs.
"""

from __future__ import annotations

import argparse
import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/architecture.md"
ROOMS = ("graph_schema", "editors", "server", "client")
START, END = "<!-- packages of {}: generated -->", "<!-- packages of {}: end -->"


def floors(room: str) -> list[str]:
    """Packages of a room from the ground up, as its import contract has them; none where it has no contract."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = [layer for c in contracts if c.get("containers") == [f"knowledgesmith.{room}"] for layer in c["layers"]]
    return [name.strip() for layer in reversed(layers) for name in layer.split("|")]


def packages(room: str) -> Iterator[tuple[str, int, str]]:
    """Packages of a room from the top down: name below the room, modules in it, and what its first line says."""
    top = ROOT / room / "knowledgesmith" / room
    ground = floors(room)

    def place(folder: Path) -> tuple[int, str]:
        parts = folder.relative_to(top).parts
        return (-ground.index(parts[0]) if parts and parts[0] in ground else -len(ground), folder.as_posix())

    for folder in sorted({path.parent for path in top.rglob("*.py")}, key=place):
        first = folder / "__init__.py"
        said = ast.get_docstring(ast.parse(first.read_text(encoding="utf-8"))) if first.exists() else None
        name = folder.relative_to(top).as_posix().replace("/", ".")
        modules = sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        yield "" if name == "." else name, modules, (said or "").partition("\n\n")[0].replace("\n", " ")


def table(room: str) -> str:
    """The packages of one room."""
    lines = ["| package | modules | what it is |", "|---|---:|---|"]
    lines += [f"| `{name or room}` | {modules} | {said} |" for name, modules, said in packages(room)]
    return "\n".join([START.format(room), *lines, END.format(room)])


def filled(text: str) -> str:
    """The page with its tables as the code has them."""
    for room in ROOMS:
        head, _, rest = text.partition(START.format(room))
        _, _, tail = rest.partition(END.format(room))
        text = f"{head}{table(room)}{tail}"
    return text


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    check: bool = parser.parse_args().check
    text = PAGE.read_text(encoding="utf-8")
    wanted = filled(text)
    if check:
        sys.stderr.write("" if text == wanted else "docs/architecture.md differs from the code; run `make house`\n")
        return 0 if text == wanted else 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
