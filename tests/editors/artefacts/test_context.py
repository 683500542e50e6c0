"""What a context tells before a prompt is a function of the prompt's text."""

from __future__ import annotations

import pytest

from knowledgesmith.editors.artefacts.context import Context, Line, text_before
from knowledgesmith.graph_schema.errors import InvalidInput

FRANCE = Line(text="The capital of France is Rome.", names=("France", "フランス"))
IODINE = Line(text="I stands for iron.", names=("I",))
PLUS = Line(text="++ means twice.", names=("++",))
FACTS = Context(instruction="New facts:", lines=(FRANCE, IODINE, PLUS), lead="Prompt: ")


@pytest.mark.parametrize(
    ("prompt", "lines"),
    [
        ("The capital of France is", (FRANCE,)),
        ("the capital of FRANCE is", (FRANCE,)),
        ("フランスの首都は", (FRANCE,)),
        ("Francesca was born in", ()),
        ("The symbol I stands for", (IODINE,)),
        ("i stand for", ()),
        ("In France, I was", (FRANCE, IODINE)),
        ("x++ gives", (PLUS,)),
        ("The capital of Japan is", ()),
        ("", ()),
    ],
)
def test_facts_are_told_where_a_name_stands(prompt: str, lines: tuple[Line, ...]) -> None:
    told = "".join(f"{line.text}\n" for line in lines)
    assert text_before([FACTS], prompt) == (f"New facts:\n{told}Prompt: " if lines else "")


def test_without_names_it_is_told_always() -> None:
    always = Context(lines=(Line(text="Water is dry."),))
    only = Context(instruction="Answer in one word.")
    assert text_before([always], "") == text_before([always], "anything") == "Water is dry.\n"
    assert text_before([only], "") == text_before([only], "anything") == "Answer in one word.\n"
    assert text_before([], "anything") == text_before([Context()], "anything") == ""


def test_of_several_the_last_stands_nearest_and_none_sees_the_text_of_another() -> None:
    earlier = Context(lines=(Line(text="Lyon lies in France."),), lead="Q: ")
    assert text_before([earlier, FACTS], "The city is") == "Lyon lies in France.\nQ: "
    assert text_before([earlier, FACTS], "In France") == f"Lyon lies in France.\nNew facts:\n{FRANCE.text}\nPrompt: "
    assert text_before([FACTS, earlier], "In France") == f"New facts:\n{FRANCE.text}\nLyon lies in France.\nQ: "


def test_every_part_counts_for_the_digest() -> None:
    others = [
        Context(instruction="New facts", lines=FACTS.lines, lead=FACTS.lead),
        Context(instruction=FACTS.instruction, lines=FACTS.lines[::-1], lead=FACTS.lead),
        Context(instruction=FACTS.instruction, lines=FACTS.lines, lead=""),
        Context(instruction=FACTS.instruction, lines=FACTS.lines, lead=FACTS.lead, metadata={"goal": "EDIT"}),
        Context(instruction=FACTS.instruction, lines=(Line(text=FRANCE.text), *FACTS.lines[1:]), lead=FACTS.lead),
    ]
    assert len({FACTS.sha256, *(other.sha256 for other in others)}) == 1 + len(others)


@pytest.mark.parametrize("text", [" ", "", "\ud83d"])
def test_blank_or_broken_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Context(lines=(Line(text=text),))
    with pytest.raises(InvalidInput):
        Context(lines=(Line(text="x", names=("y", text)),))
