"""Enumerations of the wire, as strings; ``UNSPECIFIED`` also stands for a member that this release does not know."""

from __future__ import annotations

from enum import StrEnum, auto
from typing import Final


class WireEnum(StrEnum):
    """An enumeration of the wire; a member's value is its name there, without the prefix."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:  # noqa: ARG004
        return name


class Goal(WireEnum):
    """What an intervention wants: insert or modify a fact, or erase one."""

    UNSPECIFIED = auto()
    EDIT = auto()
    UNLEARN = auto()


class TargetDistribution(WireEnum):
    """What a method pulls the answer towards."""

    UNSPECIFIED = auto()
    NEW_OBJECT = auto()
    NEUTRAL_GRAPH = auto()
    NEUTRAL_MASK = auto()
    UNIFORM = auto()
    REFUSAL = auto()
    VAGUE = auto()


class ProbeKind(WireEnum):
    """The six kinds of probes."""

    UNSPECIFIED = auto()
    DIRECT = auto()
    REVERSE = auto()
    MULTI_HOP = auto()
    COMPARISON = auto()
    CONTEXTUAL = auto()
    CONFLICT = auto()


class Polarity(WireEnum):
    """Whether the plan expects the answer to change (Q+) or to stay (Q-)."""

    UNSPECIFIED = auto()
    CHANGE = auto()
    STAY = auto()


class Role(WireEnum):
    """What a planned probe asks about; ``UNSPECIFIED``: verdicts of scheme 1, which did not tell targets apart."""

    UNSPECIFIED = auto()
    TARGET = auto()
    FOLLOWS = auto()
    STAYS = auto()


class Level(WireEnum):
    """Place of an entity in the hierarchy; ``UNSPECIFIED``: it has none."""

    UNSPECIFIED = auto()
    ROOT = auto()
    INTERMEDIATE = auto()
    LEAF = auto()


class View(WireEnum):
    """How much of a resource a listing holds; ``UNSPECIFIED`` = all."""

    UNSPECIFIED = auto()
    BASIC = auto()
    FULL = auto()


class HealthVerdict(WireEnum):
    """What the measures say of a revision; a WRECKED one waits for a decision, and its rates are withheld."""

    UNSPECIFIED = auto()
    HEALTHY = auto()
    SUSPECT = auto()
    WRECKED = auto()


class FileRole(WireEnum):
    """What one of several tables of a graph holds; ``UNSPECIFIED``: told from the file."""

    UNSPECIFIED = auto()
    ENTITIES = auto()
    RELATIONS = auto()
    FACTS = auto()
    TEMPLATES = auto()


class WordingUse(WireEnum):
    """What a wording is used for."""

    UNSPECIFIED = auto()
    DIRECT = auto()
    REVERSE = auto()
    QUESTION = auto()
    REVERSE_QUESTION = auto()
    STATEMENT = auto()
    PHRASE = auto()
    REVERSE_PHRASE = auto()
    REVERSE_STATEMENT = auto()


class WordingOrigin(WireEnum):
    """Where a wording comes from: files, a correction, sure grammar, or a plain frame around the relation's name."""

    UNSPECIFIED = auto()
    GIVEN = auto()
    CORRECTED = auto()
    DERIVED = auto()
    FRAME = auto()


class TraitKind(WireEnum):
    """What a trait says about a relation."""

    UNSPECIFIED = auto()
    FUNCTIONAL = auto()
    INVERSE_FUNCTIONAL = auto()
    SYMMETRIC = auto()
    INVERSE = auto()
    TRANSITIVE = auto()
    COMPOSITION = auto()
    DOMAIN = auto()
    RANGE = auto()


class InterventionState(WireEnum):
    """Life of an intervention."""

    UNSPECIFIED = auto()
    QUEUED = auto()
    PREPARING = auto()
    RUNNING = auto()
    AWAITING_DECISION = auto()
    COMMITTING = auto()
    SUCCEEDED = auto()
    DISCARDED = auto()
    FAILED = auto()
    CANCELLED = auto()

    @property
    def terminal(self) -> bool:
        """Whether nothing follows this state."""
        return self in _TERMINAL

    @property
    def settled(self) -> bool:
        """Whether nothing follows this state by itself: terminal, or waiting for a commit or discard."""
        return self.terminal or self is InterventionState.AWAITING_DECISION


_TERMINAL: Final = frozenset(
    {
        InterventionState.SUCCEEDED,
        InterventionState.DISCARDED,
        InterventionState.FAILED,
        InterventionState.CANCELLED,
    }
)


class Scorer(WireEnum):
    """How the options of a probe are scored; ``UNSPECIFIED`` = CLOZE_EXACT."""

    UNSPECIFIED = auto()
    CLOZE_EXACT = auto()
    CLOZE_MEAN = auto()
    CLOZE_SUM = auto()


class GateMetric(WireEnum):
    """What a gate bounds: a share, or (PERPLEXITY_RATIO) how many times less likely plain text became."""

    UNSPECIFIED = auto()
    INSTALLED = auto()
    ERASED = auto()
    PROPAGATED = auto()
    RESIDUAL = auto()
    COLLATERAL = auto()
    PERPLEXITY_RATIO = auto()


class Phase(WireEnum):
    """What the worker does for an intervention; ``UNSPECIFIED``: nothing."""

    UNSPECIFIED = auto()
    PLAN = auto()
    MEASURE_BEFORE = auto()
    APPLY = auto()
    HEALTH = auto()
    MEASURE_AFTER = auto()
    COMMIT = auto()
    WAIT_FOR_IMPORT = auto()
    WAIT_FOR_LOCKS = auto()
    DECIDE = auto()


class WorldOp(WireEnum):
    """What happens to a fact of a branch's world."""

    UNSPECIFIED = auto()
    ASSERT = auto()
    RETRACT = auto()


class Worlds(WireEnum):
    """In which world of a plan something holds."""

    UNSPECIFIED = auto()
    BEFORE = auto()
    AFTER = auto()
    BOTH = auto()


class Rule(WireEnum):
    """Why a fact enters, leaves or holds."""

    UNSPECIFIED = auto()
    REQUEST = auto()
    ASSERTED = auto()
    FUNCTIONAL = auto()
    INVERSE_FUNCTIONAL = auto()
    SUPPORT = auto()
    INVERSE = auto()
    SYMMETRIC = auto()
    TRANSITIVE = auto()
    COMPOSITION = auto()
    SUBRELATION = auto()


class WarningKind(WireEnum):
    """What is the matter with a plan."""

    UNSPECIFIED = auto()
    PREFIX = auto()
    LENGTH = auto()
    SHARED_WORDS = auto()
    TYPE = auto()
    RING = auto()
    EARLIER = auto()
    UID = auto()
    UNASKED = auto()


class DType(WireEnum):
    """Number format of weights."""

    UNSPECIFIED = auto()
    FLOAT32 = auto()
    BFLOAT16 = auto()
    FLOAT16 = auto()
    FLOAT64 = auto()


class MethodFamily(WireEnum):
    """What the artefacts of a method are."""

    UNSPECIFIED = auto()
    WEIGHTS = auto()
    MEMORY = auto()
    CONTEXT = auto()


class ExportFormat(WireEnum):
    """Form of an export of a revision."""

    UNSPECIFIED = auto()
    HF_CHECKPOINT = auto()
    PEFT_ADAPTER = auto()


class Grouping(WireEnum):
    """How to group a propagation."""

    UNSPECIFIED = auto()
    HOP = auto()
    LEVEL = auto()
    KIND = auto()
    RELATION = auto()
    DOMAIN = auto()
    ALL = auto()
    ROLE = auto()
    BAND = auto()


class ChangeFilter(WireEnum):
    """Which ledger rows to list; ``UNSPECIFIED`` = all, by sequence."""

    UNSPECIFIED = auto()
    TOP = auto()
    COLLATERAL = auto()
    RESIDUAL = auto()
    CONFLICT = auto()


class Verdict(WireEnum):
    """What became of a probe: INSTALLED to NOT_ERASED of targets, PROPAGATED to DRIFTED of what follows from them."""

    UNSPECIFIED = auto()
    INELIGIBLE = auto()
    PROPAGATED = auto()
    MISSED = auto()
    DRIFTED = auto()
    PRESERVED = auto()
    COLLATERAL = auto()
    INSTALLED = auto()
    NOT_INSTALLED = auto()
    ERASED = auto()
    NOT_ERASED = auto()
    FORGOTTEN = auto()


class EdgeStatus(WireEnum):
    """What an intervention did to a fact of its subgraph."""

    UNSPECIFIED = auto()
    ASSERTED = auto()
    RETRACTED = auto()
    ADDED = auto()


class Agreement(WireEnum):
    """Which world the questions about a changed fact follow."""

    UNSPECIFIED = auto()
    NEW = auto()
    OLD = auto()
    MIXED = auto()
    UNASKED = auto()


class Split(WireEnum):
    """Which phrasings of a relation a probe uses: those that are asked, or those that are trained with."""

    UNSPECIFIED = auto()
    EVAL = auto()
    TRAIN = auto()


class ProbeContext(WireEnum):
    """What a CONTEXTUAL probe has to do with the fact that it stands beside."""

    UNSPECIFIED = auto()
    SAME_SUBJECT = auto()
    SAME_RELATION = auto()
    OTHER_DOMAIN = auto()


class Balance(WireEnum):
    """What a sample is balanced by."""

    UNSPECIFIED = auto()
    KIND = auto()
    LEVEL = auto()
    RELATION = auto()
    SUBTREE = auto()
    CHAIN_LENGTH = auto()
    POSITION = auto()


class ProbeSetFormat(WireEnum):
    """A file format of probe sets."""

    UNSPECIFIED = auto()
    PARQUET = auto()
    JSONL = auto()
    LM_EVAL = auto()
    DATASET = auto()


class Guesser(WireEnum):
    """How an option is guessed by one who knows nothing."""

    UNSPECIFIED = auto()
    SHARED_WORDS = auto()
    SHARED_WORDS_PART = auto()
    SHARED_LETTERS = auto()
    SAME_BEGINNING = auto()
    SAME_ENDING = auto()
    LONGEST = auto()
    SHORTEST = auto()
    NEAREST_LENGTH = auto()
    NUMBERS = auto()
    CAPITALS = auto()
    POSITION = auto()
    TYPE = auto()
    OPTIONS_ONLY = auto()
    LEARNED = auto()
