"""Splitting work over workshops, without database or Django."""

from matching.allocation.allocate import allocate
from matching.allocation.problem import (
    SHARE_STEPS,
    Allocation,
    Lot,
    Maker,
    Placement,
    Rules,
    added_cost,
)

__all__ = [
    "SHARE_STEPS",
    "Allocation",
    "Lot",
    "Maker",
    "Placement",
    "Rules",
    "added_cost",
    "allocate",
]
