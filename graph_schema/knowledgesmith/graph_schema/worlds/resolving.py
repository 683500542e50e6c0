"""Finds the entities, relations and facts that a user means by the words of a request."""

from __future__ import annotations

import difflib
import itertools
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from knowledgesmith.graph_schema.errors import (
    AmbiguousName,
    EntityNotFound,
    FactNotFound,
    InvalidInput,
    NothingToChange,
    RelationNotFound,
    TooLarge,
    shorten,
)
from knowledgesmith.graph_schema.graphs.reading import load_catalogue
from knowledgesmith.graph_schema.language.name_keys import name_key, without_invisible
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME, problem_with
from knowledgesmith.graph_schema.storage.store import GraphStore, Row
from knowledgesmith.graph_schema.types.facts import Relation
from knowledgesmith.graph_schema.types.interventions import Change, Goal, NamedChange
from knowledgesmith.graph_schema.worlds.contradictions import without_conflicts

ObjectsOf = Callable[[str, str], Collection[str]]
"""(subject uid, relation name) to the uids of the objects that a world asserts, from whichever end it is written."""

Lookup = Callable[[str], str]
"""A text to the uid that it clearly names, or to nothing where the database must be asked."""

_LAST_SIGMA: Final = re.compile(r"(?<=\w)σ\b")
_MOST_UNFOLDED: Final = 4
_EXACT: Final = ("graphs/by_uid", "graphs/by_name", "graphs/by_alias")


def resolve_entity(
    store: GraphStore, graph_id: str, text: str, *, field: str = "entity", expected_type: str = ""
) -> str:
    """The uid that a text names: a uid, else an exact name, else an alias, else what looks the same (``name_keys``).

    Args:
        store: the database.
        graph_id: the graph; retired entities are not found.
        text: uid, name or alias, at most 500 characters.
        field: where the text stood, for the message.
        expected_type: type that the relation asks for; only used to give a better hint.

    Raises:
        InvalidInput: empty, or with control characters.
        TooLarge: over 500 characters.
        AmbiguousName: several entities fit; ``metadata["uids"]`` lists them.
        EntityNotFound: none fits; the hint names similar ones.
    """
    check_text(text, field=field)
    for query, asked in _steps(text):
        if rows := store.read(query, graph_id=graph_id, **asked):
            if len(rows) == 1:
                return str(rows[0]["uid"])
            raise _ambiguous(text, rows, field=field, expected_type=expected_type)
    key = name_key(text)
    found = store.read("graphs/similar_names", graph_id=graph_id, start=key[:2])
    names = {name_key(row["name"]): row["name"] for row in found}
    # A low bar: whatever is listed shares its beginning with the text already.
    close = [names[near] for near in difflib.get_close_matches(key, list(names), n=3, cutoff=0.4)]
    raise EntityNotFound(
        "the graph has no entity of this uid, name or alias",
        field=field,
        value=text,
        hint=f"Did you mean {_listed(close)}?" if close else "List the entities with `ksmith cypher`.",
        metadata={"graph_id": graph_id, "close": ", ".join(close)},
    )


def find_relation(catalogue: Mapping[str, Relation], text: str, *, field: str = "relation") -> Relation:
    """The relation that a text names: its name, else its relationship type, else its name in other case or spacing.

    Raises:
        InvalidInput: empty, or with control characters.
        TooLarge: over 500 characters.
        RelationNotFound: none fits; the hint names similar ones.
    """
    check_text(text, field=field)
    if text in catalogue:
        return catalogue[text]
    by_type = {relation.rel_type: relation for relation in catalogue.values()}
    if text in by_type:
        return by_type[text]
    folded = [relation for relation in catalogue.values() if _folded(relation.name) == _folded(text)]
    if len(folded) == 1:
        return folded[0]
    close = difflib.get_close_matches(text, list(catalogue), n=3, cutoff=0.5)
    raise RelationNotFound(
        "the catalogue has no relation of this name",
        field=field,
        value=text,
        hint=f"Did you mean {_listed(close)}?" if close else f"Known: {_listed(sorted(catalogue)[:20])}.",
        metadata={"close": ", ".join(close)},
    )


def resolve_changes(
    store: GraphStore,
    graph_id: str,
    changes: Sequence[NamedChange],
    *,
    goal: Goal,
    objects_of: ObjectsOf | None = None,
    following: ObjectsOf | None = None,
    known: Lookup | None = None,
    catalogue: Mapping[str, Relation] | None = None,
) -> tuple[Change, ...]:
    """Resolve the changes of one request against a graph, in canonical order and without doubles.

    A missing ``old_object`` is filled in when it is clear: UNLEARN where the subject has one object (asserted, else one
    that follows); EDIT where the relation is functional and the subject has an object. An EDIT of another relation
    without ``old_object`` inserts.

    Args:
        store: the database.
        graph_id: the graph.
        changes: what the user wrote.
        goal: EDIT needs a ``new_object``, UNLEARN must not have one.
        objects_of: what the branch's world asserts; the graph's own facts when left out.
        following: what follows there without being asserted, so that a fact may be named that goes with its supports;
            nothing when left out.
        known: finds clear cases without asking the database.
        catalogue: the graph's relations, where the caller has read them already.

    Raises:
        GraphNotFound: there is no such graph.
        InvalidInput: a field is empty or malformed, does not fit the goal, or leaves open which fact is meant.
        TooLarge: a field has over 500 characters.
        AmbiguousName, EntityNotFound, RelationNotFound: see ``resolve_entity`` and ``find_relation``.
        FactNotFound: the fact to be changed does not hold in the world.
        NothingToChange: the world already asserts the fact to be inserted.
        ConflictingChanges: two changes contradict each other.
    """
    catalogue = catalogue if catalogue is not None else load_catalogue(store, graph_id)
    if not changes:
        raise InvalidInput("there is no change", field="changes", hint="Name at least one fact.")
    world = objects_of or _asserted_objects(store, graph_id, catalogue)
    resolver = _Resolver(
        store=store,
        graph_id=graph_id,
        catalogue=catalogue,
        goal=goal,
        objects_of=world,
        following=following or _nothing,
        lookup=known,
        known={},
    )
    resolved = [resolver.resolve(change, f"changes[{number}]") for number, change in enumerate(changes)]
    return without_conflicts(resolved, catalogue)


def check_text(text: str, *, field: str) -> None:
    """Refuse a text that cannot name anything.

    Raises:
        TooLarge: over 500 characters.
        InvalidInput: empty, or with control characters.
    """
    if len(text) > MAX_NAME:
        raise TooLarge(
            f"the text has {len(text)} characters, at most {MAX_NAME} are allowed",
            field=field,
            value=text[:40],
            hint="Shorten it.",
        )
    if problem := problem_with(text, limit=MAX_NAME):
        raise InvalidInput(f"the text {problem}", field=field, value=text, hint="Use a uid, a name or an alias.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolver:
    """Resolves one change after the other and remembers the names it has looked up."""

    store: GraphStore
    graph_id: str
    catalogue: Mapping[str, Relation]
    goal: Goal
    objects_of: ObjectsOf
    following: ObjectsOf
    lookup: Lookup | None
    known: dict[str, str]

    def resolve(self, change: NamedChange, field: str) -> Change:
        self._check_goal(change, field)
        relation = find_relation(self.catalogue, change.relation, field=f"{field}.relation")
        traits, name = relation.traits, relation.name
        subject = self._entity(change.subject, f"{field}.subject", relation.domain_type)
        old = self._entity(change.old_object, f"{field}.old_object", relation.range_type) if change.old_object else ""
        new = self._entity(change.new_object, f"{field}.new_object", relation.range_type) if change.new_object else ""
        asserted = sorted(self.objects_of(subject, name))
        if old and old not in asserted and old not in self.following(subject, name):
            raise self._no_such_fact(change, relation, subject, old, asserted, field)
        if not old and self.goal is Goal.UNLEARN:
            old = self._only_object(change, asserted or sorted(self.following(subject, name)), field)
        elif not old and traits.functional:
            old = self._only_object(change, asserted, field)
        if self.goal is Goal.EDIT and new == old:
            raise InvalidInput(
                "the new object is the old one",
                field=f"{field}.new_object",
                value=change.new_object,
                hint="Name another object.",
            )
        if new and not old and new in asserted:
            raise NothingToChange(
                "the branch's world already asserts this fact",
                field=field,
                value=_written(change, change.new_object),
                hint="Leave this change out.",
            )
        return Change(subject=subject, relation=name, old_object=old, new_object=new)

    def _check_goal(self, change: NamedChange, field: str) -> None:
        if self.goal is Goal.EDIT and not change.new_object:
            raise InvalidInput(
                "an edit needs a new object",
                field=f"{field}.new_object",
                hint="Name it, or use the goal UNLEARN to erase the fact.",
            )
        if self.goal is Goal.UNLEARN and change.new_object:
            raise InvalidInput(
                "unlearning takes no new object",
                field=f"{field}.new_object",
                value=change.new_object,
                hint="Leave it out, or use the goal EDIT.",
            )

    def _entity(self, text: str, field: str, expected_type: str) -> str:
        if text not in self.known and self.lookup and (uid := self.lookup(text)):
            self.known[text] = uid
        if text not in self.known:
            self.known[text] = resolve_entity(self.store, self.graph_id, text, field=field, expected_type=expected_type)
        return self.known[text]

    def _only_object(self, change: NamedChange, objects: Sequence[str], field: str) -> str:
        """The object that a change without ``old_object`` means; nothing when an edit inserts."""
        if len(objects) == 1:
            return objects[0]
        if objects:
            raise InvalidInput(
                f"the subject has {len(objects)} objects of this relation",
                field=f"{field}.old_object",
                hint=f"Name one of {_listed(objects[:10])}.",
                metadata={"uids": ", ".join(objects[:50])},
            )
        if self.goal is Goal.UNLEARN:
            raise FactNotFound(
                "the branch's world has no such fact to unlearn",
                field=field,
                value=_written(change, "?"),
                hint="Check the direction of the relation.",
            )
        return ""

    def _no_such_fact(
        self, change: NamedChange, relation: Relation, subject: str, old: str, asserted: Sequence[str], field: str
    ) -> FactNotFound:
        known = f"Asserted objects: {_listed(asserted[:10])}." if asserted else "The subject has no object there."
        return FactNotFound(
            "this fact does not hold in the branch's world",
            field=field,
            value=_written(change, change.old_object),
            hint=known if asserted else f"{known} Check the direction of the relation.",
            metadata={"subject": subject, "relation": relation.name, "old_object": old},
        )


def _nothing(_subject: str, _relation: str) -> frozenset[str]:
    return frozenset()


def _asserted_objects(store: GraphStore, graph_id: str, catalogue: Mapping[str, Relation]) -> ObjectsOf:
    def objects_of(subject: str, relation: str) -> frozenset[str]:
        entry = catalogue[relation]
        back = relation if entry.traits.symmetric else entry.traits.inverse_of
        rows = store.read(
            "graphs/objects_of",
            graph_id=graph_id,
            subject=subject,
            rel_type=entry.rel_type,
            reversed_types=[] if back is None else [catalogue[back].rel_type],
        )
        return frozenset(row["uid"] for row in rows)

    return objects_of


def _ambiguous(text: str, rows: Sequence[Row], *, field: str, expected_type: str) -> AmbiguousName:
    fitting = [row["uid"] for row in rows if expected_type and row["type"] == expected_type]
    choices = _listed([f"{row['uid']} ({row['type']})" for row in rows[:10]])
    advice = f" The relation expects the type {expected_type}: {_listed(fitting)}." if fitting else ""
    return AmbiguousName(
        f"{len(rows)} entities have this name",
        field=field,
        value=text,
        hint=f"Use one of the uids {choices}.{advice}",
        metadata={"uids": ", ".join(row["uid"] for row in rows)},
    )


def _written(change: NamedChange, obj: str) -> str:
    return f"({change.subject}, {change.relation}, {obj})"


def _folded(name: str) -> str:
    return "_".join(name_key(name).replace("-", " ").replace("_", " ").split())


def _steps(text: str) -> Iterator[tuple[str, dict[str, str | list[str]]]]:
    """Queries that find a name, and what they are given, the surest first.

    Cypher has no case folding, only small letters. "MASSE" is "Masse" before it is "Maße".
    """
    for query in _EXACT:
        yield query, {"text": text}
    plain = unicodedata.normalize("NFKC", without_invisible(text)).lower()
    yield "graphs/by_key", {"keys": [plain]}
    if folded := sorted({*_unfolded(name_key(text))} - {plain}):
        yield "graphs/by_key", {"keys": folded}


def _unfolded(key: str) -> Iterator[str]:
    """The names in small letters that fold to a key, as far as "ß" and the "ς" that ends a word are concerned."""
    parts = key.split("ss", _MOST_UNFOLDED)
    for joints in itertools.product(("ss", "ß"), repeat=len(parts) - 1):
        text = parts[0] + "".join(itertools.chain.from_iterable(zip(joints, parts[1:], strict=True)))
        yield text
        yield _LAST_SIGMA.sub("ς", text)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(shorten(name, 60) for name in names)
