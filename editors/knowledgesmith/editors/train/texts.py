"""Training texts made from a request alone: question variants and vague answers, without another language model.

Follows the augmentation of ReLearn (Xu et al. 2025, arXiv 2502.11190): question variants (noisy, in context),
vague answers made for exactly that question, and completions of the beginning of a vague answer. The paper asks a
hosted model for them; here they come from wordings, so every text is reproducible from the seed. What is erased never
appears: a text is dropped when a name of the old object occurs in it as a span of words.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from knowledgesmith.editors.requests import FactUpdate, Prompt, RetainRow
from knowledgesmith.editors.text.answers import end_mark
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.language.joining import blank, joined
from knowledgesmith.graph_schema.language.spans import holds, units

VAGUE = (
    "not stated here.",
    "not known to me.",
    "not something I can tell.",
    "not on record for this {kind}.",
    "unknown to me.",
)
"""Answers that say nothing about the object; ``{kind}`` is the subject's type in words."""

REFUSALS = ("not a thing I can answer.", "not for me to say.")
"""Answers that decline."""

LAST_RESORT = ("not stated here.", "unknown.", "–.")
"""Tried in order when every other wording holds a name of the object (a relation about the word "not", say)."""

_SPLIT = 0.25
_SHORT_NAME = 2
_NOISY_WORD = 4
_ARTICLE = re.compile(r"\b(?:the|a|an) ", re.IGNORECASE)
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TrainingText:
    """A prompt and the answer that training makes follow it (joined by one space)."""

    prompt: str
    answer: str


def leaks(text: str, names: Iterable[str]) -> bool:
    """Whether one of ``names`` occurs in ``text`` as a span of words, whatever its case and punctuation.

    Words are what the script makes them (:mod:`knowledgesmith.graph_schema.language.spans`): in a Japanese or Thai text
    a name may begin and end anywhere. Names of one or two characters are compared with their case ("I" is iodine, "a"
    an article); names without any letter or digit are looked for literally.
    """
    return any(_occurs(text, name) for name in names)


def hidden_names(update: FactUpdate) -> tuple[str, ...]:
    """The names that no training text of ``update`` may hold."""
    return tuple(sorted({name for name in (update.old, *update.old_aliases) if name.strip()}))


def questions(update: FactUpdate, *, retain: Sequence[RetainRow], variants: int, rng: random.Random) -> list[Prompt]:
    """The phrasings of ``update``, then up to ``variants`` noisy or contextual forms of them, all distinct.

    The subject's own name is exempt from the filter: it is what the question is about, and may hold the object
    ("Mexico City" holds "Mexico").

    Args:
        update: the fact to erase or replace.
        retain: rows whose statements may precede a question as context.
        variants: forms to add.
        rng: draws them.

    Raises:
        InvalidInput: every phrasing holds a name of the old object.
    """
    names = hidden_names(update)
    prompts = [prompt for prompt in update.prompts if not states(prompt, names)]
    if not prompts:
        raise InvalidInput(
            "every training phrasing states the object that is to be erased",
            field="prompts",
            value=update.prompts[0].text,
            hint="Give a phrasing that does not hold the answer.",
        )
    contexts = _contexts(update, retain, names)
    found = {prompt.text: prompt for prompt in prompts}
    for turn in range(variants):
        prompt = rng.choice(prompts)
        form = _in_context(prompt, contexts, rng) if contexts and turn % 2 == 0 else _noisy(prompt, rng)
        if not states(form, names):
            found.setdefault(form.text, form)
    return list(found.values())


def vague_texts(
    update: FactUpdate, asked: Sequence[Prompt], *, refusal_share: float, completion_share: float, rng: random.Random
) -> list[TrainingText]:
    """Pair each question with a vague answer made for it; some answers are continued from their first quarter.

    Args:
        update: the fact to erase.
        asked: what ``questions`` gave.
        refusal_share: share of answers that decline.
        completion_share: share of questions whose answer is also trained from 25 % of its words on.
        rng: draws the wordings.
    """
    found: list[TrainingText] = []
    for question in asked:
        wordings = REFUSALS if rng.random() < refusal_share else VAGUE
        answer = _worded(update, question, rng.sample(wordings, len(wordings)))
        found.append(TrainingText(prompt=question.text, answer=answer))
        if rng.random() < completion_share:
            found.extend(_completion(question.text, answer))
    return found


def states(prompt: Prompt, names: Sequence[str]) -> bool:
    """Whether the prompt holds one of ``names`` other than inside its own subject."""
    if leaks(prompt.text[: prompt.start], names) or leaks(prompt.text[prompt.end :], names):
        return True
    return leaks(prompt.text, [name for name in names if not leaks(prompt.subject, [name])])


def _occurs(text: str, name: str) -> bool:
    if not units(name):
        return bool(name.strip()) and name.strip() in text
    return holds(text, name, fold=len(name.strip()) > _SHORT_NAME)


def _contexts(update: FactUpdate, retain: Sequence[RetainRow], names: Sequence[str]) -> list[str]:
    """Statements of retained facts, those about the same subject first choice, without the hidden names."""
    own = [row for row in retain if row.prompt.subject == update.prompts[0].subject]
    statements = (
        f"{joined(row.prompt.text, row.answer)}{end_mark(row.answer, row.prompt.text)}" for row in own or retain
    )
    return [statement for statement in statements if not leaks(statement, names)]


def _in_context(prompt: Prompt, contexts: Sequence[str], rng: random.Random) -> Prompt:
    context = rng.choice(contexts)
    lead = f"{context}{blank(context, prompt.text)}"
    return Prompt(text=lead + prompt.text, start=prompt.start + len(lead), end=prompt.end + len(lead))


def _noisy(prompt: Prompt, rng: random.Random) -> Prompt:
    """A typing error, a missing article, or lower case, in the words before the subject."""
    head = prompt.text[: prompt.start]
    changed = rng.choice((_mistyped, _without_article, _lowered))(head, rng)
    shift = len(changed) - len(head)
    return Prompt(text=changed + prompt.text[prompt.start :], start=prompt.start + shift, end=prompt.end + shift)


def _mistyped(text: str, rng: random.Random) -> str:
    """Drop, double or swap one inner character of a longer word."""
    words = [match for match in _WORDS.finditer(text) if match.end() - match.start() >= _NOISY_WORD]
    if not words:
        return text
    word = rng.choice(words)
    at = rng.randrange(word.start() + 1, word.end() - 1)
    one, two = text[at], text[at + 1]
    return text[:at] + rng.choice((two, one + one + two, two + one)) + text[at + 2 :]


def _without_article(text: str, _rng: random.Random) -> str:
    return _ARTICLE.sub("", text, count=1)


def _lowered(text: str, _rng: random.Random) -> str:
    return text.lower()


def _worded(update: FactUpdate, question: Prompt, wordings: Sequence[str]) -> str:
    """The first of ``wordings`` (then of the last resorts) that puts no hidden name after the question."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", update.subject_type).lower() or "subject"
    names = hidden_names(update)
    for wording in (*wordings, *VAGUE, *LAST_RESORT):
        answer = wording.replace("{kind}", kind)
        said = Prompt(text=joined(question.text, answer), start=question.start, end=question.end)
        if not states(said, names):
            return answer
    raise InvalidInput("no vague answer avoids the names of the object", field="old_aliases", value=update.old)


def _completion(question: str, answer: str) -> Iterator[TrainingText]:
    words = answer.split(" ")
    cut = max(1, round(_SPLIT * len(words)))
    if cut < len(words):
        yield TrainingText(prompt=joined(question, " ".join(words[:cut])), answer=" ".join(words[cut:]))
