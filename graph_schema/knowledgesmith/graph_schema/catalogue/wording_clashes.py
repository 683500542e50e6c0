"""Relations that would be asked about in the same words: "method", "method+" and "has-method" are three questions.

A reader, and a model, must be able to tell which relation a text is about. Where derived phrasings of two relations are
the same, both get the plain frame with the words of their names, and where these are the same too, with the names as
they stand. What somebody gave is never changed, only reported (:func:`mistakable`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from knowledgesmith.graph_schema.catalogue.derived_wordings import frame_templates, named_frame_templates
from knowledgesmith.graph_schema.language.name_keys import name_key
from knowledgesmith.graph_schema.language.text_checks import folded
from knowledgesmith.graph_schema.types.facts import Direction, Form, Origin, Relation, Split, Template

_OWN = frozenset({Origin.DERIVED, Origin.FRAME})
_ASKED = frozenset({Form.CLOZE, Form.STATEMENT})
_JOINTS = re.compile(r"(?<=\w)[\s_\u2010-\u2015-]+(?=\w)|_+")


def separate(catalogue: Mapping[str, Relation]) -> dict[str, Relation]:
    """The catalogue with different phrasings for different relations, where they are derived."""
    kept = dict(catalogue)
    for reworded in (frame_templates, named_frame_templates):
        for name in _clashing(kept, folded):
            if all(template.origin in _OWN for template in kept[name].templates):
                kept[name] = replace(kept[name], templates=reworded(name))
    return kept


def alike(catalogue: Mapping[str, Relation]) -> dict[str, tuple[str, ...]]:
    """Relations that share a phrasing with others, to the last sign, and those others; names sorted."""
    return _clashing(catalogue, str)


def mistakable(catalogue: Mapping[str, Relation]) -> dict[str, tuple[str, ...]]:
    """Relations that share a phrasing with others or are spelt like them, and those others; names sorted."""
    clashing, spelt = alike(catalogue), spelt_alike(catalogue)
    names = sorted(clashing.keys() | spelt.keys())
    return {name: tuple(sorted({*clashing.get(name, ()), *spelt.get(name, ())})) for name in names}


def spelt_alike(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Names that differ from others in letter case, hyphens, underscores, blanks or invisible signs alone; sorted.

    "likes" and "Likes", "capital-of" and "capital_of" are mostly one relation in two spellings. They stay apart, since
    only their author knows, but what one of them asserts must not be asked as false of the other.
    """
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        key = name_key(name)
        groups[_JOINTS.sub("", key) or key].add(name)
    found = {name: group - {name} for group in groups.values() if len(group) > 1 for name in group}
    return {name: tuple(sorted(others)) for name, others in sorted(found.items())}


def _clashing(catalogue: Mapping[str, Relation], key: Callable[[str], str]) -> dict[str, tuple[str, ...]]:
    holders: defaultdict[tuple[Direction, Form, str], set[str]] = defaultdict(set)
    for name, relation in catalogue.items():
        for template in _asked(relation):
            holders[template.direction, template.form, key(template.text)].add(name)
    others: defaultdict[str, set[str]] = defaultdict(set)
    for names in holders.values():
        if len(names) > 1:
            for name in names:
                others[name] |= names - {name}
    return {name: tuple(sorted(found)) for name, found in sorted(others.items())}


def _asked(relation: Relation) -> Iterator[Template]:
    return (t for t in relation.templates if t.split is Split.EVAL and t.form in _ASKED)
