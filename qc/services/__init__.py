"""Every write of the grading room."""

from qc.services.batches import ensure_default_defects, open_batch
from qc.services.grading import Verdict, grade_batch
from qc.services.rework import return_rework, write_off_rework

__all__ = [
    "Verdict",
    "ensure_default_defects",
    "grade_batch",
    "open_batch",
    "return_rework",
    "write_off_rework",
]
