"""Relations of the linear-relational-embedding data set: facts that a model knows, with prompts.

One relation a file: ``{"name", "prompt_templates", "prompt_templates_zs", "properties", "samples"}``. The first prompts
are for training, the zero-shot ones for evaluation where they differ. Entities merge by their normalised name over all
files, so that several files make chains; the types are the source's ``domain_name`` and ``range_name``, and of two
types the alphabetically first stays. There are no cases: nothing is edited here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import (
    SetBuilder,
    Unusable,
    framed_templates,
    mappings_in,
    optional_text,
    reverse_templates,
    templates_of,
    text_field,
    texts_in,
)
from knowledgesmith.graph_schema.importing.formats.benchmarks.slots import says_something
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import Item, json_items, objects
from knowledgesmith.graph_schema.importing.reading.records import Place, Record, Rejection
from knowledgesmith.graph_schema.types.facts import Split, Template, Traits


class LreOptions(ImportOptions):
    """None."""


class Lre:
    """Facts and templates of relations."""

    name: ClassVar[str] = "lre"
    summary: ClassVar[str] = "Relations with prompts and subject-object pairs (LRE, JSON per relation)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = LreOptions

    def read(self, files: Sequence[InputFile], options: LreOptions) -> Iterator[Record]:  # noqa: ARG002
        """See ``Importer.read``."""
        builder = SetBuilder()
        for file in files:
            for found in objects(json_items(file)):
                if isinstance(found, Rejection):
                    yield found
                else:
                    yield from _relation(builder, *found)


def _relation(builder: SetBuilder, item: Item, value: dict[str, Any]) -> Iterator[Record]:
    try:
        name = text_field(value, "name")
        templates = tuple(_templates(value))
    except Unusable as error:
        yield Rejection(place=item.place, reason=str(error))
        return
    properties = value.get("properties")
    said: dict[str, Any] = properties if isinstance(properties, dict) else {}
    domain, range_ = optional_text(said, "domain_name"), optional_text(said, "range_name")
    yield from builder.relation(
        item.place,
        name,
        templates,
        traits=Traits(symmetric=said.get("symmetric") is True),
        domain_type=domain,
        range_type=range_,
    )
    for number, sample in enumerate(mappings_in(value.get("samples")), start=1):
        place = Place(file=item.place.file, record=number)
        try:
            subject = builder.entity(place, text_field(sample, "subject"), type=domain)
            obj = builder.entity(place, _object(sample), type=range_)
        except Unusable as error:
            yield Rejection(place=place, reason=str(error))
            continue
        yield from (subject, obj, builder.fact(place, subject, name, obj))


def _object(sample: dict[str, Any]) -> str:
    texts = texts_in(sample.get("object"))
    if not texts:
        raise Unusable("no text in 'object'")
    return texts[0]


def _templates(value: dict[str, Any]) -> Iterator[Template]:
    train = [text for text in texts_in(value.get("prompt_templates")) if _names_once(text)]
    if not train:
        raise Unusable("no prompt in 'prompt_templates' names its subject once as {}")
    known = {text.casefold() for text in train}
    zero_shot = texts_in(value.get("prompt_templates_zs"))
    evaluation = [text for text in zero_shot if _names_once(text) and text.casefold() not in known]
    for text in train:
        yield from templates_of(text)
    yield from reverse_templates(train[0])
    for text in evaluation:
        yield from templates_of(text, split=Split.EVAL)
    if not evaluation:
        yield from framed_templates(train[0])


def _names_once(text: str) -> bool:
    return text.count("{}") == 1 and "{" not in text.replace("{}", "") and says_something(text)
