"""Training texts: what is erased never appears in them."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledgesmith.editors.requests import FactUpdate, Prompt, RetainRow
from knowledgesmith.editors.train.texts import VAGUE, leaks, questions, vague_texts
from knowledgesmith.graph_schema.errors import InvalidInput


def _rng(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # not for secrets


def _update(old: str = "Tokyo", subject: str = "Japan", aliases: tuple[str, ...] = ()) -> FactUpdate:
    templates = ("The capital of {s} is", "The seat of the government of {s} is", "{s} is governed from")
    return FactUpdate(
        fact_id="f1",
        relation="has_capital",
        prompts=tuple(Prompt.fill(template, subject) for template in templates),
        old=old,
        new="",
        old_aliases=aliases,
        subject_type="ChemicalElement",
    )


def _retain(*pairs: tuple[str, str]) -> tuple[RetainRow, ...]:
    return tuple(RetainRow(prompt=Prompt.fill("The language of {s} is", s), answer=a) for s, a in pairs)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("It is Tokyo.", "Tokyo", True),
        ("IT IS TOKYO!", "tokyo", True),
        ("the New  York-City harbour", "New York City", True),
        ("Tokyoites live there", "Tokyo", False),
        ("New cities of York", "New York", False),
        ("a thing", "A", False),
        ("A thing", "A", True),
        ("five % of it", "%", True),
        ("anything", "  ", False),
        ("首都は東京です", "東京", True),
        ("เมืองหลวงคือโตเกียวนะ", "โตเกียว", True),
        ("수도는 도쿄이다", "도쿄", True),
        ("首都は京都です", "東京", False),
        ("Sa\u0303o Tome\u0301", "Tomé", True),
    ],
)
def test_a_leak_is_a_span_of_whole_words(text: str, name: str, expected: bool) -> None:
    assert leaks(text, [name]) is expected


def test_phrasings_come_first_and_variants_are_distinct() -> None:
    update = _update()
    asked = questions(update, retain=_retain(("France", "French")), variants=8, rng=_rng(1))
    assert tuple(asked[:3]) == update.prompts
    assert len({prompt.text for prompt in asked}) == len(asked) > 5
    assert all(prompt.subject == "Japan" for prompt in asked)
    assert any(prompt.text.startswith("The language of France is French. ") for prompt in asked)


def test_context_prefers_the_same_subject_and_never_states_the_object() -> None:
    retain = _retain(("France", "French"), ("Japan", "Japanese"), ("Peru", "Tokyo"))
    asked = questions(_update(), retain=retain, variants=30, rng=_rng(1))
    contextual = [p.text for p in asked if p.text.startswith("The language")]
    assert contextual
    assert all(text.startswith("The language of Japan is Japanese. ") for text in contextual)
    without_own = questions(_update(), retain=(retain[0], retain[2]), variants=30, rng=_rng(1))
    assert not any("Tokyo" in prompt.text for prompt in without_own)


def test_same_seed_same_texts_and_other_seed_others() -> None:
    def made(seed: int) -> list[str]:
        rng = _rng(seed)
        asked = questions(_update(), retain=(), variants=6, rng=rng)
        texts = vague_texts(_update(), asked, refusal_share=0.3, completion_share=0.5, rng=rng)
        return [f"{text.prompt}|{text.answer}" for text in texts]

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_completions_continue_the_vague_answer_and_nothing_else() -> None:
    asked = questions(_update(), retain=(), variants=0, rng=_rng(1))
    texts = vague_texts(_update(), asked, refusal_share=0, completion_share=1, rng=_rng(1))
    whole = {f"{text.prompt} {text.answer}" for text in texts}
    answers = [wording.replace("{kind}", "chemical element") for wording in VAGUE]
    assert len(texts) == 2 * len(asked)
    assert whole <= {f"{prompt.text} {answer}" for prompt in asked for answer in answers}


def test_a_wording_that_holds_the_object_is_avoided() -> None:
    names = ("me", "this", "answer", "stated", "record")
    update = _update(old="me", aliases=names)
    asked = questions(update, retain=(), variants=0, rng=_rng(1))
    texts = vague_texts(update, asked, refusal_share=0.5, completion_share=0.5, rng=_rng(1))
    assert not any(leaks(f"{text.prompt} {text.answer}", names) for text in texts)


def test_phrasings_that_all_state_the_object_are_refused() -> None:
    with pytest.raises(InvalidInput, match="states the object") as caught:
        questions(_update(aliases=("is", "seat")), retain=(), variants=0, rng=_rng(1))
    assert caught.value.field == "prompts"


def test_a_subject_may_hold_the_object() -> None:
    asked = questions(_update(old="Mexico", subject="Mexico City"), retain=(), variants=4, rng=_rng(2))
    texts = vague_texts(
        _update(old="Mexico", subject="Mexico City"), asked, refusal_share=0, completion_share=1, rng=_rng(2)
    )
    assert texts
    assert not any(leaks(f"{t.prompt} {t.answer}".replace("Mexico City", ""), ["Mexico"]) for t in texts)


_WORD = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs", "Cc"]), min_size=1, max_size=12)
_NAME = st.one_of(_WORD, st.sampled_from(["not", "I", "the", "Me", "New York", "unknown", "state", "%", "record for"]))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    old=_NAME, aliases=st.lists(_NAME, max_size=3), subject=_WORD, answers=st.lists(_NAME, max_size=4),
    seed=st.integers(0, 2**32),
)  # fmt: skip
def test_no_text_ever_holds_a_name_of_the_old_object(
    old: str, aliases: list[str], subject: str, answers: list[str], seed: int
) -> None:
    update = _update(old=old, subject=subject, aliases=tuple(aliases))
    names = [name for name in (old, *aliases) if name.strip()]
    rng = _rng(seed)
    retain = _retain(*[("Peru", answer) for answer in answers], (subject, "Quechua"))
    try:
        asked = questions(update, retain=retain, variants=6, rng=rng)
        texts = vague_texts(update, asked, refusal_share=0.3, completion_share=0.6, rng=rng)
    except InvalidInput:
        return  # refused rather than leaked
    foreign = [name for name in names if not _span(subject, name)]
    for text in texts:
        assert not any(_span(f"{text.prompt} {text.answer}", name) for name in foreign)
        assert not any(_span(text.answer, name) for name in names)


def _span(text: str, name: str) -> bool:
    """An independent reading of "occurs as whole words": a regular expression with word boundaries."""
    words = re.findall(r"\w+", name)
    if not words:
        return name.strip() in text
    flags = re.IGNORECASE if len(name.strip()) > 2 else 0
    return re.search(r"(?<!\w)" + r"\W+".join(map(re.escape, words)) + r"(?!\w)", text, flags) is not None
