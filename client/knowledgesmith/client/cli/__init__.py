"""The command line ``ksmith``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click

from knowledgesmith.client.cli.shared.lazy import Entry, LazyGroup

ENTRIES: Final[Mapping[str, Entry]] = {
    "up": Entry("service.server", "up", "Start a server of your own."),
    "down": Entry("service.server", "down", "Stop it."),
    "status": Entry("service.server", "status", "What the server holds and does."),
    "config": Entry("service.config", "config", "Show every setting of a server, and where its value comes from."),
    "operations": Entry(
        "service.operations", "operations", "List, show, await, cancel and delete the server's long operations."
    ),
    "doctor": Entry("service.doctor", "doctor", "Look at everything that a server needs on this machine."),
    "neo4j": Entry("service.database", "neo4j", "The embedded Neo4j by itself."),
    "cypher": Entry("service.database", "cypher", "Run a read-only Cypher query."),
    "import": Entry("graphs.imports", "import_", "Import a graph from files of any known format, or a bundled one."),
    "graphs": Entry("graphs.listing", "graphs", "List the graphs."),
    "graph": Entry("graphs.graph", "graph", "Show, compare, check, delete, export and load graphs."),
    "relations": Entry(
        "graphs.relations", "relations", "List relations and how questions word them; correct wordings, accept traits."
    ),
    "probes": Entry("graphs.probes", "probes", "Generate, show, sample, check, exchange and delete probe sets."),
    "cases": Entry("graphs.cases", "cases", "List the ready interventions of a graph, or show one."),
    "models": Entry("models.models", "models", "List the models, or register one."),
    "methods": Entry("models.models", "methods", "List the methods and what they accept."),
    "branch": Entry("models.branches", "branch", "Create, list, show, select and delete branches."),
    "plan": Entry("interventions.plan", "plan", "Show what a change would do, without doing it."),
    "edit": Entry("interventions.change", "edit", "Insert or modify facts in a branch's model."),
    "unlearn": Entry("interventions.change", "unlearn", "Erase facts from a branch's model."),
    "interventions": Entry("interventions.interventions", "interventions", "List the interventions, newest first."),
    "watch": Entry("interventions.interventions", "watch", "Follow an intervention: states, progress, belief changes."),
    "commit": Entry("interventions.interventions", "commit", "Commit an intervention that awaits a decision."),
    "discard": Entry("interventions.interventions", "discard", "Discard an intervention that awaits a decision."),
    "cancel": Entry("interventions.interventions", "cancel", "Stop an intervention at its next safe point."),
    "delete": Entry(
        "interventions.interventions", "delete", "Delete an intervention with its ledger, plan and artefact."
    ),
    "ask": Entry("models.ask", "ask", "Let a branch's model continue prompts, now and before."),
    "propagation": Entry("results.questions", "propagation", "What an intervention moved, how far, and what it broke."),
    "picture": Entry("results.picture", "picture", "Draw what an intervention moved as an HTML or SVG file."),
    "rollback": Entry("models.revisions", "rollback", "Take a branch back to its parent revision, bit by bit."),
    "export": Entry("models.revisions", "export", "Write a revision as a checkpoint or an adapter."),
    "demo": Entry("service.demo", "demo", "Tell the whole story once, on the bundled graph and model."),
}
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Server": ("up", "down", "status", "operations", "config", "doctor", "neo4j", "demo"),
    "Graphs and probes": ("import", "graphs", "graph", "relations", "probes", "cases", "cypher"),
    "Models": ("models", "methods", "branch", "ask", "rollback", "export"),
    "Changes": ("plan", "edit", "unlearn", "interventions", "watch", "commit", "discard", "cancel", "delete"),
    "Results": ("propagation", "picture"),
}

main = LazyGroup(
    name="ksmith",
    help="Change what a language model knows, with a knowledge graph as the record.",
    entries=ENTRIES,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
click.version_option(package_name="knowledgesmith", prog_name="ksmith")(main)
