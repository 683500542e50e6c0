"""Words by which relations are suspected to say one another: the lists of :mod:`doubtful_names`.

A meaning has two sides: who reads a phrase of one side from subject to object may read one of the other side from
object to subject. A phrase behind ``!`` is a special case of the others: "father of" is "parent of", but not the other
way round.
"""

from __future__ import annotations

from typing import Final

_SIDES: Final[dict[str, tuple[str, str]]] = {
    "containment": (
        """
        part of | component of | element of | section of | segment of | subdivision of | portion of
        piece of | ingredient of | contained in | contained by | included in | inside | within | inside of | in
        located in | situated in | lies in | lies within | based in | belongs to | enclosed by | surrounded by
        has whole | whole | holonym | has holonym | meronym of | located within | administrative territorial entity
        located in the administrative territorial entity | partonym of | housed in | embedded in | occurs in
        teil von | ist teil von | gehört zu | liegt in | befindet sich in | enthalten in | bestandteil von
        partie de | fait partie de | situé dans | située dans | se trouve dans | parte de | forma parte de
        se encuentra en | situado en | fa parte di | si trova in | faz parte de | fica em | deel van | ligt in
        часть | входит в | находится в | 位于 | 的一部分
        """,
        """
        has part | part | parts | has parts | contains | comprises | consists of | includes | composed of | made of
        made up of | has component | component | components | has element | has ingredient | ingredient | encloses
        surrounds | houses | whole of | holonym of | meronym | has meronym | contains the part | location of
        contains administrative territorial entity | has location of | embeds | site of
        hat teil | besteht aus | enthält | umfasst | contient | comprend | se compose de | contiene | incluye
        consta de | include | comprende | contém | inclui | bevat | bestaat uit | содержит | включает | 包含 | 包括
        """,
    ),
    "kind": (
        """
        is a | is an | kind of | type of | sort of | subclass of | sub class of | subtype of | sub type of
        hyponym of | has hypernym | hypernym | broader | has broader | broader term | broader transitive
        broader generic | broader partitive | broad match | narrower than | subconcept of | specialization of
        specialisation of | superclass | has superclass | supertype | subset of | subproperty of | child concept of
        oberbegriff | unterklasse von | art von | ist ein | ist eine | est un | est une | es un | es una | è un | è una
        """,
        """
        superclass of | super class of | supertype of | hypernym of | hyponym | has hyponym | narrower | has narrower
        narrower term | narrower transitive | narrower generic | narrower partitive | narrow match | broader than
        subclass | subclasses | has subclass | has subtype | subtype | superset of | generalization of | has kind
        generalisation of | has child concept | unterbegriff | oberklasse von
        """,
    ),
    "instance": (
        "instance of | a | type | has type | example of | individual of | has class | class | type of | rdf type",
        "has instance | instances | instance | class of | has example | example | examples",
    ),
    "order": (
        """
        precedes | before | comes before | prior to | earlier than | predecessor of | followed by | succeeded by
        next | has next | successor | has successor | replaced by | superseded by | next in sequence | previous of
        preceded | ends before | vor | gefolgt von | nachfolger | suivi par | suivi de | antes de | seguido por
        """,
        """
        follows | after | comes after | later than | successor of | preceded by | previous | has previous
        predecessor | has predecessor | replaces | supersedes | succeeds | succeeded | followed | starts after | next of
        nach | vorgänger | nachfolger von | précédé par | précédé de | después de | precedido por
        """,
    ),
    "cause": (
        """
        causes | cause of | leads to | results in | brings about | induces | triggers | has effect | effect | produces
        gives rise to | verursacht | führt zu | provoque | cause | causa
        """,
        """
        caused by | effect of | result of | results from | due to | has cause | induced by | triggered by
        because of | consequence of | arises from | verursacht durch | provoqué par | causé par | causado por
        """,
    ),
    "descent": (
        """
        ancestor of | has descendant | descendant | descendants | forefather of | progenitor of | vorfahr von
        """,
        "descendant of | has ancestor | ancestor | ancestors | descended from | descends from | nachfahre von",
    ),
    "parent": (
        """
        parent of | has child | child | children | kids | begot | elternteil von | hat kind | kind
        !father of | !mother of | !has son | !has daughter | !son | !daughter | !sons | !daughters | !vater von
        !mutter von
        """,
        """
        child of | has parent | parent | parents | born to | offspring of | kind von | eltern
        !son of | !daughter of | !has father | !has mother | !father | !mother | !sohn von | !tochter von | !vater
        !mutter
        """,
    ),
    "marriage": (
        "spouse | spouse of | married to | marriage | has spouse | partner of | !husband of | !wife | !has wife",
        "!wife of | !husband | !has husband",
    ),
    "employment": (
        "employs | employer of | has employee | employee | employees | staff",
        "employed by | works for | works at | working for | employee of | has employer | employer | worked for",
    ),
    "membership": (
        "member of | belongs to | plays for | affiliated with | has team | team | mitglied von",
        "has member | member | members | has members | hat mitglied",
    ),
    "authority": (
        "manages | manager of | supervises | superior of | boss of | leads | leader of | head of | directs | governs",
        """
        reports to | subordinate of | subordinate to | managed by | manager | supervised by | supervisor | led by
        leader | has leader | headed by | governed by
        """,
    ),
    "teaching": (
        "teaches | teacher of | taught | has student | student | students | advisor of | has pupil | mentor of",
        "taught by | student of | pupil of | has teacher | teacher | studied under | advisor | advised by | mentor",
    ),
    "authorship": (
        "wrote | writes | author of | writer of | composed | composer of | created | creator of | made | maker of",
        "written by | author | has author | writer | composed by | composer | created by | creator | made by | maker",
    ),
    "ownership": (
        "owns | owner of | possesses | holds | has property | proprietor of | subsidiary | has subsidiary",
        "owned by | owner | has owner | property of | belongs to | held by | subsidiary of | parent company",
    ),
    "need": (
        "depends on | requires | needs | prerequisite | has prerequisite | dependency | dependent on | relies on",
        "required by | needed by | prerequisite of | dependency of | supports | enables | enabled",
    ),
    "height": ("above | over | higher than | on top of", "below | under | beneath | underneath | lower than"),
    "size": ("larger than | bigger than | greater than | more than", "smaller than | less than | fewer than"),
    "age": ("older than | elder than", "younger than"),
    "length": ("longer than | taller than", "shorter than"),
    "weight": ("heavier than | stronger than", "lighter than | weaker than"),
    "speed": ("faster than", "slower than"),
    "worth": ("better than", "worse than"),
    "north": ("north of", "south of"),
    "east": ("east of", "west of"),
    "left": ("left of", "right of"),
    "front": ("in front of", "behind"),
    "food": ("eats | preys on | predator of | feeds on | has prey | prey", "eaten by | prey of | predator | food of"),
    "trade": ("sells to | exports to | supplies | supplier of", "buys from | imports from | supplied by | supplier"),
    "victory": ("beat | defeated | defeats | won against", "lost to | defeated by | beaten by"),
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _senses() -> dict[str, tuple[tuple[str, bool, bool], ...]]:
    """By phrase: the meaning, whether the phrase is of its second side, and whether it is a special case."""
    found: dict[str, list[tuple[str, bool, bool]]] = {}
    for kind, sides in _SIDES.items():
        for side, text in enumerate(sides):
            for phrase in map(str.strip, text.replace("\n", "|").split("|")):
                if phrase:
                    found.setdefault(phrase.removeprefix("!"), []).append((kind, bool(side), phrase.startswith("!")))
    return {phrase: tuple(dict.fromkeys(rows)) for phrase, rows in found.items()}


SENSES: Final = _senses()
TRANSITIVE_SENSES: Final = _words(
    "containment kind order cause descent authority need height size age length weight speed worth north east ownership"
)
"""Meanings that go on from one fact to the next."""
KIND: Final = "kind"
"""The meaning over which everything goes on: what holds of a kind holds of its narrower kinds."""
INSTANCE: Final = "instance"
CONTAINMENT: Final = "containment"
WIDER: Final = {"parent": "descent"}
"""By meaning, one that follows from it."""
TRANSITIVE: Final = _words(
    """
    within inside under above below before after beneath behind ancestor descendant depends requires subordinate
    reachable broader narrower subset superset transitive same equivalent equals identical equal synonym sibling
    """
)
SYMMETRIC: Final = _words(
    """
    similar related relates relation connected connects connection linked links link interacts interaction interacting
    friend friends friendship colleague colleagues neighbor neighbors neighbour neighbours neighbouring neighboring
    adjacent overlaps overlap overlapping near nearby close next associated association correlates correlated
    correlation equivalent equivalence same match matches exact rival rivals enemy enemies ally allies allied partner
    partners relative compatible bonded bond touches intersects meets met knows acquainted collaborates collaborator
    collaborated married marriage spouse sibling siblings brother sister twin disjoint different opposite antonym
    synonym cognate contact shares edge edges compare compared see alternative peer peers cousin classmate teammate
    coauthor coauthors co synonymous identical equal equals borders bordering confused competes competitor rhymes
    undirected verwandt befreundet verbunden ähnlich amigo ami lié 相关 相似 朋友
    """
)
PREPOSITIONS: Final = _words(
    """
    of in to by with at on from into for than as within inside under over above below before after about near against
    von zu mit durch an auf für aus de du dans en sur par à avec di da con per em w z do na в на из с к
    """
)
LOCATIVE: Final = _words("in at within inside en dans em i à в w på på i te")
"""What stands last in "born in"."""
PLACES: Final = frozenset(
    map(
        str.strip,
        """
        birthplace | birth place | place of birth | deathplace | death place | place of death | location | place
        residence | headquarters | headquarters location | home | home town | hometown | venue | site | member of
        works for | works at | employed by | employer | educated at | alma mater | studied at | affiliation
        affiliated with | country | region | geburtsort | sterbeort | wohnort | sitz
        """.replace("\n", "|").split("|"),
    )
) - {""}
"""What holds of a larger place or body too."""
AGENTS: Final = ("er", "or")
IRREGULAR: Final = {
    "children": "child",
    "people": "person",
    "wives": "wife",
    "written": "write",
    "wrote": "write",
    "built": "build",
    "made": "make",
    "taught": "teach",
    "led": "lead",
    "held": "hold",
    "known": "know",
    "won": "win",
    "driven": "drive",
    "given": "give",
    "taken": "take",
    "spoken": "speak",
    "eaten": "eat",
    "sold": "sell",
    "bought": "buy",
    "found": "find",
    "begun": "begin",
    "worn": "wear",
    "chosen": "choose",
    "drawn": "draw",
    "sung": "sing",
    "shot": "shoot",
    "fed": "feed",
    "kept": "keep",
}
