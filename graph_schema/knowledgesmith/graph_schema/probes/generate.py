"""Probes of a whole graph under its closure: seeded, verified, independent of the order of import."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from knowledgesmith.graph_schema.closure import BEFORE, close, rules_of
from knowledgesmith.graph_schema.probes.build import Builder, Built
from knowledgesmith.graph_schema.probes.draw import draw_distractors, draw_key, sample
from knowledgesmith.graph_schema.probes.lexicon import Lexicon, load_lexicon
from knowledgesmith.graph_schema.probes.questions import FALSE, Question, Scope, ask
from knowledgesmith.graph_schema.probes.sentences import answers_by_relation, irrelevant_sentences
from knowledgesmith.graph_schema.probes.types import Probe, ProbeKind
from knowledgesmith.graph_schema.probes.verify import verify
from knowledgesmith.graph_schema.store import GraphStore, Transaction

_ANCHORS_PER_PROBE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSetData:
    """Verified probes, sorted by kind, anchor, path and id; ``dropped`` counts what was left out by reason."""

    graph_id: str
    graph_digest: str
    seed: int
    probes: tuple[Probe, ...]
    dropped: Mapping[str, int]
    digest: str

    @property
    def counts(self) -> dict[str, int]:
        """Probes by kind."""
        return dict(sorted(Counter(probe.kind.value for probe in self.probes).items()))


def generate(
    store: GraphStore,
    *,
    graph_id: str,
    kinds: Sequence[ProbeKind] = tuple(ProbeKind),
    seed: int = 0,
    limit_per_kind: int | None = None,
    lexicon: Lexicon | None = None,
) -> ProbeSetData:
    """Generate and verify probes; the graph is left as it was.

    Args:
        store: the database.
        graph_id: the graph.
        kinds: which kinds.
        seed: of every draw.
        limit_per_kind: at most so many probes of each kind, drawn; ``None`` for all.
        lexicon: the graph's names, where the caller has read them already.

    Raises:
        GraphNotFound: there is no such graph.
        GraphUnavailable: the database does not answer.
    """
    names = lexicon or load_lexicon(store, graph_id=graph_id)
    kept, dropped = store.try_out(
        lambda tx: _all_kinds(tx, lexicon=names, kinds=kinds, seed=seed, limit=limit_per_kind)
    )
    probes = tuple(sorted(kept, key=lambda p: (p.kind.value, p.anchor, p.path, p.id)))
    data = ProbeSetData(
        graph_id=graph_id,
        graph_digest=names.graph_digest,
        seed=seed,
        probes=probes,
        dropped=dict(sorted(dropped.items())),
        digest="",
    )
    return replace(data, digest=digest_of(data))


def digest_of(data: ProbeSetData) -> str:
    """SHA-256 over graph, seed and probes; independent of how a file stores them."""
    digest = hashlib.sha256(json.dumps([data.graph_id, data.graph_digest, data.seed]).encode())
    for probe in data.probes:
        digest.update(json.dumps(asdict(probe), sort_keys=True, separators=(",", ":")).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _all_kinds(
    tx: Transaction, *, lexicon: Lexicon, kinds: Sequence[ProbeKind], seed: int, limit: int | None
) -> tuple[list[Probe], Counter[str]]:
    """Verified probes, and what was left out by reason."""
    dropped: Counter[str] = Counter()
    kept: list[Probe] = []
    close(tx, graph_id=lexicon.graph_id, rules=rules_of(lexicon.relations.values()), world=BEFORE)
    for kind in sorted(set(kinds)):
        built = _of_kind(tx, lexicon=lexicon, kind=kind, seed=seed, limit=limit, dropped=dropped)
        failed = verify(tx, lexicon=lexicon, probes=[(one.probe, one.question) for one in built])
        dropped.update(failed.values())
        kept += [one.probe for one in built if one.probe.id not in failed]
    return kept, dropped


def _of_kind(
    tx: Transaction, *, lexicon: Lexicon, kind: ProbeKind, seed: int, limit: int | None, dropped: Counter[str]
) -> list[Built]:
    """All probes of a kind, or a drawn part: first of a few anchors, of the whole graph where those do not suffice."""
    if limit is not None and len(lexicon.entities) > limit * _ANCHORS_PER_PROBE:
        uids = sorted(entity.uid for entity in lexicon.entities)
        few = sorted(sample(uids, limit * _ANCHORS_PER_PROBE, key=draw_key(seed, "anchors", kind.value)))
        counted: Counter[str] = Counter()
        built = _built(tx, few, lexicon=lexicon, kind=kind, seed=seed, limit=limit, dropped=counted)
        if len(built) == limit:
            dropped.update(counted)
            return built
    return _built(tx, None, lexicon=lexicon, kind=kind, seed=seed, limit=limit, dropped=dropped)


def _built(
    tx: Transaction,
    anchors: Sequence[str] | None,
    *,
    lexicon: Lexicon,
    kind: ProbeKind,
    seed: int,
    limit: int | None,
    dropped: Counter[str],
) -> list[Built]:
    scope = Scope(anchors=anchors, long_anchors=anchors)
    questions = ask(tx, lexicon=lexicon, scope=scope, kind=kind, worlds=(BEFORE,))
    builder = Builder(
        lexicon=lexicon,
        seed=seed,
        sentences=irrelevant_sentences(questions, lexicon=lexicon, seed=seed),
        same_relation=answers_by_relation(questions),
        dropped=dropped,
    )
    if kind is ProbeKind.CONFLICT:
        questions += _false_statements(questions, lexicon=lexicon, seed=seed)
    if limit is not None:
        questions.sort(key=lambda question: (draw_key(seed, "order", *question.parts), question.key))
    built: list[Built] = []
    for question in questions:
        if limit is not None and len(built) >= limit:
            break
        built += builder.build(question)
    return built if limit is None else built[:limit]


def _false_statements(true: Iterable[Question], *, lexicon: Lexicon, seed: int) -> list[Question]:
    """One false statement for each subject and relation."""
    objects: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for question in true:
        objects.setdefault((question.anchor, question.path), []).append(question.object)
    made: list[Question] = []
    for (anchor, path), right in sorted(objects.items()):
        drawn = draw_distractors(
            lexicon,
            pool=lexicon.pool(answer=right[0], relation=path[0], reverse=False),
            shown=(),
            excluded={*right, anchor},
            count=1,
            key=draw_key(seed, "false", anchor, *path),
        )
        made += [
            Question(kind=ProbeKind.CONFLICT, anchor=anchor, path=path, before=(FALSE,), after=(FALSE,), object=uid)
            for uid in drawn
        ]
    return made
