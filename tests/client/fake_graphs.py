"""Graphs, archives, catalogues, probe sets and cases of the tests' server."""

# ruff: noqa: N802 - names of the generated base classes
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf import struct_pb2
from tests.client import wire
from tests.client.fake_core import Part
from tests.client.wire import DIGEST

from knowledgesmith.v1 import (
    archive_pb2,
    archive_pb2_grpc,
    case_pb2,
    case_pb2_grpc,
    catalogue_pb2,
    catalogue_pb2_grpc,
    common_pb2,
    graph_pb2,
    graph_pb2_grpc,
    probe_pb2,
    probe_pb2_grpc,
)


class Graphs(Part, graph_pb2_grpc.GraphServiceServicer):
    def ImportGraph(
        self, request_iterator: Iterator[graph_pb2.ImportGraphRequest], context: Any
    ) -> operations_pb2.Operation:
        header = self.stream("ImportGraph", request_iterator, context)
        made = None if header.validate_only else wire.graph("mine")
        response = graph_pb2.ImportGraphResponse(graph=made, report=wire.import_report())
        return self.begin("ImportGraph", header, context, response, about=header.graph_id)

    def ListImportRejections(self, request: Any, context: Any) -> graph_pb2.ListImportRejectionsResponse:
        self.fake.take("ListImportRejections", request, context)
        return graph_pb2.ListImportRejectionsResponse(rejections=[wire.rejection()])

    def ListImporters(self, request: Any, context: Any) -> graph_pb2.ListImportersResponse:
        self.fake.take("ListImporters", request, context)
        option = graph_pb2.ImporterOption(name="depth", default=struct_pb2.Value(number_value=3))
        option.schema.update({"type": "integer"})
        importer = graph_pb2.Importer(name="obo", summary="OBO", endings=[".obo"], options=[option])
        return graph_pb2.ListImportersResponse(importers=[importer])

    def ImportBundledGraph(self, request: Any, context: Any) -> operations_pb2.Operation:
        report = graph_pb2.ImportReport(entities_created=10, facts_created=12, relations=4, seconds=0.5)
        graph_id = request.graph_id or request.name
        response = graph_pb2.ImportBundledGraphResponse(graph=wire.graph(graph_id), report=report)
        return self.begin_unary("ImportBundledGraph", request, context, response, about=graph_id)

    def GetGraph(self, request: Any, context: Any) -> graph_pb2.GetGraphResponse:
        self.fake.take("GetGraph", request, context)
        return graph_pb2.GetGraphResponse(graph=wire.graph(request.graph_id))

    def ListGraphs(self, request: Any, context: Any) -> graph_pb2.ListGraphsResponse:
        self.fake.take("ListGraphs", request, context)
        return graph_pb2.ListGraphsResponse(graphs=[wire.graph()])

    def DeleteGraph(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = graph_pb2.DeleteGraphResponse(deletion=wire.deletion(request.graph_id))
        return self.begin_unary("DeleteGraph", request, context, response, about=request.graph_id)

    def ListGraphVersions(self, request: Any, context: Any) -> graph_pb2.ListGraphVersionsResponse:
        self.fake.take("ListGraphVersions", request, context)
        version = graph_pb2.GraphVersion(number=1, digest=DIGEST, source="test", format="csv", facts_created=12)
        version.import_time.FromSeconds(1_700_000_000)
        return graph_pb2.ListGraphVersionsResponse(versions=[version])

    def DiffGraphs(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = graph_pb2.DiffGraphsResponse(diff=_diff(request.left_graph_id, request.right_graph_id))
        return self.begin_unary("DiffGraphs", request, context, response, about=request.left_graph_id)

    def CheckGraph(self, request: Any, context: Any) -> operations_pb2.Operation:
        broken = graph_pb2.CheckResult(
            name="levels", rule="Levels follow the hierarchy.", hint="Import it again.", looked_at=10, broken=1
        )
        broken.findings.add(subject="japan", found="Leaf", expected="Root")
        results = [graph_pb2.CheckResult(name="digest", rule="The digest is that of the facts.", looked_at=12)]
        sound = request.graph_id != "broken"
        response = graph_pb2.CheckGraphResponse(
            graph_id=request.graph_id, digest=DIGEST, sound=sound, results=results if sound else [*results, broken]
        )
        return self.begin_unary("CheckGraph", request, context, response, about=request.graph_id)

    def RunCypher(self, request: Any, context: Any) -> graph_pb2.RunCypherResponse:
        self.fake.take("RunCypher", request, context)
        rows, most = self.fake.cypher_rows, request.max_rows
        return graph_pb2.RunCypherResponse(columns=["name", "n"], rows=rows, truncated=0 < most < len(rows))

    def GetConnectionInfo(self, request: Any, context: Any) -> graph_pb2.GetConnectionInfoResponse:
        self.fake.take("GetConnectionInfo", request, context)
        return graph_pb2.GetConnectionInfoResponse(uri="bolt://127.0.0.1:7687", database="neo4j", embedded=True)


def _diff(left: str, right: str) -> graph_pb2.GraphDiff:
    return graph_pb2.GraphDiff(
        left=left,
        right=right,
        left_digest=DIGEST,
        right_digest="cd" * 32,
        facts=graph_pb2.Difference(same=11, removed=1, removed_examples=["japan has_capital tokyo"]),
        by_relation=[graph_pb2.RelationDifference(relation="has_capital", removed=1)],
    )


class Archives(Part, archive_pb2_grpc.ArchiveServiceServicer):
    content = (b"an ", b"archive")
    summary = archive_pb2.ArchiveSummary(
        graph_id="atlas", graph_digest=DIGEST, sha256=DIGEST, size=10, rows={"facts": 12}
    )

    def CreateArchive(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = archive_pb2.CreateArchiveResponse(summary=self.summary)
        return self.begin_unary("CreateArchive", request, context, response, about=request.graph_id)

    def DownloadArchive(self, request: Any, context: Any) -> Iterator[archive_pb2.DownloadArchiveResponse]:
        self.fake.take("DownloadArchive", request, context)
        rest = b"".join(self.content)[request.offset :]
        for start in range(0, len(rest), 3):
            yield archive_pb2.DownloadArchiveResponse(chunk=rest[start : start + 3])

    def LoadArchive(self, request_iterator: Any, context: Any) -> operations_pb2.Operation:
        header = self.stream("LoadArchive", request_iterator, context)
        graph_id = header.graph_id or "atlas"
        response = archive_pb2.LoadArchiveResponse(summary=self.summary, graph_id=graph_id, files=2)
        return self.begin("LoadArchive", header, context, response, about=graph_id)

    def DiffArchive(self, request_iterator: Any, context: Any) -> operations_pb2.Operation:
        header = self.stream("DiffArchive", request_iterator, context)
        response = archive_pb2.DiffArchiveResponse(diff=_diff(header.graph_id, header.name))
        return self.begin("DiffArchive", header, context, response, about=header.graph_id)


class Catalogue(Part, catalogue_pb2_grpc.CatalogueServiceServicer):
    relation = catalogue_pb2.Relation(
        name="has_capital",
        rel_type="HAS_CAPITAL",
        domain_type="Country",
        range_type="City",
        functional=True,
        chained=True,
    )
    trait = catalogue_pb2.Trait(kind=catalogue_pb2.TRAIT_KIND_INVERSE, relation="has_capital", others=["capital_of"])

    def worded(self) -> catalogue_pb2.Relation:
        made = catalogue_pb2.Relation()
        made.CopyFrom(self.relation)
        made.wordings.add(
            use=catalogue_pb2.WORDING_USE_DIRECT,
            text="The capital of {s} is",
            origin=catalogue_pb2.WORDING_ORIGIN_DERIVED,
            example="The capital of Japan is [Tokyo]",
        )
        return made

    def ListRelations(self, request: Any, context: Any) -> catalogue_pb2.ListRelationsResponse:
        self.fake.take("ListRelations", request, context)
        found = self.worded() if request.with_wordings else self.relation
        return catalogue_pb2.ListRelationsResponse(relations=[found])

    def SuggestTraits(self, request: Any, context: Any) -> catalogue_pb2.SuggestTraitsResponse:
        self.fake.take("SuggestTraits", request, context)
        found = catalogue_pb2.Suggestion(trait=self.trait, support=9, cases=10, low=0.6, high=0.98, exceptions=["peru"])
        return catalogue_pb2.SuggestTraitsResponse(suggestions=[found])

    def AcceptTraits(self, request: Any, context: Any) -> catalogue_pb2.AcceptTraitsResponse:
        self.fake.take("AcceptTraits", request, context)
        return catalogue_pb2.AcceptTraitsResponse(relations=[self.relation])

    def WithdrawTraits(self, request: Any, context: Any) -> catalogue_pb2.WithdrawTraitsResponse:
        self.fake.take("WithdrawTraits", request, context)
        return catalogue_pb2.WithdrawTraitsResponse(traits=[self.trait])

    def CorrectWordings(self, request: Any, context: Any) -> catalogue_pb2.CorrectWordingsResponse:
        self.fake.take("CorrectWordings", request, context)
        return catalogue_pb2.CorrectWordingsResponse(relation=self.worded())

    def ListHomonyms(self, request: Any, context: Any) -> catalogue_pb2.ListHomonymsResponse:
        self.fake.take("ListHomonyms", request, context)
        found = catalogue_pb2.Homonym(label="Paris", entities=2, uids=["paris", "paris_tx"], spellings=["Paris"])
        return catalogue_pb2.ListHomonymsResponse(homonyms=[found])


class Probes(Part, probe_pb2_grpc.ProbeServiceServicer):
    made = probe_pb2.ProbeSet(
        id="s1",
        graph_id="atlas",
        digest=DIGEST,
        seed=7,
        counts=[common_pb2.KindCount(kind=common_pb2.PROBE_KIND_DIRECT, count=3)],
        verified=3,
        split=probe_pb2.SPLIT_EVAL,
    )

    def GenerateProbeSet(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = probe_pb2.GenerateProbeSetResponse(probe_set=self.made)
        return self.begin_unary("GenerateProbeSet", request, context, response, about=request.graph_id)

    def GetProbeSet(self, request: Any, context: Any) -> probe_pb2.GetProbeSetResponse:
        self.fake.take("GetProbeSet", request, context)
        return probe_pb2.GetProbeSetResponse(probe_set=self.made)

    def ListProbeSets(self, request: Any, context: Any) -> probe_pb2.ListProbeSetsResponse:
        self.fake.take("ListProbeSets", request, context)
        return probe_pb2.ListProbeSetsResponse(probe_sets=[self.made])

    def DeleteProbeSet(self, request: Any, context: Any) -> probe_pb2.DeleteProbeSetResponse:
        self.fake.take("DeleteProbeSet", request, context)
        return probe_pb2.DeleteProbeSetResponse(deletion=wire.deletion(request.probe_set_id))

    def ListProbes(self, request: Any, context: Any) -> probe_pb2.ListProbesResponse:
        self.fake.take("ListProbes", request, context)
        return probe_pb2.ListProbesResponse(probes=[wire.probe(1), wire.probe(2)])

    def SampleProbeSet(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = probe_pb2.SampleProbeSetResponse(probe_set=self.made)
        return self.begin_unary("SampleProbeSet", request, context, response, about=request.probe_set_id)

    def AuditProbeSet(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = probe_pb2.AuditProbeSetResponse(
            probe_set_id=request.probe_set_id,
            probes=3,
            verified=True,
            findings=[probe_pb2.AuditFinding(check="duplicate", count=1, examples=["ab"])],
            letters=[probe_pb2.LetterBalance(options=2, counts=[1, 2], chi_square=0.3, p_value=0.6)],
            baselines=[probe_pb2.OptionsBaseline(tested=2, right=1, accuracy=0.5, high=1.0, chance=0.25)],
            sheet="id\n",
        )
        return self.begin_unary("AuditProbeSet", request, context, response, about=request.probe_set_id)

    def ExportProbeSet(self, request: Any, context: Any) -> Iterator[probe_pb2.ExportProbeSetResponse]:
        self.fake.take("ExportProbeSet", request, context)
        name = "../evil" if request.probe_set_id == "evil" else "data/a.parquet"
        for content in (b"", b"one", b"two"):
            yield probe_pb2.ExportProbeSetResponse(file=name, content=content)

    def ImportProbeSet(self, request_iterator: Any, context: Any) -> operations_pb2.Operation:
        header = self.stream("ImportProbeSet", request_iterator, context)
        response = probe_pb2.ImportProbeSetResponse(probe_set=self.made)
        return self.begin("ImportProbeSet", header, context, response, about="s1")


class Cases(Part, case_pb2_grpc.CaseServiceServicer):
    def ListCases(self, request: Any, context: Any) -> case_pb2.ListCasesResponse:
        self.fake.take("ListCases", request, context)
        return case_pb2.ListCasesResponse(cases=[wire.case("set:1"), wire.case("set:2")])

    def GetCase(self, request: Any, context: Any) -> case_pb2.GetCaseResponse:
        self.fake.take("GetCase", request, context)
        asked = case_pb2.CaseProbe(
            kind=common_pb2.PROBE_KIND_DIRECT,
            polarity=common_pb2.POLARITY_CHANGE,
            family="rephrase",
            stem="Japan is led from",
            answers=["Paris"],
            answers_before=["Tokyo"],
        )
        found = wire.case(request.case_id)
        found.probes.append(asked)
        return case_pb2.GetCaseResponse(case=found)
