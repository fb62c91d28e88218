"""Splitting work over workshops, without database or Django."""

from matching.allocation.allocate import allocate
from matching.allocation.problem import Allocation, Lot, Maker, Placement, Rules

__all__ = ["Allocation", "Lot", "Maker", "Placement", "Rules", "allocate"]
