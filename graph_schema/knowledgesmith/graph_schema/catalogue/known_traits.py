"""Traits that a relation's name says by itself, for tables, which have no other way to say them.

"Ulm located_in Baden-Württemberg, Baden-Württemberg located_in Germany": without the trait a question would offer
Germany as a wrong answer for Ulm, and "Ulm is located in Germany" as a false statement. Only names whose meaning leaves
no choice are here; a formal notation declares its own, and nothing is taken from names there.
"""

from __future__ import annotations

from typing import Final

from knowledgesmith.graph_schema.catalogue.relation_names import parse_name
from knowledgesmith.graph_schema.types.facts import Traits

_TRANSITIVE: Final = frozenset(
    """
    is a | isa | is an | kind of | is kind of | is a kind of | subclass of | sub class of | is a subclass of
    subtype of | part of | is part of | is a part of | broader | broader term | narrower | narrower term | has part
    contained in | located in | is located in | lies in | situated in | is situated in | ancestor of | descendant of
    ist ein | ist eine | ist eine art von | teil von | ist teil von | liegt in | befindet sich in | gelegen in
    est un | est une | partie de | fait partie de | est une partie de | situé dans | située dans | se trouve dans
    es un | es una | parte de | es parte de | forma parte de | se encuentra en | situado en | situada en | está en
    è un | è una | parte di | fa parte di | si trova in | situato in | situata in
    é um | é uma | faz parte de | é parte de | fica em | situa se em
    is een | deel van | is deel van | maakt deel uit van | ligt in | är en | är ett | del av | ligger i | er en | er et
    jest częścią | część | znajduje się w | leży w | jest rodzajem | bir türüdür | parçası | içindedir
    является частью | часть | входит в | находится в | расположен в | расположена в
    位于 | 是一种 | 的一部分 | 一部分 | の一部 | 一部 | にある | 위치 | 의 일부
    يقع في | تقع في | جزء من | का भाग | में स्थित
    """.replace("\n", " | ").split(" | ")
)
_SYMMETRIC: Final = frozenset(
    """
    borders | borders with | shares border with | shares a border with | has a border with | adjacent to
    is adjacent to
    neighbour of | neighbor of | is a neighbour of | is a neighbor of | married to | is married to
    spouse | spouse of
    sibling | sibling of | is a sibling of | cousin of | equal to | is equal to | equals | same as | is the same as
    is same as | opposite of | is opposite of | is the opposite of | antonym | antonym of | synonym | synonym of
    twinned with | is twinned with
    grenzt an | benachbart mit | verheiratet mit | ist verheiratet mit | geschwister von | ist gleich | synonym zu
    a une frontière avec | est voisin de | voisin de | marié à | mariée à | marié avec | mariée avec | égal à
    limita con | colinda con | casado con | casada con | igual a | es igual a
    confina con | sposato con | sposata con | faz fronteira com | casado com | casada com
    grenst aan | getrouwd met | gränsar till | gift med | grenser til | grænser op til | graniczy z
    граничит с | в браке с | равно | равен | 接壤 | 毗邻 | 相邻 | 隣接 | と隣接 | 접경 | يحد | تحد | متزوج من
    """.replace("\n", " | ").split(" | ")
)


def known_traits(name: str) -> Traits:
    """What follows from a relation by its name alone; no trait where the name leaves a choice."""
    words = _words(name)
    return Traits(transitive=words in _KNOWN_TRANSITIVE, symmetric=words in _KNOWN_SYMMETRIC)


def said(traits: Traits) -> str:
    """``transitive``, ``symmetric`` or nothing."""
    return "transitive" if traits.transitive else "symmetric" if traits.symmetric else ""


def _words(name: str) -> str:
    return " ".join(parse_name(name).words).lower()


_KNOWN_TRANSITIVE: Final = frozenset(_words(name) for name in map(str.strip, _TRANSITIVE) if name)
_KNOWN_SYMMETRIC: Final = frozenset(_words(name) for name in map(str.strip, _SYMMETRIC) if name)
