"""What a bulk run is asked for, and what it reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.probes.guessing.guessers import Guess
from knowledgesmith.graph_schema.types.facts import Level, Split
from knowledgesmith.graph_schema.types.probes import ProbeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRequest:
    """Which probes of a graph to make.

    Attributes:
        graph_id: the graph.
        kinds: which kinds.
        seed: of every draw.
        limit_per_kind: at most so many probes of each kind, drawn; ``None`` for all.
        phrasings: at most so many phrasings of a question; 0 for all evaluation phrasings.
        levels: only anchors of these levels; empty for all.
        relations: only questions whose last relation is one of these; empty for all.
        split: which phrasings; a training set and an evaluation set never share one.
        subtree: only anchors at or below this entity in the hierarchy; empty for the whole graph.
    """

    graph_id: str
    kinds: Sequence[ProbeKind] = tuple(ProbeKind)
    seed: int = 0
    limit_per_kind: int | None = None
    phrasings: int = 3
    levels: Sequence[Level] = ()
    relations: Sequence[str] = ()
    subtree: str = ""
    split: Split = Split.EVAL

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            InvalidInput: a limit is not positive, or ``phrasings`` is negative.
        """
        if self.limit_per_kind is not None and self.limit_per_kind < 1:
            raise InvalidInput(
                "must be positive", field="limit_per_kind", value=self.limit_per_kind, hint="Leave it out for all."
            )
        if self.phrasings < 0:
            raise InvalidInput("must not be negative", field="phrasings", value=self.phrasings, hint="Use 0 for all.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkProgress:
    """How far a run is: anchors done of the current kind, and verified probes so far."""

    kind: ProbeKind
    anchors_done: int
    anchors: int
    probes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Of one kind: questions that could be asked, and those that were not, so that the set gives nothing away."""

    askable: int
    left_out: int

    @property
    def share(self) -> float:
        """Part of the askable questions that was left out."""
        return self.left_out / self.askable if self.askable else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a run found out beside the probes.

    Attributes:
        dropped: questions without a probe, by reason.
        left_out: by kind.
        guesses: how well guessers do that know nothing.
    """

    dropped: Mapping[str, int]
    left_out: Mapping[str, LeftOut]
    guesses: tuple[Guess, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """What a run wrote. ``dropped`` counts questions by the reason for which they gave no probe.

    ``left_out`` and ``guesses`` say whether the set is fair; they are empty where nobody has judged it.
    """

    graph_id: str
    graph_digest: str
    seed: int
    digest: str
    counts: Mapping[str, int]
    split: Split
    dropped: Mapping[str, int]
    left_out: Mapping[str, LeftOut] = field(default_factory=dict[str, LeftOut])
    guesses: tuple[Guess, ...] = ()


Observer = Callable[[BulkProgress], None]
"""Called after every block; what it raises ends the run, and nothing is kept."""
