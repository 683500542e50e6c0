"""What every locate-then-edit method can be told: where it edits, how it searches, and what that must keep."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

from pydantic import Field

from knowledgesmith.editors.contract import AuthorValue, MethodConfig
from knowledgesmith.editors.models.precision import ComputeDtype

MEMIT = "MEMIT's released settings"

SEARCH_AUTHORS: Mapping[str, AuthorValue] = MappingProxyType(
    {
        "steps": AuthorValue(value="20 to 25", source=MEMIT),
        "learning_rate": AuthorValue(value="0.5; 0.1 for Llama-3", source=MEMIT, note="absolute"),
        "clamp": AuthorValue(value="0.75; 4 for Qwen2.5", source=MEMIT),
        "decay": AuthorValue(value="0.5; 1e-3 for Qwen2.5", source=MEMIT),
        "essence": AuthorValue(value="0.0625", source=MEMIT, note="the other direction of KL, '{subject} is a'"),
        "openings": AuthorValue(value="0", source=MEMIT),
        "own_facts": AuthorValue(value="0", source=MEMIT),
        "stop": AuthorValue(value="0.05", source=MEMIT),
        "settle": AuthorValue(value="0", source=MEMIT),
        "patience": AuthorValue(value="0", source=MEMIT, note="they give the last value and take all steps"),
        "search_prompts": AuthorValue(value="1", source=MEMIT, note="behind sampled contexts"),
        "least_prompts": AuthorValue(
            value="6", source=MEMIT, note="the prompt alone and behind five texts that the model gave"
        ),
        "keys": AuthorValue(value="mean", source=MEMIT),
        "end": AuthorValue(value="nothing", source=MEMIT),
    }
)
"""The part that MEMIT's followers take over from it."""


class LocateConfig(MethodConfig):
    """Settings of the search and of its keys; every default is ours (:attr:`author_values` has the published ones).

    Attributes:
        layers: edited blocks, ascending. The values are searched at the last one; where a norm follows a projection,
            at each of them.
        steps: most value-search passes; facts that are met end sooner, names that have to be spelled take them.
        learning_rate: of the search, in units of activation norm / sqrt(width).
        clamp: largest norm of a value change in units of the clean activation.
        decay: penalty on that norm.
        essence: weight of keeping what the model says about the subject.
        openings: weight of keeping what the model says after openings that ask for nothing ("{subject} is"), shared by
            all of them. Off unless asked for: 4 keeps more of a subject whose wording was derived, and searches longer.
        own_facts: weight of keeping the retained other facts of an edited subject in the search, shared by up to four
            of them.
        stop: task loss at which a fact's search ends.
        patience: passes in which what a fact's search minimises has to fall by a share (``progress``) of itself, or it
            ends, and gives the best value that it met. 0: the authors' search, which ends at ``stop`` or takes all
            steps, and gives the last value.
        progress: that share. Unlearning on the default model falls slowly to its last step, by more than the default;
            0.1 ends some of its searches sooner, at a higher loss.
        settle: task loss below which a new object's value still serves. One that came to ``stop`` is scaled down to the
            weakest that does: a search ends on its clamp, and what its value does beyond its target it does to
            everything else that is said of the subject. Of edits alone, and off unless asked for (0). With AlphaEdit
            0.5 kept 89 of 103 own facts of subjects on graphs made up for the choice, 0 kept 76, both with 45 of 45
            direct questions installed; on others (``benchmarks.imported_graph``) 76 of 98 against 61 of 98 kept, 41 of
            45 against 44 of 45 installed; but of names that the model does not know 1 of 10 instead of 4 of 10 were
            installed.
        search_prompts: training phrasings used in the value search; the keys use all.
        least_prompts: phrasings that a fact is brought up to by putting marks and sentences before those it has: as
            many as the authors' (one prompt behind nothing and behind five texts). A subject's key depends on the text
            before it, so fewer are met in the trained phrasings and hardly in others.
        keys: ``each`` phrasing is a key of its own, or one ``mean`` stands for them: half the first phrasing's key and
            half the mean of the others'.
        paths: candidates that a neutral trie follows beyond the first token.
        end: what closes a new object.
        compute_dtype: dtype of the frozen weights in the value search; δ, its losses and the solve are never in half
            precision. ``auto``: the one that the service measured to be fastest on its device, and the model's own
            where nobody measured.
    """

    author_values: ClassVar[Mapping[str, AuthorValue]] = SEARCH_AUTHORS

    layers: tuple[int, ...] = ()
    steps: int = Field(default=40, ge=1, le=200)
    learning_rate: float = Field(default=0.5, gt=0)
    clamp: float = Field(default=1.0, gt=0)
    decay: float = Field(default=1e-3, ge=0)
    essence: float = Field(default=0.0625, ge=0)
    openings: float = Field(default=0.0, ge=0)
    own_facts: float = Field(default=0.5, ge=0)
    stop: float = Field(default=0.1, ge=0)
    patience: int = Field(default=8, ge=0, le=200)
    progress: float = Field(default=0.02, ge=0, lt=1)
    settle: float = Field(default=0.0, ge=0)
    search_prompts: int = Field(default=4, ge=1)
    least_prompts: int = Field(default=6, ge=1, le=32)
    keys: Literal["each", "mean"] = "each"
    paths: int = Field(default=2, ge=1)
    end: str = Field(default=".", max_length=8)
    compute_dtype: ComputeDtype = "auto"
