"""How the relations that ontologies and thesauri share are said in English, whatever notation they come in.

A relation is known by its words alone: ``subClassOf``, ``subclass_of`` and ``sub class of`` are one. What is not here
is worded by the shape of its name (:mod:`templates`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Wording:
    """The parts of speech that a relation needs.

    Attributes:
        predicate: follows the subject and leads to the object: "X *is a kind of* Y", "X *belongs to* the topic Y".
        phrase: names the object by its subject, as a noun phrase that fits into other phrases; empty where English
            has none, so that nothing is chained through it.
        reverse: names the subject by its object, as the beginning of a sentence that ends in "is".
        reverse_phrase: the same as a noun phrase that fits into other phrases, or empty.
        kind: what the object is, where that stands between the predicate and its name: "topic".
    """

    predicate: str
    phrase: str
    reverse: str
    reverse_phrase: str
    kind: str = ""


_KIND: Final = Wording("is a kind of", "a class broader than {s}", "one kind of {o}", "a class narrower than {o}")
_INSTANCE: Final = Wording(
    "is an instance of", "a class that {s} is an instance of", "one instance of {o}", "an instance of {o}"
)
_BROADER: Final = Wording(
    "is a narrower topic than",
    "a topic broader than {s}",
    "one topic narrower than {o}",
    "a topic narrower than {o}",
)
_NARROWER: Final = Wording(
    "is a broader topic than", "a topic narrower than {s}", "one topic broader than {o}", "a topic broader than {o}"
)
_PART: Final = Wording("is part of", "a whole that {s} is part of", "one part of {o}", "one part of {o}")
_WHOLE: Final = Wording("includes", "one part of {s}", "one thing that has {o} as a part", "a whole with the part {o}")
_MEMBER: Final = Wording("is a member of", "a group that {s} belongs to", "one member of {o}", "one member of {o}")
_GROUP: Final = Wording(
    "has", "one member of {s}", "one group that has {o} as a member", "a group with the member {o}", "member"
)
_RELATED: Final = Wording("is related to", "", "one thing related to {o}", "")
_SAME: Final = Wording("is the same as", "", "one thing that is the same as {o}", "")
_CLOSE: Final = Wording("is close to", "", "one thing close to {o}", "")
_SCHEME: Final = Wording("is a concept of", "a scheme that {s} belongs to", "one concept of {o}", "one concept of {o}")
_VERBS: Final = Wording("is in the same verb group as", "", "one verb in the verb group of {o}", "")
_DERIVED: Final = Wording("is derivationally related to", "", "one word derivationally related to {o}", "")
_TOPIC: Final = Wording(
    "belongs to", "a topic that {s} belongs to", "one thing that belongs to the topic {o}", "", "topic"
)
_TOP: Final = Wording(
    "is a top concept of", "a scheme with the top concept {s}", "one top concept of {o}", "one top concept of {o}"
)

_REGION: Final = Wording("has", "", "one region with the term {o}", "", "regional term")
_USAGE: Final = Wording("is a usage label of", "", "one usage label of {o}", "")
_NEVER_IN: Final = Wording("is never found in", "", "one thing that is never found in the taxon {o}", "", "taxon")
_ONLY_IN: Final = Wording(
    "is found only in",
    "a taxon that {s} is found only in",
    "one thing that is found only in the taxon {o}",
    "",
    "taxon",
)

WORDINGS: Final[Mapping[str, Wording]] = {
    word: wording
    for wording, words in (
        (_KIND, ("is a", "isa", "kind of", "is kind of", "is a kind of", "subclass of", "sub class of")),
        (
            _KIND,
            ("is subclass of", "subtype of", "is a subclass of", "sub type of", "has superclass", "has super class"),
        ),
        (_INSTANCE, ("instance of", "is instance of", "is an instance of")),
        (_BROADER, ("broader", "broader transitive", "has broader", "broader term", "broad match", "broader concept")),
        (_NARROWER, ("narrower", "narrower transitive", "has narrower", "narrower term", "narrow match")),
        (_PART, ("part of", "is part of", "is a part of", "ispartof")),
        (_WHOLE, ("has part", "has parts", "haspart", "part meronym")),
        (_MEMBER, ("member of", "is member of", "is a member of")),
        (_GROUP, ("member", "members", "has member", "has members", "member meronym")),
        (_RELATED, ("related", "related match", "see also", "also see", "related term", "has related")),
        (_SAME, ("same as", "is same as", "exact match", "equivalent class", "has exact match")),
        (_CLOSE, ("close match", "has close match")),
        (_SCHEME, ("in scheme", "is in scheme")),
        (_VERBS, ("verb group",)),
        (_DERIVED, ("derivationally related form", "derivationally related")),
        (_TOPIC, ("synset domain topic of", "synset domain topic")),
        (_REGION, ("member of domain region", "synset member of domain region")),
        (_USAGE, ("member of domain usage", "synset member of domain usage")),
        (_NEVER_IN, ("never in taxon",)),
        (_ONLY_IN, ("only in taxon",)),
        (_TOP, ("top concept of", "is top concept of")),
    )
    for word in words
}
"""By the relation's words in lower case."""
