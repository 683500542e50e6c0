"""py2neo OGM classes of the graph model, for notebooks that still use py2neo.

>>> from py2neo import Graph
>>> from knowledgesmith.client.ogm import EntityNode
>>> graph = Graph("bolt://127.0.0.1:7687", auth=("neo4j", "..."))  # `ksmith neo4j info` shows address and login
>>> EntityNode.of_graph(graph, "atlas", name="Japan").first()

The classes only read: the service is the one writer of these nodes. Two limits of py2neo's mapper:

- A primary key is one property, while entities, relations and cases are unique within a graph only:
  ``EntityNode.match(graph, "france")`` finds the entities of all graphs, so use ``of_graph`` for them.
- Related objects are a set of nodes, which keeps one of several relationships to the same node, so read the ledger with
  :meth:`InterventionNode.ledger` and the targets with :meth:`InterventionNode.target_facts`.
"""

from __future__ import annotations

import warnings
from typing import Any

from knowledgesmith.client._extras import NOTEBOOK, require

require(NOTEBOOK, "Reading with py2neo")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from py2neo import RelationshipMatcher
    from py2neo.ogm import Label, Model, Property, RelatedFrom, RelatedTo


class _WithinGraph:
    """Nodes whose key is unique within a graph only."""

    @classmethod
    def of_graph(cls, graph: Any, graph_id: str, **properties: Any) -> Any:
        """A ``ModelMatch`` of the nodes of one graph that have these properties.

        Args:
            graph: the ``py2neo.Graph`` (the database).
            graph_id: the knowledge graph.
            properties: values that must be equal, such as ``uid="france"``.
        """
        found: Any = cls
        return found.match(graph).where(graph_id=graph_id, **properties)


class EntityNode(_WithinGraph, Model):  # type: ignore[misc]  # py2neo has no types
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
    belief_intervention = Property()
    belief_seq = Property()

    root = Label("Root")
    intermediate = Label("Intermediate")
    leaf = Label("Leaf")

    children = RelatedTo("EntityNode", "HAS_CHILD")
    parents = RelatedFrom("EntityNode", "HAS_CHILD")
    probes = RelatedFrom("ProbeNode", "ABOUT")
    changed_by = RelatedFrom("InterventionNode", "CHANGED")


class RelationNode(_WithinGraph, Model):  # type: ignore[misc]  # py2neo has no types
    """An entry of a graph's relation catalogue; its key is unique within a graph."""

    __primarylabel__ = "Relation"
    __primarykey__ = "name"

    graph_id = Property()
    name = Property()
    rel_type = Property()
    domain_type = Property()
    range_type = Property()
    functional = Property()
    inverse_functional = Property()
    symmetric = Property()
    transitive = Property()
    hierarchical = Property()
    inverse_of = Property()
    composed_of = Property()
    templates = Property()


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
    planned_by = RelatedFrom("InterventionNode", "PLANNED")
    sets = RelatedTo("ProbeSetNode", "MEMBER")


class ProbeSetNode(Model):  # type: ignore[misc]  # py2neo has no types
    """A set of probes; its members are nodes where it was materialised, otherwise they lie in a file."""

    __primarylabel__ = "ProbeSet"
    __primarykey__ = "id"

    id = Property()
    graph_id = Property()
    graph_digest = Property()
    seed = Property()
    digest = Property()
    path = Property()

    members = RelatedFrom(ProbeNode, "MEMBER")


class CaseNode(_WithinGraph, Model):  # type: ignore[misc]  # py2neo has no types
    """A ready intervention of a benchmark; its key is unique within a graph."""

    __primarylabel__ = "Case"
    __primarykey__ = "id"

    graph_id = Property()
    id = Property()

    changes = RelatedTo(EntityNode, "CHANGES")


class ModelNode(Model):  # type: ignore[misc]  # py2neo has no types
    """A registered base model."""

    __primarylabel__ = "Model"
    __primarykey__ = "id"

    id = Property()
    path = Property()
    weights_sha256 = Property()
    architecture = Property()
    parameters = Property()

    base = RelatedTo("RevisionNode", "BASE")
    branches = RelatedFrom("BranchNode", "OF")


class RevisionNode(Model):  # type: ignore[misc]  # py2neo has no types
    """One state of a model: its parent and an artefact."""

    __primarylabel__ = "Revision"
    __primarykey__ = "id"

    id = Property()
    artefact_sha256 = Property()
    weights_sha256 = Property()

    parent = RelatedTo("RevisionNode", "PARENT")
    children = RelatedFrom("RevisionNode", "PARENT")
    produced_by = RelatedFrom("InterventionNode", "PRODUCED")


class BranchNode(Model):  # type: ignore[misc]  # py2neo has no types
    """A line of model states for one graph."""

    __primarylabel__ = "Branch"
    __primarykey__ = "id"

    id = Property()
    graph_id = Property()
    model_id = Property()

    model = RelatedTo(ModelNode, "OF")
    head = RelatedTo(RevisionNode, "HEAD")
    interventions = RelatedFrom("InterventionNode", "ON")


class InterventionNode(Model):  # type: ignore[misc]  # py2neo has no types
    """An intervention; ``planned`` are its probes, with their outcomes on the relationship.

    ``changed`` and ``targets`` are the *entities* of its ledger and of its changes, each once, with the properties of
    an arbitrary one of their rows; :meth:`ledger` and :meth:`target_facts` give every row.
    """

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
    branch = RelatedTo(BranchNode, "ON")
    produced = RelatedTo(RevisionNode, "PRODUCED")

    def ledger(self, graph: Any) -> list[Any]:
        """All ``CHANGED`` relationships as ``py2neo.Relationship``, by ``seq``; ``end_node`` is the entity.

        Args:
            graph: the ``py2neo.Graph`` that this object was matched in.
        """
        return self._relationships(graph, "CHANGED", "_.seq")

    def target_facts(self, graph: Any) -> list[Any]:
        """All ``TARGETS`` relationships as ``py2neo.Relationship``, by ``fact_id``; one for each changed fact."""
        return self._relationships(graph, "TARGETS", "_.fact_id")

    def _relationships(self, graph: Any, kind: str, order: str) -> list[Any]:
        mapped: Any = self
        return list(RelationshipMatcher(graph).match((mapped.__node__, None), r_type=kind).order_by(order))
