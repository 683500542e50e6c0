"""Sentences in a fixed order, and how one text differs from another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from knowledgesmith.editors.models.digests import text_sha256


@dataclass(frozen=True, slots=True)
class Corpus:
    """Plain texts, each as often as it was given; their order of arrival does not count.

    Attributes:
        sentences: short ones first, so that neighbours fill a batch with little padding.
        digest: SHA-256 over them.
    """

    sentences: tuple[str, ...]
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.sentences, key=lambda text: (len(text), text)))
        object.__setattr__(self, "sentences", ordered)
        object.__setattr__(self, "digest", text_sha256(*ordered))

    def without(self, other: Corpus) -> Corpus:
        """The sentences that ``other`` has not, or not as often."""
        return Corpus(tuple((Counter(self.sentences) - Counter(other.sentences)).elements()))

    def __len__(self) -> int:
        return len(self.sentences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A text as sum and difference of others: its sums are those of ``whole`` and ``added``, less ``removed``."""

    whole: Corpus
    removed: Corpus
    added: Corpus


def parts_of(sentences: Sequence[str], fixed: Sequence[str]) -> Parts:
    """How to have the sums of some sentences with few forward passes.

    Args:
        sentences: what the sums shall be over.
        fixed: sentences whose sums are kept and were perhaps measured before; the difference to them is measured, if it
            is smaller than ``sentences``. So cancellation never takes away more than about half of what was summed.
    """
    wanted, known, nothing = Corpus(tuple(sentences)), Corpus(tuple(fixed)), Corpus(())
    removed, added = known.without(wanted), wanted.without(known)
    if len(removed) + len(added) < len(wanted):
        return Parts(whole=known, removed=removed, added=added)
    return Parts(whole=wanted, removed=nothing, added=nothing)
