"""AlphaEdit (Fang et al. 2025, arXiv 2410.02355): write values into down projections inside a quiet subspace of keys.

In the paper's order: search a value change δ per fact, take the keys of the edited prompts, project them on directions
that hardly occur in the statistics text, and solve one ridge regression per layer, the residual spread over the layers.
Differences from the reference, all to keep more of what should stay (measured on a small model):

- each training phrasing is its own key column, and not one averaged key, so that other phrasings are met as well;
- retained rows are columns with residual zero, exactly as the paper treats earlier edits (K_p in equation 12);
- scales are relative (fraction of directions, learning rate, clamp and penalty in units of measured norms);
- the target is any distribution, so the same method unlearns (KL to a neutral distribution in the search).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from knowledgesmith.editors.artefacts import Dense, Weights
from knowledgesmith.editors.contract import Family, KeyStatistics, MethodConfig, ObjectiveRow, Progress
from knowledgesmith.editors.objective import Row, answer_batch, buckets
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.rows import Lookup, essence_rows, lookups, search_rows
from knowledgesmith.editors.solve.least_squares import ridge
from knowledgesmith.editors.solve.null_space import NullSpace, null_space
from knowledgesmith.editors.solve.value_search import SearchSettings, search_values
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.surgery.hooks import capture_input, capture_output, stop_after
from knowledgesmith.graph_schema.errors import EditDiverged
from knowledgesmith.graph_schema.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from knowledgesmith.editors.models import LoadedModel

_ROWS = 128
