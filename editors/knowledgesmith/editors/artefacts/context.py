"""Contexts: plain text that stands before a prompt, an instruction and facts (IKE: Zheng et al. 2023).

Scoring and generation put it there; training and statistics never see it. Which facts are told is a function of the
prompt's text alone, so a prompt is read in one way, whatever else is asked beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from knowledgesmith.editors.artefacts.base import HEADER, TEXT, Kind, Stored, sorted_text
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.language.spans import holds, units

FORMAT: Final = 1
_SHORT_NAME: Final = 2
"""Names up to this length are compared with their case: "I" is iodine, "a" an article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fact as text, told before prompts that hold one of ``names``; before every prompt where there is none."""

    text: str
    names: tuple[str, ...] = ()

    def concerns(self, prompt: str) -> bool:
        """Whether it is told before this prompt."""
        return not self.names or any(_holds(prompt, name) for name in self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(Stored):
    """Text before prompts: the instruction, the facts that concern the prompt, one a line, and the lead.

    Where it has facts and none concerns a prompt, that prompt stays as it is.

    Attributes:
        instruction: stands first; may be empty.
        lines: facts, in the order in which they are told.
        lead: stands directly before the prompt ("Prompt: "); may be empty.
        metadata: method, goal, … as text; part of the content and so of the digest.

    Raises:
        InvalidInput: a line or a name is blank, or a text holds half of a character.
    """

    kind: ClassVar[Kind] = "context"
    suffix: ClassVar[str] = TEXT

    instruction: str = ""
    lines: tuple[Line, ...] = ()
    lead: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", tuple(self.lines))
        object.__setattr__(self, "metadata", sorted_text(self.metadata))
        needed = [text for line in self.lines for text in (line.text, *line.names)]
        if not all(text.strip() for text in needed):
            raise InvalidInput("a line of a context and each of its names need text", field="lines")
        for text in (self.instruction, self.lead, *needed):
            _check_unicode(text)

    def told(self, prompt: str) -> tuple[str, ...]:
        """What is told before a prompt, one a line; nothing where it does not concern the prompt."""
        chosen = tuple(line.text for line in self.lines if line.concerns(prompt))
        first = (self.instruction,) if self.instruction else ()
        return (*first, *chosen) if chosen or not self.lines else ()

    def to_bytes(self) -> bytes:
        """The file's content; equal contexts give equal bytes."""
        content = {
            "format": FORMAT,
            "kind": self.kind,
            "metadata": dict(self.metadata),
            "instruction": self.instruction,
            "lines": [{"text": line.text, "names": list(line.names)} for line in self.lines],
            "lead": self.lead,
        }
        return json.dumps({HEADER: content}, sort_keys=True, ensure_ascii=True).encode("ascii")


def text_before(contexts: Sequence[Context], prompt: str) -> str:
    """What several contexts put before a prompt: one's lines after another's, then the last one's lead."""
    telling = [(told, context.lead) for context in contexts if (told := context.told(prompt))]
    lines = "".join(f"{line}\n" for told, _ in telling for line in told)
    return f"{lines}{telling[-1][1]}" if telling else ""


def _holds(prompt: str, name: str) -> bool:
    """Whether a name stands in a prompt as words of its script; one of marks alone is looked for as it is."""
    if not units(name):
        return name.strip() in prompt
    return holds(prompt, name, fold=len(name.strip()) > _SHORT_NAME)


def _check_unicode(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput("a text holds half of a character", field="lines", value=ascii(text)) from error
