"""What the readers of benchmarks share: uids from names, relations from prompts, and careful access to fields."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final, cast

from knowledgesmith.graph_schema.importing.formats.benchmarks.slots import SLOT, NoSlot, with_slots
from knowledgesmith.graph_schema.importing.reading.parsing import Item, objects
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import (
    CaseChange,
    CaseProbe,
    CaseRecord,
    EntityRecord,
    FactRecord,
    Place,
    Record,
    Rejection,
    RelationRecord,
    TemplateRecord,
)
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME, MAX_UID, MAX_WORD
from knowledgesmith.graph_schema.types.facts import Direction, Form, Relation, Split, Template, Traits
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

_NO_TRAITS: Final = Traits()
_COPULAS: Final = frozenset({"is", "was", "are", "were"})
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_ARTICLES: Final = frozenset({"the", "a", "an"})
_BOUND: Final = frozenset({"of", "by", "for", "in", "at", "to", "with", "from"})
_LOWERED: Final = frozenset({"The", "A", "An", "In", "On", "At", "By", "For", "To", "From", "People", "Regarding"})


class Unusable(Exception):
    """A record that lacks what its format promises; ``str`` says what, for a rejection."""


def one_line(text: str) -> str:
    """A text without line breaks, doubled blanks and other control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())


def uid_of(name: str) -> str:
    """The uid under which entities of one name merge: Unicode NFKC, one blank between words, case folded.

    A name too long for a uid keeps its beginning and gets a hash of the whole.
    """
    plain = " ".join(unicodedata.normalize("NFKC", one_line(name)).casefold().split())
    if len(plain) <= MAX_UID:
        return plain
    return f"{plain[: MAX_UID - 17]}#{_hash(plain)}"


def relation_of(prompt: str) -> str:
    """A stable relation name for a prompt with one slot, for sources that have no ids of relations.

    ``The mother tongue of {} is`` becomes ``mother tongue``, ``{} plays the instrument`` stays ``plays the
    instrument``, ``{}, in`` becomes ``in``. The subject is always the slot and the object what follows, so prompts
    that share a name mean the same; every other prompt is a relation of its own. The name depends on the text alone.
    """
    before, _, after = prompt.partition(SLOT)
    head, tail = _words(before), _words(after.removeprefix("'s").removeprefix("’s"))
    if not head and tail and tail[-1] in _COPULAS and len(tail) > 1 and after.startswith(("'s", "’s")):
        tail = tail[:-1]
    if head and all(word in _COPULAS for word in tail):
        head = head[1:] if head[0] in _ARTICLES and len(head) > 1 else head
        head = head[:-1] if head[-1] in _BOUND and len(head) > 1 else head
        tail = []
    name = " ".join([*head, *tail])
    if not name:
        return f"relation {_hash(prompt)}"
    return name if len(name) <= MAX_WORD - 20 else f"{name[: MAX_WORD - 20]} {_hash(name)}"


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.lower())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def with_slot(text: str, subject: str) -> str:
    """A prompt with every mention of its subject replaced by the slot; slots that stand there already stay.

    Raises:
        Unusable: the subject does not stand in it as a word, or ``with_slots`` cannot tell what is meant.
    """
    try:
        return with_slots(text, subject)
    except NoSlot as error:
        raise Unusable(str(error)) from error


def is_question(prompt: str) -> bool:
    """Whether a prompt is a question and not a text to be continued."""
    return prompt.rstrip().endswith("?")


def cloze_of(prompt: str) -> str:
    """What a model reads to continue with the answer: the prompt, and behind a question an opening of the answer."""
    return f"{prompt.rstrip()} The answer is" if is_question(prompt) else prompt.rstrip()


def templates_of(prompt: str, *, split: Split = Split.TRAIN) -> tuple[Template, ...]:
    """Templates for a prompt with one slot: a cloze and a statement, and the question where it is one."""
    text = one_line(prompt).replace(SLOT, "{s}")
    cloze = cloze_of(text)

    def make(form: Form, wording: str) -> Template:
        return Template(direction=Direction.FORWARD, split=split, form=form, text=wording)

    made = [make(Form.CLOZE, cloze), make(Form.STATEMENT, f"{cloze} {{o}}.")]
    if is_question(text):
        made.append(make(Form.QUESTION, text))
    return tuple(template for template in made if len(template.text) <= MAX_NAME)


def framed_templates(prompt: str) -> tuple[Template, ...]:
    """Evaluation templates for a prompt of which the source has no second wording: the prompt behind an opening."""
    text = one_line(prompt)
    first = text.split(" ", 1)[0]
    if is_question(text):
        return tuple(t for t in templates_of(f"Here is a question: {text}", split=Split.EVAL) if "?" in t.text)
    lowered = text[0].lower() + text[1:] if first in _LOWERED else text
    return templates_of(f"It is known that {lowered}", split=Split.EVAL)


def reverse_templates(prompt: str) -> tuple[Template, ...]:
    """Templates that name the object, where a prompt's wording allows it: nouns and predicates of one mention."""
    if prompt.count(SLOT) > 1:
        return ()
    before, _, after = one_line(prompt).partition(SLOT)
    name = relation_of(prompt)
    tail = after.rstrip()
    head = _words(before)
    is_noun = len(head) > 2 and head[0] in _ARTICLES and head[-1] == "of" and "," not in before
    if is_noun and all(word in _COPULAS for word in _words(after)) and not is_question(prompt):
        known = f"{{o}} is the {name} of"
    elif not before.strip() and tail and tail[0].isspace() and tail.strip()[0].isalpha() and not is_question(prompt):
        known = f"the one that{tail} {{o}} is"
    else:
        return ()
    texts = ((Split.TRAIN, known[0].upper() + known[1:]), (Split.EVAL, f"It is known that {known}"))
    return tuple(
        Template(direction=Direction.REVERSE, split=split, form=Form.CLOZE, text=text) for split, text in texts
    )


def text_field(record: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds a non-empty text (or a number), on one line.

    Raises:
        Unusable: none does.
    """
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and value.strip():
            return one_line(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    raise Unusable(f"no text in {' or '.join(repr(name) for name in names)}")


def optional_text(record: Mapping[str, Any], *names: str) -> str:
    """Like ``text_field``; empty where there is none."""
    try:
        return text_field(record, *names)
    except Unusable:
        return ""


def texts_in(value: object) -> tuple[str, ...]:
    """All texts in a value, however its lists are nested, in order and without doubles."""
    return tuple(dict.fromkeys(_texts_in(value)))


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if text := one_line(value):
            yield text
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _texts_in(item)


def mapping_in(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object below a record.

    Raises:
        Unusable: there is none.
    """
    value = record.get(name)
    if not isinstance(value, dict):
        raise Unusable(f"{name!r} is not an object")
    return cast("dict[str, Any]", value)


def mappings_in(value: object) -> list[dict[str, Any]]:
    """The objects of a list (or one object as a list of one); anything else is left out."""
    if isinstance(value, dict):
        return [cast("dict[str, Any]", value)]
    if not isinstance(value, list):
        return []
    return [cast("dict[str, Any]", item) for item in cast("list[object]", value) if isinstance(item, dict)]


def stem_of(file: str) -> str:
    """The name of a file without folders and endings, for ids."""
    return PurePosixPath(file.replace("\\", "/")).name.split(".", 1)[0] or "file"


def probe(
    kind: ProbeKind,
    polarity: Polarity,
    family: str,
    stem: str,
    answers: Iterable[str],
    *,
    before: Iterable[str] = (),
    options: Iterable[str] = (),
) -> CaseProbe:
    """A probe of a case; texts are put on one line and doubles dropped.

    Raises:
        Unusable: it has no stem.
    """
    if not one_line(stem):
        raise Unusable(f"a probe of the family {family!r} has no text")
    return CaseProbe(
        kind=kind,
        polarity=polarity,
        family=family,
        stem=one_line(stem),
        answers=texts_in(list(answers)),
        answers_before=texts_in(list(before)),
        options=texts_in(list(options)),
    )


def stays(family: str, stem: str, answers: Iterable[str]) -> CaseProbe:
    """A probe about something else, whose answer must stay.

    Raises:
        Unusable: it has no stem.
    """
    kept = texts_in(list(answers))
    return probe(ProbeKind.CONTEXTUAL, Polarity.STAY, family, stem, kept, before=kept)


@dataclass(slots=True)
class SetBuilder:
    """Records of one benchmark; declares each relation and each template once and gives cases ids of their own."""

    _relations: set[str] = field(default_factory=set[str])
    _templates: set[tuple[str, Template]] = field(default_factory=set[tuple[str, Template]])
    _cases: set[str] = field(default_factory=set[str])

    def entity(
        self,
        place: Place,
        name: str,
        *,
        uid: str = "",
        type: str = "",  # noqa: A002 - the record's word
        domain: str = "",
        aliases: Sequence[str] = (),
    ) -> EntityRecord:
        """An entity that merges with others of its uid; without a uid, of its normalised name.

        Raises:
            Unusable: the name is empty or too long for one.
        """
        text = one_line(name)
        if not text:
            raise Unusable("an entity has no name")
        if len(text) > MAX_NAME:
            raise Unusable(f"a name has {len(text)} characters, at most {MAX_NAME} are allowed: {quote(text)}")
        return EntityRecord(
            place=place,
            uid=uid or uid_of(text),
            name=text,
            type=type,
            domain=domain,
            aliases=tuple(alias for alias in aliases if alias != text and len(alias) <= MAX_NAME),
            merge=True,
        )

    def relation(
        self,
        place: Place,
        name: str,
        templates: Iterable[Template] = (),
        *,
        traits: Traits = _NO_TRAITS,
        domain_type: str = "",
        range_type: str = "",
    ) -> Iterator[Record]:
        """The declaration of a relation the first time, and its templates that were not given before."""
        if name not in self._relations:
            self._relations.add(name)
            declared = Relation(name=name, rel_type="", domain_type=domain_type, range_type=range_type, traits=traits)
            yield RelationRecord(place=place, relation=declared)
        for template in templates:
            if (name, template) not in self._templates:
                self._templates.add((name, template))
                yield TemplateRecord(place=place, relation=name, template=template)

    def fact(self, place: Place, subject: EntityRecord, relation: str, obj: EntityRecord) -> FactRecord:
        """A fact between two entities of this set."""
        return FactRecord(
            place=place, subject=subject.uid, relation=relation, object=obj.uid, source=stem_of(place.file)
        )

    def case(
        self,
        place: Place,
        name: str,
        goal: Goal,
        rounds: Sequence[Sequence[CaseChange]],
        probes: Sequence[CaseProbe],
    ) -> CaseRecord:
        """A case whose id is the file's name and its own, and its record number too where that would not be unique."""
        case_id = f"{stem_of(place.file)}:{name or place.record}"
        if case_id in self._cases:
            case_id = f"{case_id}#{place.record}"
        self._cases.add(case_id)
        return CaseRecord(place=place, id=case_id, goal=goal, rounds=rounds, probes=tuple(probes))


Convert = Callable[[SetBuilder, Place, dict[str, Any]], Iterable[Record]]
"""Turns one record of a benchmark into ours; raises ``Unusable`` when it cannot."""


def convert_records(builder: SetBuilder, items: Iterable[Item | Rejection], convert: Convert) -> Iterator[Record]:
    """Convert the records one by one; one that is unusable becomes a rejection and leaves nothing behind."""
    for found in objects(items):
        if isinstance(found, Rejection):
            yield found
            continue
        item, value = found
        try:
            made = list(convert(builder, item.place, value))
        except Unusable as error:
            yield Rejection(place=item.place, reason=str(error))
            continue
        yield from made
