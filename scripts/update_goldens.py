"""Measure every method's golden values again, in place.

``python scripts/update_goldens.py [METHOD …]``. A golden file holds the method's small settings (``config``, written
by hand) and what the method gives with them on the tiny Llama (``expected``, written by this script). Read the diff
before you commit it: a changed golden is a changed method.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from knowledgesmith.editors.registry import METHODS, method_class
from knowledgesmith.editors.testing.rehearsal import fingerprint, rehearsal_request, rehearse
from knowledgesmith.editors.testing.tiny import tiny_llama

GOLDENS = Path(__file__).resolve().parent.parent / "tests" / "editors" / "methods" / "goldens"


def measure(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Fingerprints of the method's artefacts, one for each goal and target distribution it accepts."""
    return {
        f"{goal.value}/{target.value}": fingerprint(
            rehearse(name, tiny_llama(), rehearsal_request(goal, target), config=config)
        )
        for goal, target in sorted(method_class(name).accepts)
    }


def update(name: str) -> None:
    """Rewrite one golden file, keeping its settings."""
    file = GOLDENS / f"{name}.json"
    config = json.loads(file.read_text(encoding="utf-8"))["config"] if file.is_file() else {}
    content = {"config": config, "expected": measure(name, config)}
    file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{name}: {len(content['expected'])} cases")


def main() -> None:
    """Update the named methods, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", nargs="*", help="registered names; all when none is given")
    torch.set_num_threads(1)
    for name in parser.parse_args().method or sorted(METHODS):
        update(name)


if __name__ == "__main__":
    main()
