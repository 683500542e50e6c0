"""One session carries weights, memories and contexts: every reader sees the same, and nothing stays behind."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from tests.editors.artefacts.tiny_methods import Nudge, Remember, Tell

from knowledgesmith.editors.artefacts.base import Artefact
from knowledgesmith.editors.artefacts.context import Context, Line
from knowledgesmith.editors.artefacts.memory import Acts
from knowledgesmith.editors.artefacts.session import ModelSession, attached
from knowledgesmith.editors.contract import Family, MethodConfig
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel, Shown
from knowledgesmith.editors.scoring.cache import ScoreCache, score_with_cache
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.scoring.generation import generate, stop_ids
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.graph_schema.cancellation import Caller, working_for
from knowledgesmith.graph_schema.errors import Cancelled, FailedPrecondition, InvalidInput
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

REQUEST = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
ASKED = [update.prompts[0].text for update in REQUEST.updates]
_QUIET = "It was a quiet morning and nobody had yet opened the shutters. "
OTHERS = ["Osaka is a city of", "Cu", f"{_QUIET}The city is", ""]
OPTIONS = ["C", "the city of Osaka", "東京"]
PAIRS = [(stem, option) for stem in (*ASKED, *OTHERS) for option in OPTIONS]
TOLERANCE = 2e-5

_CONFIG = MethodConfig()
METHODS: dict[str, Callable[[], Nudge | Remember | Tell]] = {
    "weights": lambda: Nudge(_CONFIG),
    "memory at the end": lambda: Remember(_CONFIG),
    "memory from the end": lambda: Remember(_CONFIG, acts=Acts.FROM_PROMPT_END, layer=2, wide=3.0),
    "context": lambda: Tell(_CONFIG),
}
CHAINS = {**{name: (name,) for name in METHODS}, "all": tuple(METHODS), "backwards": tuple(METHODS)[::-1]}


EVERYWHERE = ("all", "memory from the end")
SHOWN = [(s, c) for c in CHAINS for s in (sorted(STRUCTURES) if c in EVERYWHERE else ("gpt2", "llama"))]
"""Structures and chains: together and token by token on every structure, one by one where that is enough."""


def chain_of(loaded: LoadedModel, name: str) -> list[Artefact]:
    statistics = TextStatistics(loaded, REQUEST.statistics_text, None)
    return [METHODS[one]().apply(loaded, REQUEST, statistics, Recorder()) for one in CHAINS[name]]


def full_pass(loaded: LoadedModel, stem: str, option: str) -> float:
    """Log-likelihood of the option by one pass over one whole text, with hooks and nothing else."""
    text = f"{loaded.before(stem)}{stem}"
    context, full = encode(loaded.tokenizer, text), encode(loaded.tokenizer, f"{text} {option}")
    begin = len(context)
    if full[:begin] != context:  # an empty text stands on the start token
        full = context + full
    with torch.no_grad(), forward_context.prompting([len(full)], ends=[begin - 1]):
        shares = loaded.model(torch.tensor([full])).logits[0].double().log_softmax(dim=-1)
    return math.fsum(float(shares[place - 1, full[place]]) for place in range(begin, len(full)))


def full_passes(loaded: LoadedModel, prompt: str, steps: int) -> str:
    """Greedy continuation by a pass over the whole text for every token."""
    ids = encode(loaded.tokenizer, f"{loaded.before(prompt)}{prompt}")
    start = len(ids)
    for _ in range(steps):
        with torch.no_grad(), forward_context.prompting([len(ids)], ends=[start - 1]):
            token = int(loaded.model(torch.tensor([ids])).logits[0, -1].argmax())
        if token in stop_ids(loaded):
            break
        ids.append(token)
        if "\n" in str(loaded.tokenizer.decode([token])):
            break
    return str(loaded.tokenizer.decode(ids[start:], skip_special_tokens=True)).partition("\n")[0]


def scores(scorer: Scorer, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
    return {pair: score.sum_logprob for pair, score in zip(pairs, scorer.score(pairs), strict=True)}


def hooks(loaded: LoadedModel) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in loaded.model.modules())


def logits(loaded: LoadedModel, text: str) -> torch.Tensor:
    ids = encode(loaded.tokenizer, f"{loaded.before(text)}{text}")
    with torch.no_grad(), forward_context.prompting([len(ids)]):
        found: torch.Tensor = loaded.model(torch.tensor([ids])).logits
    return found


def test_kinds_are_the_families_of_methods() -> None:
    loaded = tiny("llama")
    kinds = {name: artefact.kind for name, artefact in zip(METHODS, chain_of(loaded, "all"), strict=True)}
    assert kinds == {name: make().family.value for name, make in METHODS.items()}
    assert set(kinds.values()) == {family.value for family in Family}


@pytest.mark.parametrize(("structure", "chain"), SHOWN)
def test_scorer_generation_and_a_plain_pass_see_the_same(structure: str, chain: str) -> None:
    loaded = tiny(structure)
    before = {stem: logits(loaded, stem) for stem in ASKED}
    session = ModelSession(loaded)
    session.switch(chain_of(loaded, chain))
    moved = [stem for stem in ASKED if not torch.allclose(logits(loaded, stem)[0, -1], before[stem][0, -1], atol=1e-3)]
    assert moved == ASKED, "each method does something, or this test shows nothing"
    for pair, found in scores(Scorer(loaded), PAIRS).items():
        assert found == pytest.approx(full_pass(loaded, *pair), abs=TOLERANCE), pair
    prompts = [*ASKED, *OTHERS]
    assert generate(loaded, prompts, max_new_tokens=6) == [full_passes(loaded, prompt, 6) for prompt in prompts]


@pytest.mark.parametrize(("structure", "chain"), SHOWN)
def test_neither_neighbours_nor_order_nor_padding_matter(structure: str, chain: str) -> None:
    loaded = tiny(structure)
    with attached(loaded, *chain_of(loaded, chain)):
        together, backwards = scores(Scorer(loaded), PAIRS), scores(Scorer(loaded), PAIRS[::-1])
        small = scores(Scorer(loaded, batch_rows=2), PAIRS)
        for pair in PAIRS:
            [alone] = scores(Scorer(loaded), [pair]).values()
            for other in (together[pair], backwards[pair], small[pair]):
                assert other == pytest.approx(alone, abs=TOLERANCE), pair
        prompts = [*ASKED, *OTHERS]
        said = [generate(loaded, [prompt], max_new_tokens=6)[0] for prompt in prompts]
        assert generate(loaded, prompts, max_new_tokens=6) == said
        assert generate(loaded, prompts[::-1], max_new_tokens=6, batch_rows=3) == said[::-1]


@pytest.mark.parametrize("chain", CHAINS)
def test_detaching_leaves_every_bit_as_it_was(loaded: LoadedModel, chain: str) -> None:
    before, hanging = [logits(loaded, text) for text in (*ASKED, *OTHERS)], hooks(loaded)
    with attached(loaded, *chain_of(loaded, chain)) as session:
        assert not torch.equal(logits(loaded, ASKED[0])[0, -1], before[0][0, -1])
        assert len(session.attached) == len(CHAINS[chain])
    assert weights_sha256(loaded.model) == loaded.digest
    assert hooks(loaded) == hanging
    assert (loaded.shown.kinds, loaded.before(ASKED[0])) == ((), "")
    for text, found in zip((*ASKED, *OTHERS), before, strict=True):
        assert torch.equal(logits(loaded, text), found)


def test_prompts_that_no_memory_and_no_context_concerns_keep_every_bit(loaded: LoadedModel) -> None:
    before = [logits(loaded, text) for text in OTHERS]
    with attached(loaded, *chain_of(loaded, "memory at the end"), *chain_of(loaded, "context")):
        for text, found in zip(OTHERS, before, strict=True):
            assert torch.equal(logits(loaded, text), found)


class Leaving(Caller):
    """A caller that leaves when it is asked for the so manieth time."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def check(self) -> None:
        if not self.left:
            self.leave()
        self.left -= 1
        super().check()


@pytest.mark.parametrize("chain", ["all", "backwards"])
def test_a_cancellation_at_any_step_of_attaching_shows_the_base(loaded: LoadedModel, chain: str) -> None:
    artefacts = chain_of(loaded, chain)
    before, hanging = logits(loaded, ASKED[0]), hooks(loaded)
    session = ModelSession(loaded)
    cancelled = 0
    while True:
        session.switch(artefacts[:1])
        caller = Leaving(cancelled)
        try:
            with working_for(caller):
                session.switch(artefacts)
        except Cancelled:
            cancelled += 1
        else:
            break
        assert (session.attached, loaded.shown.kinds, hooks(loaded)) == ((), (), hanging)
        assert session.measured_sha256() == loaded.digest == session.weights_sha256()
        assert torch.equal(logits(loaded, ASKED[0]), before)
    assert cancelled >= len(METHODS), "once before each step at least"
    assert session.attached == tuple(artefact.sha256 for artefact in artefacts)
    session.switch([])
    assert torch.equal(logits(loaded, ASKED[0]), before)


def test_an_artefact_that_fits_no_more_than_the_first_leaves_the_revision(llama: LoadedModel) -> None:
    weights, memory = chain_of(llama, "all")[:2]
    [foreign] = chain_of(tiny("gpt2"), "memory at the end")
    session = ModelSession(llama)
    session.switch([memory])
    with pytest.raises(FailedPrecondition, match="another model"):
        session.switch([weights, foreign])

    class Picture:
        """An artefact of a kind that nobody knows."""

        kind, sha256 = "picture", "0" * 64

    with pytest.raises(InvalidInput, match="neither weights"):
        session.switch([weights, Picture()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    assert session.attached == (memory.sha256,)
    assert session.measured_sha256() == llama.digest
    assert llama.shown.kinds == ("memory",)


def test_a_state_is_more_than_its_weights(llama: LoadedModel) -> None:
    session = ModelSession(llama)
    artefacts = chain_of(llama, "all")
    states = {session.state_digest()}
    for chosen in ([], *([one] for one in artefacts), artefacts, artefacts[::-1], artefacts[1:]):
        session.switch(chosen)
        states.add(session.state_digest())
        changed = any(one.kind == "weights" for one in chosen)
        assert (session.weights_sha256() != llama.digest) == changed
        assert session.weights_sha256() == session.measured_sha256()
    assert len(states) == 1 + len(artefacts) + 3
    session.switch([])
    assert session.state_digest() in states
    assert ModelSession(tiny("llama")).state_digest() == session.state_digest()


@pytest.mark.parametrize("chain", CHAINS)
def test_no_state_reads_the_scores_of_another(llama: LoadedModel, chain: str) -> None:
    session, scorer = ModelSession(llama), Scorer(llama)
    artefacts = chain_of(llama, chain)
    with ScoreCache(":memory:") as cache:
        before = score_with_cache(scorer, cache, session.state_digest(), PAIRS)
        session.switch(artefacts)
        after = score_with_cache(scorer, cache, session.state_digest(), PAIRS)
        assert after == scorer.score(PAIRS) != before
        session.switch([])
        assert score_with_cache(scorer, cache, session.state_digest(), PAIRS) == before
        assert len(cache) == 2 * len(PAIRS)


def test_a_context_is_the_text_itself_and_nothing_that_trains_sees_it(llama: LoadedModel) -> None:
    always = Context(instruction="Believe this.", lines=(Line(text="The capital of France is Rome."),), lead="Q: ")
    told = "Believe this.\nThe capital of France is Rome.\nQ: "
    stems, moment = [*ASKED, *OTHERS], TextStatistics(llama, REQUEST.statistics_text, None).second_moment(1)
    by_hand = Scorer(llama).score([(f"{told}{stem}", option) for stem in stems for option in OPTIONS])
    said = generate(llama, [f"{told}{stem}" for stem in stems], max_new_tokens=6)
    with attached(llama, always):
        assert Scorer(llama).score([(stem, option) for stem in stems for option in OPTIONS]) == by_hand
        assert generate(llama, stems, max_new_tokens=6) == said
        assert torch.equal(TextStatistics(llama, REQUEST.statistics_text, None).second_moment(1), moment)
    assert Shown().before("anything") == ""
