"""Measuring without a server: constant models, statements both ways, texts of targets, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from knowledgesmith.editors.artefacts.context import Context, Line
from knowledgesmith.editors.artefacts.session import ModelSession
from knowledgesmith.editors.measures.verdicts import Verdict
from knowledgesmith.editors.scoring.beliefs import NO_CHOICE, OptionScore
from knowledgesmith.editors.scoring.cache import ScoreCache
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.plan_slots import slots_of
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Polarity, Probe, ProbeKind, Role
from knowledgesmith.server.worker.attempt import greedy_texts, measurement
from knowledgesmith.server.worker.attempt.greedy_texts import Speaker
from knowledgesmith.server.worker.attempt.measurement import Meter, Reading, measured_row

CITIES = ("Paris", "Rome", "Tokyo", "Lima")


class Sink:
    """Counts nothing."""

    def inc(self, *_: object, **__: object) -> None:
        """Do nothing."""

    observe = set = inc


def probe(
    kind: ProbeKind,
    stem: str,
    *,
    options: Sequence[str] = CITIES,
    before: tuple[int, ...] = (0,),
    after: tuple[int, ...] = (1,),
    role: Role = Role.TARGET,
    counter: str = "",
    number: int = 0,
) -> PlannedProbe:
    """A planned probe about France."""
    uids = ("true", "false") if kind is ProbeKind.CONFLICT else tuple(option.lower() for option in options)
    asked = Probe(
        id=f"{kind}-{stem}-{number}",
        kind=kind,
        anchor="france",
        path=("has_capital",),
        chain_length=1,
        stem=stem,
        options=("True", "False") if kind is ProbeKind.CONFLICT else tuple(options),
        option_uids=uids,
        answers=before,
        template="t",
        fact_ids=("f",),
        counter_stem=counter,
    )
    return PlannedProbe(
        probe=asked,
        before=before,
        after=after,
        polarity=Polarity.STAY if role is Role.STAYS else Polarity.CHANGE,
        role=role,
        hops=0,
        nearest_target="france",
        asked_fact_id="f",
        relation="has_capital",
        row_seq=number + 1,
    )


def statement(text: str, **more: Any) -> PlannedProbe:
    """A CONFLICT probe with its denial."""
    asked = " True or false? Answer:"
    return probe(ProbeKind.CONFLICT, f"{text}{asked}", counter=f"It is not true that {text}{asked}", **more)


@pytest.fixture(scope="module")
def resident() -> ModelSession:
    return ModelSession(tiny_llama())


def metered(
    resident: ModelSession, score: Callable[[str, str], float] | None, *, speaker: Speaker | None = None
) -> Meter:
    """A meter whose scores are those of ``score(stem, option)``; the model's own where there is none."""
    sink: Any = Sink()
    meter = Meter(resident, None, "cloze-sum", sink, speaker)
    if score is not None:
        vars(meter)["_scorer"] = Scripted(score)
    return meter


@dataclass(frozen=True)
class Scripted:
    """A scorer that computes nothing."""

    of: Callable[[str, str], float]

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[OptionScore]:
        """One score a pair."""
        return [OptionScore(self.of(stem, option), 1) for stem, option in pairs]


def preferring(chosen: str, margin: float = 1.0) -> Callable[[str, str], float]:
    """A model that likes one option whatever it is asked."""

    def score(_: str, option: str) -> float:
        return -1.0 if option == chosen else -1.0 - margin

    return score


def saying(text: str) -> Callable[..., list[str]]:
    """A model that says the same to everything."""

    def say(_: object, prompts: Sequence[str], **__: object) -> list[str]:
        return [text] * len(prompts)

    return say


def test_a_kept_score_is_of_the_state_that_gave_it() -> None:
    """A context leaves every weight as it is; what was kept before it was attached is no score of it."""
    resident = ModelSession(tiny_llama())
    sink: Any = Sink()
    asked = [probe(ProbeKind.DIRECT, f"The capital of {name} is", number=place) for place, name in enumerate(CITIES)]
    told = Context(lines=(Line(text="Tokyo, Tokyo, Tokyo."),))
    with ScoreCache(":memory:") as cache:
        meter = Meter(resident, cache, "cloze-sum", sink)
        before = meter.read(asked, "measure_before")
        resident.switch([told])
        after = meter.read(asked, "measure_after")
        assert resident.weights_sha256() == resident.loaded.digest
        assert after == Meter(resident, None, "cloze-sum", sink).read(asked, "measure_after") != before
        resident.switch([])
        assert meter.read(asked, "measure_before") == before
        assert len(cache) == 2 * len(asked) * len(CITIES)


STATEMENTS = [
    statement("The capital of France is Paris.", before=(0,), after=(1,)),
    statement("The capital of France is Rome.", before=(1,), after=(0,), number=1),
    statement("The capital of Japan is Tokyo.", before=(0,), after=(0,), role=Role.STAYS, number=2),
    statement("The capital of Japan is Lima.", before=(1,), after=(1,), role=Role.STAYS, number=3),
]


@pytest.mark.parametrize("liked", ["True", "False"])
@pytest.mark.parametrize("margin", [1e-9, 0.3, 20.0])
def test_a_model_that_says_one_word_to_everything_scores_nothing(
    resident: ModelSession, liked: str, margin: float
) -> None:
    meter = metered(resident, preferring(liked, margin))
    readings = meter.read(STATEMENTS, "measure_before")
    assert {reading.belief.pred for reading in readings.values()} == {NO_CHOICE}
    for goal in Goal:
        for slot in slots_of(STATEMENTS):
            row = measured_row(slot, {p.probe.id: p for p in STATEMENTS}, readings, readings, goal=goal)
            assert row.n_ineligible == row.n == 1


def test_a_model_that_tells_statements_apart_is_right_though_it_likes_a_word(resident: ModelSession) -> None:
    """It says True to everything when it is asked once, and knows all four."""
    known = {"Paris", "Tokyo"}

    def score(stem: str, option: str) -> float:
        holds = any(f"is {city}." in stem for city in known) != stem.startswith("It is not true")
        return (0.0 if option == "True" else -5.0) + (1.0 if (option == "True") == holds else 0.0)

    readings = metered(resident, score).read(STATEMENTS, "measure_before")
    assert [readings[p.probe.id].belief.pred for p in STATEMENTS] == [0, 1, 0, 1]


def test_a_statement_of_an_earlier_release_is_asked_once(resident: ModelSession) -> None:
    old = [replace(p, probe=replace(p.probe, counter_stem="")) for p in STATEMENTS]
    readings = metered(resident, preferring("True")).read(old, "measure_before")
    assert {reading.belief.pred for reading in readings.values()} == {0}


@pytest.mark.parametrize("kind", [kind for kind in ProbeKind if kind is not ProbeKind.CONFLICT])
def test_two_options_that_are_exactly_equal_are_no_choice(resident: ModelSession, kind: ProbeKind) -> None:
    """Whatever is asked: the first of them is neither right nor wrong."""
    asked = [
        probe(kind, "The capital of France is", options=options, number=number)
        for number, options in enumerate([("Paris", "Rome"), ("Rome", "Paris"), ("Rome", "Paris", "Lima")])
    ]

    def score(_: str, option: str) -> float:
        return -9.0 if option == "Lima" else -1.0

    readings = metered(resident, score).read(asked, "measure_before")
    assert {reading.belief.pred for reading in readings.values()} == {NO_CHOICE}
    for goal in Goal:
        for slot in slots_of(asked):
            row = measured_row(slot, {p.probe.id: p for p in asked}, readings, readings, goal=goal)
            assert row.n_ineligible == row.n


@pytest.mark.parametrize("text", [" Rome.", " Oslo."])
def test_a_text_disagrees_with_a_choice_and_not_with_a_tie(
    resident: ModelSession, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(greedy_texts, "generate", saying(text))
    asked = [probe(ProbeKind.DIRECT, "The capital of France is")]
    speaker = speaker_of(resident, asked)
    (slot,) = slots_of(asked)
    for score, disagrees in ((preferring("Tokyo"), True), (preferring("nothing"), False)):
        readings = metered(resident, score, speaker=speaker).read(asked, "measure_after")
        row = measured_row(slot, {p.probe.id: p for p in asked}, readings, readings, goal=Goal.EDIT)
        assert [outcome.text_disagrees for outcome in row.outcomes] == [disagrees]


TARGETS = [
    probe(ProbeKind.DIRECT, "The capital of France is"),
    probe(ProbeKind.DIRECT, "The capital of France is", options=("Paris", "Rome"), number=1),
    probe(ProbeKind.DIRECT, "France's capital is", number=2),
    probe(ProbeKind.COMPARISON, "Paris or Rome? Answer:", options=("Paris", "Rome"), number=3),
    probe(ProbeKind.DIRECT, "The capital of Japan is", role=Role.FOLLOWS, number=4),
    probe(ProbeKind.DIRECT, "The capital of Peru is", before=(3,), after=(3,), role=Role.STAYS, number=5),
]


def speaker_of(resident: ModelSession, probes: Sequence[PlannedProbe], **names: tuple[str, ...]) -> Speaker:
    plan: Any = SimpleNamespace(probes=tuple(probes))
    return Speaker(resident, plan, names)


def test_only_direct_questions_about_targets_speak_each_stem_once(
    resident: ModelSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def say(_: object, prompts: Sequence[str], **__: object) -> list[str]:
        asked.extend(prompts)
        return [" Rome, of course"] * len(prompts)

    monkeypatch.setattr(greedy_texts, "generate", say)
    speaker = speaker_of(resident, TARGETS)
    found = speaker.says(TARGETS, "measure_before")
    assert set(found) == {TARGETS[n].probe.id for n in (0, 1, 2)}
    assert asked == ["The capital of France is", "France's capital is"]
    assert all(spoken.option == 1 for spoken in found.values())
    speaker.says(TARGETS, "measure_before")
    assert len(asked) == 2, "one text a state"
    speaker.says(TARGETS[:1], "measure_after")
    assert len(asked) == 3


def test_a_text_may_say_an_alias_and_the_longest_name_wins(
    resident: ModelSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("New York", "New York City", "Rome", "Oslo")
    target = probe(ProbeKind.DIRECT, "The harbour of the guild is", options=options)
    speaker = speaker_of(resident, [target], **{"new york city": ("New York City", "The Big Apple")})
    for text, option in (
        (" New York City.", 1),
        (" New York, and", 0),
        (" The Big Apple.", 1),
        (" Newark.", None),
        ("", None),
    ):
        monkeypatch.setattr(greedy_texts, "generate", saying(text))
        assert speaker.says([target], f"as {text}")[target.probe.id].option == option


def test_of_more_stems_than_can_be_heard_the_first_speak(
    resident: ModelSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greedy_texts, "MAX_STEMS", 2)
    monkeypatch.setattr(greedy_texts, "generate", saying(""))
    many = [probe(ProbeKind.DIRECT, f"Stem {n} is", number=n) for n in range(4)]
    speaker = speaker_of(resident, many)
    assert set(speaker.says(many, "measure_before")) == {p.probe.id for p in many[:2]}
    assert set(speaker.says(many[2:], "measure_after")) == set(), "the same before and after"


def test_long_answers_get_the_tokens_they_need(resident: ModelSession) -> None:
    long = " ".join(["Tokyo, and Kyoto was the capital"] * 4)
    speaker = speaker_of(resident, [probe(ProbeKind.DIRECT, "It is", options=(long, "Rome"))])
    limits: dict[str, int] = vars(speaker)["_limits"]
    assert limits["It is"] > 24


def test_choice_and_text_decide_together_and_their_quarrel_is_marked(
    resident: ModelSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = TARGETS[0]
    slot = slots_of([target])[0]
    verdicts = {
        ("Rome", " Rome."): (Verdict.INSTALLED, False),
        ("Rome", " Paris."): (Verdict.NOT_INSTALLED, True),
        ("Rome", " a city."): (Verdict.NOT_INSTALLED, True),
        ("Paris", " Rome."): (Verdict.NOT_INSTALLED, True),
    }
    for (chosen, text), (expected, quarrel) in verdicts.items():
        monkeypatch.setattr(greedy_texts, "generate", saying(text))
        meter = metered(resident, preferring(chosen), speaker=speaker_of(resident, [target]))
        before, after = (meter.read([target], phase) for phase in ("measure_before", "measure_after"))
        row = measured_row(slot, {target.probe.id: target}, before, after, goal=Goal.EDIT)
        (outcome,) = row.outcomes
        assert (outcome.verdict, outcome.text_disagrees) == (expected.value, quarrel)
        assert (outcome.text_before, outcome.text_after) == (text, text)


def test_scorers_that_choose_otherwise_are_marked(resident: ModelSession, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = metered(resident, None).read(TARGETS[4:5], "measure_before")[TARGETS[4].probe.id]
    for split in (True, False):
        monkeypatch.setattr(measurement, "scorers_disagree", always(answer=split))
        again = metered(resident, None).read(TARGETS[4:5], "measure_after")
        row = measured_row(
            slots_of(TARGETS[4:5])[0],
            {TARGETS[4].probe.id: TARGETS[4]},
            {TARGETS[4].probe.id: reading},
            again,
            goal=Goal.EDIT,
        )
        assert row.outcomes[0].scorers_disagree is split


def always(*, answer: bool) -> Callable[[object], bool]:
    """A judge who has judged."""

    def judge(_: object) -> bool:
        return answer

    return judge


@pytest.mark.parametrize("goal", Goal)
def test_nothing_moves_where_nothing_changed(resident: ModelSession, goal: Goal) -> None:
    """Two readings of one state, whatever it says: no row has propagated, drifted, forgotten or broken anything."""
    probes = [*TARGETS, *(replace(p, row_seq=p.row_seq + 10) for p in STATEMENTS)]
    planned = {p.probe.id: p for p in probes}
    meter = metered(resident, None, speaker=speaker_of(resident, probes))
    before: dict[str, Reading] = meter.read(probes, "measure_before")
    after = meter.read(probes, "measure_after")
    for slot in slots_of(probes):
        row = measured_row(slot, planned, before, after, goal=goal)
        assert row.n_propagated == row.n_forgotten == row.n_drifted == row.n_collateral == 0
        assert row.delta in (0.0, None)
        for outcome in row.outcomes:
            assert outcome.text_before == outcome.text_after
