from __future__ import annotations

import math

import pytest
import torch

from knowledgesmith.editors.health.finite import nonfinite_weights
from knowledgesmith.editors.health.realised import realised_of
from knowledgesmith.editors.models.loaded import LoadedModel


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_one_value_anywhere_is_found(loaded: LoadedModel, value: float) -> None:
    assert nonfinite_weights(loaded.model) == 0
    for parameter in loaded.model.parameters():
        kept = parameter.detach().clone()
        with torch.no_grad():
            parameter.view(-1)[-1] = value
        assert nonfinite_weights(loaded.model) == 1
        with torch.no_grad():
            parameter.copy_(kept)


def test_realised_changes_are_read_from_an_artefacts_metadata() -> None:
    text = '[{"fact_id": "f", "along": 0.93, "across": 0.1}, {"fact_id": "g", "along": NaN, "across": null}]'
    first, second = realised_of({"realised": text})
    assert (first.fact_id, first.along, first.across, first.finite) == ("f", 0.93, 0.1, True)
    assert not second.finite


def test_methods_without_a_value_search_tell_none() -> None:
    assert realised_of({"method": "finetune"}) == ()
