from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.scoring.beliefs import OptionScore
from knowledgesmith.editors.scoring.cache import ScoreCache, score_with_cache
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.editors.text.encoding import encode, plain_ids
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.language.joining import joined

REQUESTS = [
    ("The capital of France is", "Paris"),
    ("The capital of France is", "Rome"),
    ("The capital of France is", "Ouagadougou by the river"),
    ("The chemical symbol of copper is", "Cu"),
    ("x", "B"),
    ("The capital of France is", "Paris"),
    ("Ünïcode → stem", "東京"),
    ("A much longer stem about the city of Osaka in Japan, whose capital is", "Kyoto"),
]


def naive(loaded: LoadedModel, stem: str, option: str) -> OptionScore:
    """One pass over the full text, nothing shared."""
    context = encode(loaded.tokenizer, stem)
    full = encode(loaded.tokenizer, joined(stem, option))
    assert full[: len(context)] == context
    with torch.no_grad():
        logprobs = loaded.model(torch.tensor([full], device=loaded.device)).logits[0].float().log_softmax(dim=-1)
    total = sum(float(logprobs[i - 1, full[i]]) for i in range(len(context), len(full)))
    return OptionScore(total, len(full) - len(context))


def assert_same(found: Sequence[OptionScore], expected: Sequence[OptionScore], tolerance: float = 1e-4) -> None:
    assert [score.n_tokens for score in found] == [score.n_tokens for score in expected]
    for one, other in zip(found, expected, strict=True):
        assert math.isclose(one.sum_logprob, other.sum_logprob, abs_tol=tolerance)


@pytest.mark.parametrize("batch_rows", [1, 2, 32])
def test_equals_the_pass_over_the_full_text(loaded: LoadedModel, batch_rows: int) -> None:
    found = Scorer(loaded, batch_rows=batch_rows).score(REQUESTS)
    assert_same(found, [naive(loaded, *request) for request in REQUESTS])
    assert found[0] == found[5]


@pytest.mark.parametrize(
    ("stem", "option", "text"),
    [
        ("日本的首都是", "东京", "日本的首都是东京"),
        ("日本——首都：", "东京", "日本——首都：东京"),
        ("เมืองหลวงคือ", "กรุงเทพ", "เมืองหลวงคือกรุงเทพ"),
        ("The capital is", "東京", "The capital is 東京"),
    ],
)
def test_what_is_scored_is_the_text_that_people_write(loaded: LoadedModel, stem: str, option: str, text: str) -> None:
    (found,) = Scorer(loaded).score([(stem, option)])
    ids = encode(loaded.tokenizer, text)
    begin = len(ids) - found.n_tokens
    assert list(found.tokens) == ids[begin:]
    with torch.no_grad():
        logprobs = loaded.model(torch.tensor([ids], device=loaded.device)).logits[0].float().log_softmax(dim=-1)
    wanted = sum(float(logprobs[place - 1, ids[place]]) for place in range(begin, len(ids)))
    assert math.isclose(found.sum_logprob, wanted, abs_tol=1e-4)


WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stem=WORDS, options=st.lists(WORDS.filter(lambda text: bool(text.strip())), min_size=1, max_size=5))
def test_any_text_scores_as_its_tokens_do(llama: LoadedModel, stem: str, options: list[str]) -> None:
    pairs = [(stem, option) for option in options]
    for (_, option), score in zip(pairs, Scorer(llama).score(pairs), strict=True):
        full = plain_ids(llama.tokenizer, [joined(stem, option)])[0]
        logprobs = llama.model(torch.tensor([full])).logits[0].log_softmax(dim=-1)
        start = len(full) - score.n_tokens
        expected = sum(float(logprobs[i - 1, full[i]]) for i in range(start, len(full)))
        assert math.isclose(score.sum_logprob, expected, abs_tol=1e-4)


def test_the_order_of_requests_does_not_matter(loaded: LoadedModel) -> None:
    scorer = Scorer(loaded, batch_rows=2)
    assert scorer.score(REQUESTS[::-1]) == scorer.score(REQUESTS)[::-1]


def test_first_tokens_are_probabilities(llama: LoadedModel) -> None:
    with torch.no_grad():
        logits = llama.model(torch.tensor([encode(llama.tokenizer, "The")])).logits[0, -1]
    [[token]] = plain_ids(llama.tokenizer, [" Paris"])
    [score] = Scorer(llama).score([("The", "Paris")])
    assert score.n_tokens == 1
    assert math.isclose(score.sum_logprob, float(logits.log_softmax(-1)[token]), abs_tol=1e-5)


def test_each_distinct_stem_runs_once(llama: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes: list[tuple[int, ...]] = []
    forward = llama.model.forward

    def counting(*args: Any, **kwargs: Any) -> Any:
        shapes.append(tuple(kwargs["input_ids"].shape))
        return forward(*args, **kwargs)

    monkeypatch.setattr(llama.model, "forward", counting)
    Scorer(llama).score([("The capital of Peru is", option) for option in ("Lima", "Quito", "La Paz", "Bogota")])
    stem = len(plain_ids(llama.tokenizer, ["The capital of Peru is"])[0])
    assert shapes[0] == (1, stem)
    assert sum(rows for rows, _ in shapes[1:]) == 4


def test_options_of_one_length_run_in_one_pass(llama: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[tuple[int, ...]] = []
    forward = llama.model.forward

    def counting(*args: Any, **kwargs: Any) -> Any:
        passes.append(tuple(kwargs["input_ids"].shape))
        return forward(*args, **kwargs)

    monkeypatch.setattr(llama.model, "forward", counting)
    Scorer(llama).score([(stem, option) for stem in ("The city is", "A city of") for option in ("x", "y", "z")])
    assert [rows for rows, _ in passes] == [2, 6]


def test_a_token_across_the_border_is_scored_with_the_option(llama: LoadedModel) -> None:
    """Where stem and option merge into one token, the shared beginning is the context."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"a": 0, " ": 1, "b": 2, "a ": 3, "a b": 4, "<eos>": 5}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("a", " "), ("a ", "b")]))
    merged = cast("Any", PreTrainedTokenizerFast)(tokenizer_object=tokenizer, eos_token="<eos>")
    other = LoadedModel(model=llama.model, tokenizer=merged, architecture=llama.architecture, digest=llama.digest)
    [score, short] = Scorer(other).score([("ba", "b"), ("a", "b")])
    logprobs = llama.model(torch.tensor([[2, 4]])).logits[0].log_softmax(dim=-1)
    assert score.n_tokens == 1
    assert math.isclose(score.sum_logprob, float(logprobs[0, 4]), abs_tol=1e-5)
    after_eos = llama.model(torch.tensor([[5]])).logits[0].log_softmax(dim=-1)
    assert math.isclose(short.sum_logprob, float(after_eos[0, 4]), abs_tol=1e-5)


def test_an_empty_stem_conditions_on_the_start_token(llama: LoadedModel) -> None:
    [score] = Scorer(llama).score([("", "Paris")])
    ids = [llama.tokenizer.eos_token_id, *plain_ids(llama.tokenizer, [" Paris"])[0]]
    logprobs = llama.model(torch.tensor([ids])).logits[0].log_softmax(dim=-1)
    expected = sum(float(logprobs[i, ids[i + 1]]) for i in range(len(ids) - 1))
    assert math.isclose(score.sum_logprob, expected, abs_tol=1e-4)


def test_an_empty_option_is_refused(llama: LoadedModel) -> None:
    for option in ("", "  "):
        with pytest.raises(InvalidInput, match="option"):
            Scorer(llama).score([("The capital is", option)])
    with pytest.raises(InvalidInput):
        Scorer(llama, batch_rows=0)


def test_no_request_is_no_work(llama: LoadedModel) -> None:
    assert Scorer(llama).score([]) == []


def test_many_options_of_one_stem(llama: LoadedModel) -> None:
    requests = [("The city is", f"Name{number}") for number in range(40)]
    assert_same(Scorer(llama, batch_rows=2).score(requests), [naive(llama, *request) for request in requests])


def test_known_scores_do_not_run_again(llama: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = Scorer(llama)
    with ScoreCache(":memory:") as cache:
        first = score_with_cache(scorer, cache, "r1", REQUESTS)
        asked: list[int] = []
        real = scorer.score

        def counting(pairs: Sequence[tuple[str, str]]) -> list[OptionScore]:
            asked.append(len(pairs))
            return real(pairs)

        monkeypatch.setattr(scorer, "score", counting)
        assert score_with_cache(scorer, cache, "r1", REQUESTS) == first
        assert asked == []
        score_with_cache(scorer, cache, "r2", [*REQUESTS[:2], ("new", "stem")])
        assert asked == [3]


def changed_tokenizer(loaded: LoadedModel) -> None:
    """One merge less: the same vocabulary, other tokens for some texts."""
    backend: Any = loaded.tokenizer.backend_tokenizer
    state = json.loads(backend.to_str())
    state["model"]["merges"].pop()
    object.__setattr__(
        loaded,
        "tokenizer",
        cast("Any", PreTrainedTokenizerFast)(
            tokenizer_object=Tokenizer.from_str(json.dumps(state)), eos_token="<eos>", pad_token="<eos>"
        ),
    )


def changed_start(loaded: LoadedModel) -> None:
    """A BOS in front of every text."""
    backend: Any = loaded.tokenizer.backend_tokenizer
    backend.post_processor = TemplateProcessing(single="<eos> $A", special_tokens=[("<eos>", 0)])


def changed_position_base(loaded: LoadedModel) -> None:
    loaded.model.config.rope_parameters = {"rope_type": "default", "rope_theta": 5e5}


def changed_norm(loaded: LoadedModel) -> None:
    loaded.model.config.rms_norm_eps = 1e-2


@pytest.mark.parametrize("change", [changed_tokenizer, changed_start, changed_position_base, changed_norm])
def test_the_key_changes_with_all_that_decides_a_score(change: Callable[[LoadedModel], None]) -> None:
    """Equal weights under another tokenizer or configuration never read each other's scores."""
    plain, other = tiny_llama(), tiny_llama()
    assert Scorer(plain).key == Scorer(other).key
    change(other)
    assert other.digest == plain.digest
    assert Scorer(plain).key != Scorer(other).key
    with ScoreCache(":memory:") as cache:
        [kept] = score_with_cache(Scorer(plain), cache, "r", [("The", "Paris")])
        cache.put("r", Scorer(plain).key, {("The", "Paris"): kept})
        assert cache.get("r", Scorer(other).key, [("The", "Paris")]) == {}
        assert cache.get("r", Scorer(plain).key, [("The", "Paris")]) == {("The", "Paris"): kept}


def test_the_key_names_the_dtype() -> None:
    assert Scorer(tiny_llama()).key != Scorer(tiny_llama(dtype=torch.bfloat16)).key


@pytest.mark.model
def test_the_default_model_scores_like_the_full_text(default_model: LoadedModel) -> None:
    requests = [
        (f"The capital of {country} is", option)
        for country in ("France", "Japan", "Burkina Faso")
        for option in ("Paris", "Tokyo", "Ouagadougou", "New Delhi")
    ]
    found = Scorer(default_model).score(requests)
    assert_same(found, [naive(default_model, *request) for request in requests])
    assert max(range(4), key=lambda i: found[i].sum_logprob) == 0
    assert max(range(4), key=lambda i: found[4 + i].sum_logprob) == 1


def test_a_bos_is_added_once_and_kept_in_the_context(llama: LoadedModel) -> None:
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    backend: Any = llama.tokenizer.backend_tokenizer
    backend.post_processor = TemplateProcessing(single="<eos> $A", special_tokens=[("<eos>", 0)])
    tokenizer = cast("Any", PreTrainedTokenizerFast)(tokenizer_object=backend, bos_token="<eos>", eos_token="<eos>")
    loaded = LoadedModel(model=llama.model, tokenizer=tokenizer, architecture=llama.architecture, digest=llama.digest)
    assert encode(tokenizer, "ab")[0] == 0
    assert encode(tokenizer, "ab").count(0) == 1
    assert_same(Scorer(loaded).score(REQUESTS), [naive(loaded, *request) for request in REQUESTS])
