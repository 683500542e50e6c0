"""Cases: the ready interventions of editing and unlearning benchmarks, stored beside the graph they change.

::

    (:Case {graph_id, id, goal, place, digest, …})-[:CHANGES {round, position, relation, fact_id, …}]->(:Entity)
    (:Case)-[:ASKS]->(:CaseProbe {position, kind, polarity, family, stem, options, answers, answers_before})

A case keeps the whole of its changes in a property too, so that a change whose subject the import had to reject is
still there; ``missing`` names such uids. The probes of cases are never mixed with generated ones, and nobody verifies
them: they say what the benchmark says.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from knowledgesmith.graph_schema.errors import CaseNotFound, ImportRejected, InvalidInput
from knowledgesmith.graph_schema.graphs.reading import require_graph
from knowledgesmith.graph_schema.storage.store import GraphStore, Row, Transaction
from knowledgesmith.graph_schema.types.cases import CaseChange, CaseProbe, CaseRecord, Place
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

BATCH_ROWS: Final = 5_000
"""Cases, changes and probes that one transaction writes (one case more where it does not end there)."""
ROW_CHARACTERS: Final = 1_000
"""Long texts count as further rows, so that a transaction is bounded in memory too."""
_REMOVED_AT_ONCE: Final = 5_000
T = TypeVar("T")
_Rounds = tuple[tuple[CaseChange, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase:
    """A case as it lies in the graph.

    ``names`` maps the uids of its changes to names; ``missing`` are those that the graph lacks. ``families`` counts its
    own probes by the source's word for them. ``probes`` is only filled by ``get_case``.
    """

    graph_id: str
    id: str
    goal: Goal
    rounds: _Rounds
    place: Place
    digest: str
    families: Mapping[str, int]
    names: Mapping[str, str]
    missing: tuple[str, ...]
    probes: tuple[CaseProbe, ...] = ()


def replace_cases(
    store: GraphStore, *, graph_id: str, cases: Iterable[CaseRecord], guard: Callable[[Transaction], None] | None = None
) -> int:
    """Make the cases of a graph exactly the given ones, in transactions of bounded size.

    A case that is stored with the same content is left alone; one that is not given any more is removed. When the call
    is cut off, a second call with the same cases completes it. Memory is bounded by one transaction.

    Args:
        store: the database, migrated.
        graph_id: a graph whose entities are already written.
        cases: in any order, each id once; read lazily.
        guard: called first in every transaction; an import, whose graph is not usable yet, keeps its lock with it.

    Returns:
        The number of cases the graph has now.

    Raises:
        GraphNotFound: there is no graph of this id.
        ImportRejected: two different cases have one id.
        GraphUnavailable: the database does not answer.
    """
    if guard is None:
        store.read_transaction(lambda tx: require_graph(tx, graph_id))
    stamp = uuid.uuid4().hex

    def guarded(work: Callable[[Transaction], T]) -> T:
        def inside(tx: Transaction) -> T:
            if guard is not None:
                guard(tx)
            return work(tx)

        return store.write_transaction(inside)

    for batch in _batches(cases):
        guarded(_writer(graph_id, batch, stamp))
    for query in ("interventions/cases/remove_probes", "interventions/cases/remove"):
        while guarded(_remover(query, graph_id, stamp)):
            pass
    return int(store.read("interventions/cases/count", graph_id=graph_id)[0]["cases"])


def list_cases(
    store: GraphStore, *, graph_id: str, after: str = "", limit: int, goal: Goal | None = None, family: str = ""
) -> list[StoredCase]:
    """At most ``limit`` cases whose id comes after ``after``, by id, without their probes.

    Args:
        store: the database.
        graph_id: the graph.
        after: id of the last case that is known already.
        limit: at least 1.
        goal: only this goal.
        family: only cases with a probe of this family.

    Raises:
        InvalidInput: ``limit`` is below 1.
        GraphNotFound: there is no graph of this id.
    """
    if limit < 1:
        raise InvalidInput("must be at least 1", field="limit", value=limit)

    def work(tx: Transaction) -> list[StoredCase]:
        require_graph(tx, graph_id)
        rows = tx.rows(
            "interventions/cases/list",
            graph_id=graph_id,
            after=after,
            goal=goal.value if goal else "",
            family=family,
            limit=limit,
        )
        found = [row["properties"] for row in rows]
        names = _names(tx, graph_id, (_rounds(properties) for properties in found))
        return [_stored(properties, names) for properties in found]

    return store.read_transaction(work)


def get_case(store: GraphStore, *, graph_id: str, case_id: str) -> StoredCase:
    """One case with its probes.

    Raises:
        GraphNotFound: there is no graph of this id.
        CaseNotFound: the graph has no case of this id.
    """

    def work(tx: Transaction) -> StoredCase:
        require_graph(tx, graph_id)
        rows = tx.rows("interventions/cases/get", graph_id=graph_id, id=case_id)
        if not rows:
            raise CaseNotFound(
                "the graph has no case of this id",
                field="case_id",
                value=case_id,
                hint="List the cases of the graph.",
                metadata={"graph_id": graph_id, "case_id": case_id[:200]},
            )
        properties = rows[0]["properties"]
        probes = tx.rows("interventions/cases/probes", graph_id=graph_id, id=case_id)
        names = _names(tx, graph_id, [_rounds(properties)])
        return _stored(properties, names, tuple(_probe(row["properties"]) for row in probes))

    return store.read_transaction(work)


def case_digest(case: CaseRecord) -> str:
    """SHA-256, in hexadecimal, over everything that is stored of a case."""
    content = [
        case.id,
        case.goal,
        [case.place.file, case.place.record],
        [[_change_list(change) for change in changes] for changes in case.rounds],
        [_probe_properties(position, probe) for position, probe in enumerate(case.probes)],
    ]
    raw = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(raw.encode()).hexdigest()


def _batches(cases: Iterable[CaseRecord]) -> Iterator[list[CaseRecord]]:
    batch: list[CaseRecord] = []
    rows = 0
    for case in cases:
        batch.append(case)
        rows += 1 + len(case.probes) + sum(map(len, case.rounds)) + case.characters // ROW_CHARACTERS
        if rows >= BATCH_ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _remover(query: str, graph_id: str, stamp: str) -> Callable[[Transaction], int]:
    return lambda tx: int(tx.rows(query, graph_id=graph_id, stamp=stamp, limit=_REMOVED_AT_ONCE)[0]["removed"])


def _writer(graph_id: str, batch: Sequence[CaseRecord], stamp: str) -> Callable[[Transaction], None]:
    digests = _distinct(batch)
    ordered = sorted({case.id: case for case in batch}.values(), key=lambda case: case.id)

    def write(tx: Transaction) -> None:
        known = {row["id"]: row for row in tx.rows("interventions/cases/known", graph_id=graph_id, ids=sorted(digests))}
        for name, row in known.items():
            # The same digest under the same mark is this very batch, written before its answer was lost.
            if row["stamp"] == stamp and row["digest"] != digests[name]:
                raise _doubled(name)
        same = [n for n, row in known.items() if row["digest"] == digests[n] and not row["incomplete"]]
        changed = [case for case in ordered if case.id not in set(same)]
        tx.rows("interventions/cases/mark", graph_id=graph_id, ids=sorted(same), stamp=stamp)
        tx.rows("interventions/cases/clear", graph_id=graph_id, ids=[case.id for case in changed if case.id in known])
        _write(tx, graph_id, changed, digests, stamp)

    return write


def _distinct(batch: Sequence[CaseRecord]) -> dict[str, str]:
    digests: dict[str, str] = {}
    for case in batch:
        digest = case_digest(case)
        if digests.setdefault(case.id, digest) != digest:
            raise _doubled(case.id)
    return digests


def _doubled(case_id: str) -> ImportRejected:
    return ImportRejected(
        "two different cases have one id", field="case", value=case_id, hint="Give each case an id of its own."
    )


def _write(tx: Transaction, graph_id: str, cases: Sequence[CaseRecord], digests: Mapping[str, str], stamp: str) -> None:
    if not cases:
        return
    present = _names(tx, graph_id, (case.rounds for case in cases))
    rows: list[Row] = []
    changes: list[list[Any]] = []
    probes: list[list[Any]] = []
    for case in cases:
        missing = sorted(_uids([case.rounds]) - present.keys())
        properties = _case_properties(case) | {"digest": digests[case.id], "stamp": stamp, "missing": missing}
        rows.append({"id": case.id, "properties": properties})
        changes += _change_rows(graph_id, case)
        if case.probes:
            probes.append([case.id, [_probe_properties(position, probe) for position, probe in enumerate(case.probes)]])
    tx.rows("interventions/cases/write", graph_id=graph_id, rows=rows)
    tx.rows(
        "interventions/cases/write_changes", graph_id=graph_id, rows=sorted(changes, key=lambda row: (row[0], row[1]))
    )
    tx.rows("interventions/cases/write_probes", graph_id=graph_id, rows=probes)


def _case_properties(case: CaseRecord) -> Row:
    return {
        "goal": case.goal.value,
        "rounds": len(case.rounds),
        "file": case.place.file,
        "record": case.place.record,
        "changes": json.dumps([[_change_list(change) for change in changes] for changes in case.rounds]),
        "families": sorted({probe.family for probe in case.probes}),
        "family_counts": json.dumps(Counter(probe.family for probe in case.probes), sort_keys=True),
    }


def _change_rows(graph_id: str, case: CaseRecord) -> Iterator[list[Any]]:
    for number, changes in enumerate(case.rounds):
        for position, change in enumerate(changes):
            properties = {
                "round": number,
                "position": position,
                "relation": change.relation,
                "fact_id": fact_id(graph_id, change.subject, change.relation, change.old_object or change.new_object),
                "old_object": change.old_object,
                "new_object": change.new_object,
            }
            yield [case.id, change.subject, properties]


def _change_list(change: CaseChange) -> list[str]:
    return [change.subject, change.relation, change.old_object, change.new_object]


def _probe_properties(position: int, probe: CaseProbe) -> Row:
    return {
        "position": position,
        "kind": probe.kind.value,
        "polarity": probe.polarity.value,
        "family": probe.family,
        "stem": probe.stem,
        "options": list(probe.options),
        "answers": list(probe.answers),
        "answers_before": list(probe.answers_before),
    }


def _uids(cases: Iterable[Sequence[Sequence[CaseChange]]]) -> set[str]:
    changes = itertools.chain.from_iterable(itertools.chain.from_iterable(cases))
    return {uid for change in changes for uid in (change.subject, change.old_object, change.new_object) if uid}


def _names(tx: Transaction, graph_id: str, cases: Iterable[Sequence[Sequence[CaseChange]]]) -> dict[str, str]:
    rows = tx.rows("interventions/cases/present", graph_id=graph_id, uids=sorted(_uids(cases)))
    return {row["uid"]: row["name"] for row in rows}


def _rounds(properties: Row) -> _Rounds:
    return tuple(
        tuple(
            CaseChange(subject=subject, relation=relation, old_object=old, new_object=new)
            for subject, relation, old, new in changes
        )
        for changes in json.loads(properties["changes"])
    )


def _stored(properties: Row, names: Mapping[str, str], probes: tuple[CaseProbe, ...] = ()) -> StoredCase:
    rounds = _rounds(properties)
    return StoredCase(
        graph_id=properties["graph_id"],
        id=properties["id"],
        goal=Goal(properties["goal"]),
        rounds=rounds,
        place=Place(file=properties["file"], record=properties["record"]),
        digest=properties["digest"],
        families=json.loads(properties["family_counts"]),
        names={uid: names[uid] for uid in sorted(_uids([rounds])) if uid in names},
        missing=tuple(properties["missing"]),
        probes=probes,
    )


def _probe(properties: Row) -> CaseProbe:
    return CaseProbe(
        kind=ProbeKind(properties["kind"]),
        polarity=Polarity(properties["polarity"]),
        family=properties["family"],
        stem=properties["stem"],
        options=tuple(properties["options"]),
        answers=tuple(properties["answers"]),
        answers_before=tuple(properties["answers_before"]),
    )
