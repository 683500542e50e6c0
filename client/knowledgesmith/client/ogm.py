"""py2neo OGM classes of the graph model, for notebooks that still use py2neo.

>>> from py2neo import Graph
>>> from knowledgesmith.client.ogm import EntityNode
>>> graph = Graph("bolt://127.0.0.1:7687")
>>> EntityNode.match(graph).where(graph_id="atlas", name="Japan").first()

The classes only read: the service is the one writer of these nodes.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from py2neo.ogm import Label, Model, Property, RelatedFrom, RelatedTo


class EntityNode(Model):  # type: ignore[misc]  # py2neo has no types
    """An entity with the head beliefs of its graph's selected branch."""

    __primarylabel__ = "Entity"
    __primarykey__ = "uid"

    graph_id = Property()
    uid = Property()
    name = Property()
    aliases = Property()
    type = Property()
    domain = Property()
    depth = Property()
    retired = Property()
    belief = Property()
    belief_prev = Property()
    belief_delta = Property()
    belief_direct = Property()
    belief_reverse = Property()
    belief_multi_hop = Property()
    belief_comparison = Property()
    belief_contextual = Property()
    belief_conflict = Property()
    belief_run = Property()
    belief_seq = Property()

    root = Label("Root")
    intermediate = Label("Intermediate")
    leaf = Label("Leaf")

    children = RelatedTo("EntityNode", "HAS_CHILD")
    parents = RelatedFrom("EntityNode", "HAS_CHILD")
    probes = RelatedFrom("ProbeNode", "ABOUT")
    changed_by = RelatedFrom("InterventionNode", "CHANGED")


class GraphNode(Model):  # type: ignore[misc]  # py2neo has no types
    """A knowledge graph."""

    __primarylabel__ = "Graph"
    __primarykey__ = "graph_id"

    graph_id = Property()
    digest = Property()
    source = Property()
    head_branch = Property()


class ProbeNode(Model):  # type: ignore[misc]  # py2neo has no types
    """A planned or materialised probe."""

    __primarylabel__ = "Probe"
    __primarykey__ = "id"

    id = Property()
    kind = Property()
    chain_length = Property()
    stem = Property()
    options = Property()
    answers = Property()
    template = Property()
    fact_ids = Property()

    about = RelatedTo(EntityNode, "ABOUT")


class InterventionNode(Model):  # type: ignore[misc]  # py2neo has no types
    """An intervention; ``changed`` is its ledger, with the row's members as relationship properties."""

    __primarylabel__ = "Intervention"
    __primarykey__ = "id"

    id = Property()
    goal = Property()
    method = Property()
    target_distribution = Property()
    scorer = Property()
    state = Property()
    attempt = Property()
    request_id = Property()
    graph_digest = Property()
    actor = Property()

    targets = RelatedTo(EntityNode, "TARGETS")
    changed = RelatedTo(EntityNode, "CHANGED")
    planned = RelatedTo(ProbeNode, "PLANNED")
