"""Health of a revision, measured before every commit: read before and after, compared, stored on the intervention."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledgesmith.editors.health.choices import Choice
from knowledgesmith.editors.health.judging import Evidence, judge
from knowledgesmith.editors.health.reading import STEMS, StateReading, read_state, say
from knowledgesmith.editors.health.realised import realised_of
from knowledgesmith.graph_schema.errors import InvalidInput, ModelNotFinite
from knowledgesmith.graph_schema.types.health import Health, HealthVerdict
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

if TYPE_CHECKING:
    from knowledgesmith.editors.artefacts.base import Artefact
    from knowledgesmith.editors.artefacts.session import ModelSession
    from knowledgesmith.editors.health.speech import Ids
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.graph_schema.types.plans import Plan

_KEPT = 16
_BATCH = 5_000
_ASKED = frozenset({ProbeKind.DIRECT, ProbeKind.CONTEXTUAL, ProbeKind.REVERSE, ProbeKind.MULTI_HOP})
"""Kinds whose stem a model can simply go on from; the others end in a question with its options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What was read before the change: the revision it starts from, its texts after probe stems, and the bare model."""

    stems: tuple[str, ...]
    reading: StateReading
    said: tuple[Ids, ...]
    base: StateReading | None


class HealthCheck:
    """Reads model states and judges changes; readings are kept by the digest of the state, so a base is read once."""

    def __init__(self, store: GraphStore) -> None:
        self._store = store
        self._readings: OrderedDict[str, StateReading] = OrderedDict()

    def start(self, resident: ModelSession, base: Sequence[Artefact], plan: Plan) -> Start:
        """Read the revision that a change starts from, shown by ``resident`` afterwards, and the bare model.

        Raises:
            ModelNotFinite: it gives values that are no finite numbers by itself.
        """
        bare: StateReading | None = None
        if base:
            resident.switch([])
            bare = self._known(resident)
        resident.switch(base)
        reading = self._known(resident)
        if reading.nonfinite:
            raise ModelNotFinite(
                "the model gives values that are no finite numbers, before any change",
                field="model",
                value=f"{reading.nonfinite:,} weights or scores",
                hint="Its numbers may be too large for this dtype: serve it in float32 or bfloat16.",
            )
        stems = stems_of(plan)
        return Start(stems=stems, reading=reading, said=say(resident.loaded, stems), base=bare)

    def read(self, resident: ModelSession) -> StateReading:
        """Read the state shown now, really: a placebo's second reading must not be its first."""
        reading = read_state(resident.loaded)
        self._keep(resident.state_digest(), reading)
        return reading

    def judge(
        self, resident: ModelSession, start: Start, after: StateReading, artefact: Artefact, intervention_id: str
    ) -> Health:
        """Health of the change, once its ledger is written (or cannot be)."""
        finite = not after.nonfinite
        return judge(
            Evidence(
                before=start.reading,
                after=after,
                stems_before=start.said if finite else (),
                stems_after=say(resident.loaded, start.stems) if finite else (),
                choices=choices_of(self._store, intervention_id) if finite else (),
                realised=realised_of(artefact.metadata),
                base=start.base,
            )
        )

    def _known(self, resident: ModelSession) -> StateReading:
        key = resident.state_digest()
        if key not in self._readings:
            self._keep(key, read_state(resident.loaded))
        return self._readings[key]

    def _keep(self, key: str, reading: StateReading) -> None:
        self._readings[key] = reading
        if len(self._readings) > _KEPT:
            self._readings.popitem(last=False)


def stems_of(plan: Plan) -> tuple[str, ...]:
    """Stems of probes that should stay, spread evenly over the plan (and so over distances from the targets)."""
    texts = dict.fromkeys(
        p.probe.text for p in plan.probes if p.polarity is Polarity.STAY and p.probe.kind in _ASKED and p.probe.text
    )
    every = list(texts)
    return tuple(every[:: max(1, len(every) // STEMS)][:STEMS])


def choices_of(store: GraphStore, intervention_id: str) -> tuple[Choice, ...]:
    """The planned probes that were measured on both sides, as the ledger's evidence tells; an earlier attempt's too."""
    found: list[Choice] = []
    after = -1
    while rows := store.read("planning/read", id=intervention_id, after=after, limit=_BATCH):
        for row in rows:
            probe, place = row["probe"], row["planned"]
            if min(place.get("pred_before", -1), place.get("pred_after", -1)) < 0:
                continue  # not measured, or a tie
            found.append(
                Choice(
                    options=tuple(probe["options"]),
                    before=int(place["pred_before"]),
                    after=int(place["pred_after"]),
                    stays=place["polarity"] == Polarity.STAY.value,
                    right=frozenset(place["before"]),
                    p_right=float(place.get("p_old_before") or 0.0),
                    fact=place["asked_fact_id"],
                )
            )
        after = rows[-1]["position"]
        if len(rows) < _BATCH:
            break
    return tuple(found)


def not_finite(health: Health) -> ModelNotFinite:
    """The error that ends an intervention that made values which are no numbers: there is nothing to decide about."""
    return ModelNotFinite(
        health.reason,
        field="revision",
        value="not committed",
        hint="The numbers became too large: lower the learning rate or the clamp, or serve the model in float32.",
    )


@contextmanager
def finite_scores() -> Generator[None]:
    """Turn scores that are no numbers into the error of a model that is not finite.

    Raises:
        ModelNotFinite: a probe's scores are not finite.
    """
    try:
        yield
    except InvalidInput as error:
        if error.field != "scores":
            raise
        raise ModelNotFinite(
            "scores of a probe are no finite numbers (NaN or infinite)",
            field="revision",
            value=error.value,
            hint="Its numbers may be too large for this dtype: serve the model in float32 or bfloat16.",
        ) from error


def broken(error: ModelNotFinite) -> Health:
    """Health of a revision that could not be measured to the end, for the reason of ``error``."""
    return Health(verdict=HealthVerdict.WRECKED, reasons=(str(error),), nonfinite=1)
