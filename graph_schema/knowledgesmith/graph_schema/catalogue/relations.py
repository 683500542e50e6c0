"""The relation catalogue: relationship types, traits and templates, checked as a whole.

``build_catalogue`` takes relations as somebody wrote them and returns them complete: every relation has a relationship
type of its own, inverses know each other, what follows from a trait is set, and every relation can be phrased.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from knowledgesmith.graph_schema.catalogue.corrected_wordings import corrected
from knowledgesmith.graph_schema.catalogue.templates import complete_templates, problem_with_template, shared_text
from knowledgesmith.graph_schema.catalogue.wording_clashes import separate
from knowledgesmith.graph_schema.errors import InvalidCatalogue
from knowledgesmith.graph_schema.language.text_checks import MAX_WORD, problem_with
from knowledgesmith.graph_schema.types.facts import Direction, Form, Origin, Relation, Split, Template, Traits

REL_TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,62}")
"""What a relationship type looks like."""
RESERVED = frozenset(
    {
        *("ABOUT", "ASKS", "BASE", "CHANGED", "CHANGES", "DERIVED", "HAS_CHILD", "HEAD", "MEMBER", "OF", "ON"),
        *("OVERLAY", "PARENT", "PLANNED", "PRODUCED", "TARGETS"),
    }
)
"""Relationship types that the service itself uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueProblem:
    """One fault of a catalogue: the relation, what is wrong, the way out."""

    relation: str
    problem: str
    hint: str

    def as_error(self) -> InvalidCatalogue:
        """The error that names this fault."""
        return InvalidCatalogue(
            f"relation {self.problem}",
            field="relation",
            value=self.relation,
            hint=self.hint,
            metadata={"relation": self.relation, "problem": self.problem},
        )


def build_catalogue(relations: Iterable[Relation]) -> dict[str, Relation]:
    """Check and complete relations; ``rel_type`` may be empty and is then derived from the name.

    Raises:
        InvalidCatalogue: the first fault, with the relation and the way out.
    """
    catalogue, problems = inspect_catalogue(relations)
    if problems:
        raise problems[0].as_error()
    return catalogue


def inspect_catalogue(relations: Iterable[Relation]) -> tuple[dict[str, Relation], list[CatalogueProblem]]:
    """Check and complete relations; the catalogue is only of use when there are no problems."""
    given = list(relations)
    problems = [p for relation in given for p in _own_problems(relation)]
    for name, count in Counter(relation.name for relation in given).items():
        if count > 1:
            problems.append(_fault(name, "is declared twice", "Keep one row of this name."))
    catalogue = {relation.name: relation for relation in given}
    problems += _inverse_problems(catalogue)
    problems += _composition_problems(catalogue)
    problems += _super_problems(catalogue)
    if problems:
        return catalogue, problems
    catalogue = _with_rel_types(_with_implied_traits(catalogue))
    problems += [p for relation in catalogue.values() for p in _trait_problems(relation, catalogue)]
    problems += _type_problems(catalogue)
    completed = {
        name: replace(relation, templates=complete_templates(name, relation.templates))
        for name, relation in sorted(catalogue.items())
    }
    return separate(completed), problems


def _fault(relation: str, problem: str, hint: str) -> CatalogueProblem:
    return CatalogueProblem(relation=relation, problem=problem, hint=hint)


def _own_problems(relation: Relation) -> list[CatalogueProblem]:
    """Faults that show without looking at other relations."""
    found: list[CatalogueProblem] = []
    name = relation.name
    if problem := problem_with(name, limit=MAX_WORD):
        found.append(_fault(name, problem, "Give it a short name in plain characters."))
    elif name.startswith("~") or "|" in name:
        found.append(_fault(name, 'has "~" in front or "|" in its name', "These signs write chains; leave them out."))
    rel_type = relation.rel_type
    if rel_type and not REL_TYPE.fullmatch(rel_type):
        hint = "Use A-Z, 0-9 and _, a letter first, at most 63 characters, or leave rel_type empty."
        found.append(_fault(name, f"has the relationship type {rel_type[:80]!r}", hint))
    elif rel_type in RESERVED:
        found.append(_fault(name, f"uses the reserved type {rel_type}", "Choose another, or leave rel_type empty."))
    found += [
        _fault(name, f"has a domain or range type that {problem}", "Shorten it.")
        for value in (relation.domain_type, relation.range_type)
        if (problem := problem_with(value, limit=MAX_WORD, empty=True))
    ]
    found += [
        _fault(name, f"has a bad template {template.text[:80]!r}: {problem}", "Correct the text.")
        for template in relation.templates
        if (problem := problem_with_template(template))
    ]
    if text := shared_text(relation.templates):
        hint = "Training phrasings must differ from evaluation phrasings."
        found.append(_fault(name, f"has the text {text[:80]!r} in both splits", hint))
    return found


def _inverse_problems(catalogue: Mapping[str, Relation]) -> list[CatalogueProblem]:
    found: list[CatalogueProblem] = []
    for name, relation in catalogue.items():
        inverse = relation.traits.inverse_of
        if inverse is None:
            continue
        if inverse == name:
            found.append(_fault(name, "is its own inverse", "Declare it symmetric instead."))
        elif inverse not in catalogue:
            found.append(_fault(name, f"names an unknown inverse {inverse[:80]!r}", "Declare that relation too."))
        elif (back := catalogue[inverse].traits.inverse_of) not in {None, name}:
            hint = "An inverse is mutual: let both name each other, or leave one side empty."
            found.append(_fault(name, f"has the inverse {inverse!r}, whose inverse is {back!r}", hint))
    claims: dict[str, str] = {}
    for name, relation in sorted(catalogue.items()):
        inverse = relation.traits.inverse_of
        if inverse is not None and claims.setdefault(inverse, name) != name:
            found.append(_fault(name, f"and {claims[inverse]!r} both claim the inverse {inverse!r}", "Keep one."))
    return found


def _composition_problems(catalogue: Mapping[str, Relation]) -> list[CatalogueProblem]:
    found: list[CatalogueProblem] = []
    for name, relation in catalogue.items():
        for parts in relation.traits.chains:
            if len(parts) != 2:
                found.append(_fault(name, f"is composed of {len(parts)} relations", "Name exactly two: r1|r2."))
            elif unknown := [part for part in parts if part not in catalogue]:
                hint = "Declare that relation too."
                found.append(_fault(name, f"is composed of an unknown relation {unknown[0][:80]!r}", hint))
            elif set(parts) == {name}:
                found.append(_fault(name, "is composed of itself twice", "Declare it transitive instead."))
    return found


def _super_problems(catalogue: Mapping[str, Relation]) -> list[CatalogueProblem]:
    found: list[CatalogueProblem] = []
    for name, relation in catalogue.items():
        for above in relation.traits.sub_of:
            if above == name:
                found.append(_fault(name, "is a subrelation of itself", "Leave that out: it says nothing."))
            elif above not in catalogue:
                hint = "Declare that relation too."
                found.append(_fault(name, f"is a subrelation of an unknown relation {above[:80]!r}", hint))
    return found


def _with_implied_traits(catalogue: Mapping[str, Relation]) -> dict[str, Relation]:
    """Set the silent side of inverses, and what symmetry and inverses say about functionality."""
    inverse_of = {name: relation.traits.inverse_of for name, relation in catalogue.items()}
    for name, relation in catalogue.items():
        if relation.traits.inverse_of is not None:
            inverse_of[relation.traits.inverse_of] = name
    completed: dict[str, Relation] = {}
    for name, relation in catalogue.items():
        traits = relation.traits
        inverse = inverse_of[name]
        mirror = traits if traits.symmetric else catalogue[inverse].traits if inverse is not None else Traits()
        chains = traits.chains
        completed[name] = replace(
            relation,
            traits=replace(
                traits,
                composed_of=chains[0] if chains else (),
                compositions=tuple(sorted(chains[1:])),
                sub_of=tuple(sorted(set(traits.sub_of))),
                inverse_of=inverse,
                functional=traits.functional or mirror.inverse_functional,
                inverse_functional=traits.inverse_functional or mirror.functional,
                transitive=traits.transitive or (mirror.transitive and not traits.symmetric),
            ),
        )
    return completed


def _trait_problems(relation: Relation, catalogue: Mapping[str, Relation]) -> list[CatalogueProblem]:
    traits, name = relation.traits, relation.name
    found: list[CatalogueProblem] = []
    if traits.symmetric and traits.hierarchical:
        found.append(_fault(name, "is symmetric and hierarchical", "A parent is not its child's child; drop one."))
    if traits.symmetric and traits.inverse_of is not None:
        hint = "A symmetric relation is its own inverse; drop inverse_of."
        found.append(_fault(name, f"is symmetric and has the inverse {traits.inverse_of!r}", hint))
    if traits.transitive and (traits.functional or traits.inverse_functional):
        hint = "Two steps would give a second object; drop transitive, or functional and inverse_functional."
        found.append(_fault(name, "is transitive and functional", hint))
    inverse = catalogue.get(traits.inverse_of) if traits.inverse_of is not None else None
    if inverse is not None and traits.hierarchical and inverse.traits.hierarchical:
        hint = "Hierarchical relations point from the child to its parent; only one of the two does."
        found.append(_fault(name, f"and its inverse {inverse.name!r} are both hierarchical", hint))
    return found


def _type_problems(catalogue: Mapping[str, Relation]) -> list[CatalogueProblem]:
    owners: dict[str, str] = {}
    found: list[CatalogueProblem] = []
    for name, relation in sorted(catalogue.items()):
        if (owner := owners.setdefault(relation.rel_type, name)) != name:
            hint = "Give each relation a relationship type of its own, or leave rel_type empty."
            found.append(_fault(name, f"has the relationship type {relation.rel_type} of {owner!r}", hint))
    return found


def _with_rel_types(catalogue: Mapping[str, Relation]) -> dict[str, Relation]:
    declared = {relation.rel_type for relation in catalogue.values() if relation.rel_type}
    derived = derive_rel_types([name for name, relation in catalogue.items() if not relation.rel_type], taken=declared)
    return {
        name: relation if relation.rel_type else replace(relation, rel_type=derived[name])
        for name, relation in catalogue.items()
    }


def derive_rel_types(names: Sequence[str], *, taken: Iterable[str] = ()) -> dict[str, str]:
    """Relationship types for relation names: upper case, and with a hash suffix where two would be the same.

    The result does not depend on the order of ``names``. Of several names with one upper-case form, the one that is
    exactly its lower-case form keeps it; the others, and those whose form is taken or reserved, get the suffix.
    """
    plain: dict[str, str] = {name: _plain_rel_type(name) for name in names}
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name, rel_type in plain.items():
        groups[rel_type].append(name)
    blocked = RESERVED | set(taken)
    types: dict[str, str] = {}
    for rel_type, members in groups.items():
        keeper = members[0] if len(members) == 1 else rel_type.lower()
        for name in members:
            free = name == keeper and rel_type not in blocked and len(rel_type) <= 63
            types[name] = rel_type if free else f"{rel_type[:50]}_{_hash(name)}"
    return types


def _plain_rel_type(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", ascii_name)
    plain = re.sub(r"[^A-Z0-9]+", "_", spaced.upper()).strip("_")
    if not plain:
        return f"R_{_hash(name)}"
    return plain if plain[0].isalpha() else f"R_{plain}"


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12].upper()


def rank(relation: Relation) -> tuple[bool, bool, str]:
    """Of two inverses, the one that ranks first is the way in which a fact is kept that is stored both ways."""
    return (not relation.traits.hierarchical, not relation.traits.functional, relation.name)


def to_properties(relation: Relation) -> dict[str, Any]:
    """The properties of a relation's node; templates are one JSON text."""
    traits = relation.traits
    return {
        "name": relation.name,
        "rel_type": relation.rel_type,
        "domain_type": relation.domain_type,
        "range_type": relation.range_type,
        "functional": traits.functional,
        "inverse_functional": traits.inverse_functional,
        "symmetric": traits.symmetric,
        "transitive": traits.transitive,
        "hierarchical": traits.hierarchical,
        "inverse_of": traits.inverse_of,
        "composed_of": list(traits.composed_of),
        "compositions": ["|".join(pair) for pair in traits.compositions],
        "sub_of": list(traits.sub_of),
        "either_way": traits.either_way or None,  # stored of few relations, and of none by earlier releases
        "templates": json.dumps(
            [
                [t.direction, t.split, t.form, t.text, t.origin]
                for t in relation.templates
                if t.origin is not Origin.CORRECTED
            ]
        ),
    }


def _origin(stored: Sequence[str]) -> Origin:
    return Origin(stored[0]) if stored else Origin.GIVEN


def from_properties(properties: Mapping[str, Any]) -> Relation:
    """A relation from the properties of its node."""
    traits = Traits(
        functional=properties["functional"],
        inverse_functional=properties["inverse_functional"],
        symmetric=properties["symmetric"],
        transitive=properties["transitive"],
        hierarchical=properties["hierarchical"],
        inverse_of=properties["inverse_of"],
        composed_of=tuple(properties["composed_of"]),
        compositions=tuple(tuple(pair.split("|")) for pair in properties.get("compositions") or ()),
        sub_of=tuple(properties.get("sub_of") or ()),
        either_way=bool(properties.get("either_way")),
    )
    templates = tuple(
        # what an earlier release stored does not say where a template comes from
        Template(direction=Direction(direction), split=Split(split), form=Form(form), text=text, origin=_origin(origin))
        for direction, split, form, text, *origin in json.loads(properties["templates"])
    )
    relation = Relation(
        name=properties["name"],
        rel_type=properties["rel_type"],
        domain_type=properties["domain_type"],
        range_type=properties["range_type"],
        traits=traits,
        templates=templates,
    )
    return corrected(relation, properties.get("corrections"))
