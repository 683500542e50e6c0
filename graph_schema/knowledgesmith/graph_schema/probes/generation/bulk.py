"""Probes of a whole graph, some anchors at a time: memory does not grow with the number of probes.

Cypher says which questions exist and what their answers are, and a second query judges every question with its
options, all in one transaction that holds the closure and is rolled back (:mod:`stages`). Anchors come
in sorted order and no draw depends on how many are asked about together, so the set is the same for every block size
and order of import. What would give answers away is left out before a kind is handed on (:mod:`balancing`), and
guessers that know nothing are tried on the rest (:mod:`guessers`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final

import pyarrow as pa

from knowledgesmith.graph_schema.doubts.walks import DoubtWalks
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.anchors import anchors_of
from knowledgesmith.graph_schema.probes.asking.blocks import Blocks
from knowledgesmith.graph_schema.probes.asking.chain_blocks import Chains
from knowledgesmith.graph_schema.probes.asking.questions import Question, Scope, ask
from knowledgesmith.graph_schema.probes.columns import SCHEMA, Table
from knowledgesmith.graph_schema.probes.drawing.doubted import DOUBTFUL, doubted
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key, sample
from knowledgesmith.graph_schema.probes.drawing.pools import Pools, answers_of_chains, answers_of_facts
from knowledgesmith.graph_schema.probes.drawing.sentences import irrelevant_sentences
from knowledgesmith.graph_schema.probes.generation.assemble import Assembler, Drawn
from knowledgesmith.graph_schema.probes.generation.gc_tuning import SELDOM_COLLECTED
from knowledgesmith.graph_schema.probes.generation.options import PREDICTABLE_ANSWER, OptionDrawer
from knowledgesmith.graph_schema.probes.generation.request import BulkProgress, BulkRequest, LeftOut, Made, Observer
from knowledgesmith.graph_schema.probes.generation.stages import Failed, Stages, ask_ahead, one_thread, run_stages
from knowledgesmith.graph_schema.probes.guessing.balancing import Draft, Settled
from knowledgesmith.graph_schema.probes.guessing.guessers import Tally
from knowledgesmith.graph_schema.probes.verification.verify import Claim, claim, judge
from knowledgesmith.graph_schema.probes.wording.answer_leak import Telling
from knowledgesmith.graph_schema.probes.wording.phrasing import Phraser
from knowledgesmith.graph_schema.reasoning.closure import BEFORE, asserted_in, close, rules_of
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.facts import Split
from knowledgesmith.graph_schema.types.probes import ProbeKind

BLOCK: Final = 2_000
"""Most anchors asked about at a time."""
_SENTENCE_ANCHORS: Final = 1_000
_ANCHORS_PER_PROBE: Final = 8

_NO_PROBES: Final[Table] = SCHEMA.append(pa.field("key", pa.uint64())).empty_table()

Sink = Callable[[Table], None]
"""Takes tables of probes in the set's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What all blocks of a run share."""

    tx: Transaction
    lexicon: Lexicon
    request: BulkRequest
    drawer: OptionDrawer
    blocks: Blocks
    telling: Telling
    walks: DoubtWalks | None
    dropped: Counter[str]
    refused: Counter[str]
    block: int
    tally: Tally
    left_out: dict[str, LeftOut]


def bulk(
    tx: Transaction,
    *,
    lexicon: Lexicon,
    request: BulkRequest,
    sink: Sink,
    observe: Observer | None = None,
    block: int = BLOCK,
) -> Made:
    """Make and verify the probes of a graph and hand them to ``sink``, sorted by kind, anchor, path and id.

    Args:
        tx: a transaction that will be rolled back; the closure is written into it.
        lexicon: the graph's names.
        request: what to make.
        sink: called in this thread.
        observe: called in this thread.
        block: anchors at a time.

    Returns:
        Questions without a probe by reason, what was left out by kind, and how well guessers do.

    Raises:
        EntityNotFound: the subtree's entity is unknown.
        RelationNotFound: one of the relations is unknown.
    """
    for name in request.relations:
        lexicon.relation(name)
    dropped: Counter[str] = Counter()
    rules = rules_of(lexicon.relations.values())
    close(tx, graph_id=request.graph_id, rules=rules, world=BEFORE)
    walks = None
    if lexicon.doubts.doubtful:
        walks = DoubtWalks.of(lexicon.doubts, asserted_in(tx, graph_id=request.graph_id, rules=rules))
    anchors = anchors_of(tx, lexicon=lexicon, levels=request.levels, subtree=request.subtree)
    blocks = Blocks(tx, lexicon=lexicon, keep=request.limit_per_kind is None)
    telling = Telling(lexicon, Phraser(lexicon, limit=request.phrasings, split=request.split))
    answers = answers_of_facts(blocks, lexicon, anchors, telling=telling, block=block)
    pools = Pools(lexicon, answers, telling)
    drawer = OptionDrawer(lexicon, seed=request.seed, pools=pools, dropped=dropped)
    run = _Run(
        tx=tx,
        lexicon=lexicon,
        request=request,
        drawer=drawer,
        blocks=blocks,
        telling=telling,
        walks=walks,
        dropped=dropped,
        refused=Counter(),
        block=block,
        tally=Tally(),
        left_out={},
    )
    watch = _Watch(observe)
    with SELDOM_COLLECTED:
        for kind in sorted(set(request.kinds), key=lambda kind: kind.value):
            _kind(run, kind, anchors, sink, watch)
    return Made(dropped=dropped, left_out=run.left_out, guesses=run.tally.guesses())


class _Watch:
    """Says how far a run is: the probes that are written and those that wait to be judged as a whole."""

    def __init__(self, observe: Observer | None) -> None:
        self._observe = observe
        self.written = 0

    def report(self, kind: ProbeKind, done: int, of: int, *, waiting: int = 0) -> None:
        if self._observe is not None:
            self._observe(BulkProgress(kind=kind, anchors_done=done, anchors=of, probes=self.written + waiting))


def _kind(run: _Run, kind: ProbeKind, anchors: Sequence[str], sink: Sink, watch: _Watch) -> None:
    """Draw all questions of a kind, or as many as a limit needs, and hand on what stays of them."""
    limit = run.request.limit_per_kind
    before = Counter(run.dropped)
    for part in _parts(run, kind, anchors):
        run.dropped.clear()
        run.dropped.update(before)
        with Draft(run.lexicon, kind, seed=run.request.seed) as draft:
            for table, done, _ in _tables(run, kind, part):
                draft.add(table)
                watch.report(kind, done, len(anchors), waiting=draft.rows)
            settled = draft.settle(limit=limit)
            if limit is not None and len(settled.rows) < limit and len(part) < len(anchors):
                continue
            _account(run, kind, settled, common=run.dropped[PREDICTABLE_ANSWER] - before[PREDICTABLE_ANSWER])
            for table in draft.tables(settled.rows):
                watch.written += table.num_rows
                sink(table.select(SCHEMA.names))
            watch.report(kind, len(anchors), len(anchors))
            return


def _parts(run: _Run, kind: ProbeKind, anchors: Sequence[str]) -> Iterator[Sequence[str]]:
    """The anchors to ask about, more each time; a part usually suffices for a limit, and the seed says which."""
    limit = run.request.limit_per_kind
    if limit is not None:
        for many in (_ANCHORS_PER_PROBE, _ANCHORS_PER_PROBE**2):
            if limit * many < len(anchors):
                key = draw_key(run.request.seed, "anchors", kind.value)
                yield sorted(sample(anchors, limit * many, key=key))
    yield anchors


def _account(run: _Run, kind: ProbeKind, settled: Settled, *, common: int) -> None:
    """Note what was left out of a kind, ``common`` answers among it, and let the guessers guess the rest."""
    run.dropped.update(settled.dropped)
    left_out = settled.dropped.total() + common
    run.left_out[kind.value] = LeftOut(askable=settled.placed + left_out, left_out=left_out)
    run.tally.add(settled.clues)


def _tables(run: _Run, kind: ProbeKind, anchors: Sequence[str]) -> Iterator[tuple[Table, int, int]]:
    """Tables of one kind in order of anchors, each with the anchors done so far and all."""
    prefixed = kind is ProbeKind.CONTEXTUAL and run.request.split is Split.EVAL
    sentences = _sentences(run) if prefixed else ()
    # counted apart, as ``refused`` is, since they belong to the writing thread
    unsaid: Counter[str] = Counter()
    assembler = Assembler(
        run.lexicon,
        phrasings=run.request.phrasings,
        sentences=sentences,
        dropped=unsaid,
        split=run.request.split,
    )
    drawer = run.drawer
    ask_about: Callable[[Sequence[str]], list[Question]] = partial(run.blocks.questions, kind)
    if kind is ProbeKind.MULTI_HOP:
        chains = Chains(run.lexicon)
        for _ in _read_chains(run, anchors, chains):
            yield _NO_PROBES, 0, len(anchors)
        answers = answers_of_chains(chains, run.lexicon, telling=run.telling)
        pools = Pools(run.lexicon, answers, run.telling)
        drawer = OptionDrawer(run.lexicon, seed=run.request.seed, pools=pools, dropped=run.dropped)
        ask_about = chains.questions
    stages = Stages(
        ask=lambda part: _wanted(run, ask_about(part)),
        draw=lambda found: drawer.draw(kind, _askable(run, found)),
        judge=lambda drawn: _judged(run, drawn),
        write=lambda drawn, judged: _write(run, kind, drawn, judged, assembler),
    )
    # what the facts' blocks are kept by must be the same for all kinds
    even = kind is not ProbeKind.MULTI_HOP
    for table, done in run_stages(stages, anchors, block=run.block, even=even):
        yield table, done, len(anchors)
    run.dropped.update(unsaid + run.refused)
    run.refused.clear()


def _read_chains(run: _Run, anchors: Sequence[str], chains: Chains) -> Iterator[int]:
    """Keep all chains, since how often an answer occurs must be known before the first options are drawn."""
    with one_thread("probe-queries") as database:
        ask_about = partial(run.blocks.questions, ProbeKind.MULTI_HOP)
        for found, done in ask_ahead(ask_about, anchors, database, block=run.block, even=False):
            chains.add(found)
            yield done


def _wanted(run: _Run, found: list[Question]) -> list[Question]:
    wanted = frozenset(run.request.relations)
    return [question for question in found if question.relation in wanted] if wanted else found


def _askable(run: _Run, found: list[Question]) -> list[Question]:
    """The questions with what is doubtful about them."""
    kept = doubted(run.walks, found)
    if len(kept) < len(found):
        run.dropped[DOUBTFUL] += len(found) - len(kept)
    return kept


def _claims(run: _Run, drawn: Drawn) -> dict[str, list[Claim]]:
    """What the drawn questions claim, by the query that judges it; their keys are places in the piece."""
    groups: dict[str, list[Claim]] = {}
    for number, (question, options, answer) in enumerate(
        zip(drawn.questions, drawn.options, drawn.answers, strict=True)
    ):
        wrong = options[:answer] + options[answer + 1 :]
        name, row = claim(number, question, right=(options[answer],), wrong=wrong, lexicon=run.lexicon)
        groups.setdefault(name, []).append(row)
    return groups


def _judged(run: _Run, drawn: Drawn) -> Failed:
    """The places of questions that the independent query refuses, with the reason."""
    failed: Failed = {}
    for name, rows in sorted(_claims(run, drawn).items()):
        failed.update(judge(run.tx, name, rows, lexicon=run.lexicon))
    return failed


def _write(run: _Run, kind: ProbeKind, drawn: Drawn, judged: Future[Failed], assembler: Assembler) -> Table:
    failed = judged.result()
    if failed:
        run.refused.update(failed.values())
        drawn = drawn.only([number for number in range(len(drawn.questions)) if number not in failed])
    return assembler.table(kind, drawn)


def _sentences(run: _Run) -> list[tuple[str, str]]:
    """True sentences about drawn entities of the whole graph."""
    few = _drawn_anchors(run.lexicon, _SENTENCE_ANCHORS, seed=run.request.seed, purpose="sentence anchors")
    questions = ask(run.tx, lexicon=run.lexicon, scope=Scope(anchors=few), kind=ProbeKind.CONTEXTUAL, worlds=(BEFORE,))
    return irrelevant_sentences(questions, lexicon=run.lexicon, seed=run.request.seed)


def _drawn_anchors(lexicon: Lexicon, count: int, *, seed: int, purpose: str) -> list[str]:
    uids = sorted(entity.uid for entity in lexicon.entities)
    return sorted(sample(uids, count, key=draw_key(seed, purpose)))
