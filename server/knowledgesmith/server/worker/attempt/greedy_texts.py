"""What the model says by itself about the request's own facts: greedy texts of their direct questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from knowledgesmith.editors.scoring.generation import generate, length_of
from knowledgesmith.editors.text.answers import chosen_by_text
from knowledgesmith.graph_schema.types.probes import ProbeKind, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from knowledgesmith.editors.artefacts.session import ModelSession
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.graph_schema.types.plans import Plan
    from knowledgesmith.graph_schema.types.probes import PlannedProbe

MAX_STEMS: Final = 256
"""Stems that are continued; a text costs as much as several scored probes. Of more targets the first ones speak."""
MAX_TOKENS: Final = 256
"""Longest text: enough for an answer of forty words in any tokens that are not single characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A greedy text as it came, and the option that it begins with, None for none of them."""

    text: str
    option: int | None


class Speaker:
    """Continues the stems of a plan's direct questions about targets, each once for every state of the model.

    Args:
        resident: the model under whatever revision it shows.
        plan: whose targets are asked.
        names: names and aliases of the options by uid.
    """

    def __init__(self, resident: ModelSession, plan: Plan, names: Mapping[str, Sequence[str]]) -> None:
        self._resident = resident
        self._names = names
        self._limits = self._longest(spoken_probes(plan.probes))
        self._texts: dict[tuple[str, str], str] = {}

    def says(self, probes: Iterable[PlannedProbe], phase: str) -> dict[str, Spoken]:
        """Texts by probe id, of those of the probes that are asked for one; ``phase`` tells the states apart."""
        asked = [one for one in spoken_probes(probes) if one.probe.text in self._limits]
        new = [text for text in dict.fromkeys(one.probe.text for one in asked) if (phase, text) not in self._texts]
        if new:
            limits = [self._limits[text] for text in new]
            made = generate(self._resident.loaded, new, max_new_tokens=limits)
            self._texts |= {(phase, stem): text for stem, text in zip(new, made, strict=True)}
        return {one.probe.id: self._spoken(one, self._texts[phase, one.probe.text]) for one in asked}

    def _spoken(self, one: PlannedProbe, text: str) -> Spoken:
        probe = one.probe
        options = [
            (option, *self._names.get(uid, ())) for option, uid in zip(probe.options, probe.option_uids, strict=True)
        ]
        return Spoken(text=text, option=chosen_by_text(text, options))

    def _longest(self, probes: Iterable[PlannedProbe]) -> dict[str, int]:
        """Tokens by stem: what the longest of its options needs."""
        pairs: dict[str, list[tuple[str, str]]] = {}
        for one in probes:
            text = one.probe.text
            if text in pairs or len(pairs) < MAX_STEMS:
                pairs.setdefault(text, []).extend((text, option) for option in one.probe.options)
        return {text: min(MAX_TOKENS, length_of(self._resident.loaded, asked)) for text, asked in pairs.items()}


def spoken_probes(probes: Iterable[PlannedProbe]) -> list[PlannedProbe]:
    """Direct questions about targets: their stem can simply be continued, and their answer is what was asked for."""
    return [one for one in probes if one.role is Role.TARGET and one.probe.kind is ProbeKind.DIRECT]


def names_of(store: GraphStore, intervention_id: str) -> dict[str, tuple[str, ...]]:
    """Names and aliases of the options of an intervention's direct questions about targets, by uid."""
    return {row["uid"]: tuple(row["names"]) for row in store.read("planning/option_names", id=intervention_id)}
