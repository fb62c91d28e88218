"""The grading form: counters that a person fills by keys, by numbers or by finger.

Field names (stable: tests and the tour post them): ``aa`` and ``a`` are counts; ``b``,
``rework`` and ``scrap`` come as any number of rows of ``<grade>_count`` and
``<grade>_defect`` (a defect's code), the n-th count belonging to the n-th defect; on
rework batches each row also has ``<grade>_serials`` (optional, separated by spaces);
``note`` is free text.
"""

from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from qc.enums import NEEDS_DEFECT, BatchKind, DefectClass, Grade
from qc.models import Batch, Defect
from qc.services import Verdict
from vrp.digits import whole_number
from vrp.errors import Invalid

# Rows that a page without JavaScript shows for each grade that needs a defect.
SPARE_ROWS = 3
KEYS = dict(zip(Grade, ("a", "s", "d", "f", "g"), strict=True))


@dataclass
class Row:
    """One line of a counter as it was typed."""

    count: str = ""
    defect: str = ""
    serials: str = ""


@dataclass
class Counter:
    """One grade on the page: its keys, and its rows."""

    grade: Grade
    digit: int
    letter: str
    options: list[Defect] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def needs_defect(self) -> bool:
        return self.grade in NEEDS_DEFECT


def usual_defects() -> list[Defect]:
    """Defects a grader can choose."""
    return list(Defect.objects.filter(is_active=True).order_by("name"))


def counters(defects: list[Defect], data: QueryDict | None = None) -> list[Counter]:
    """The five counters, empty or as they were posted."""
    found = []
    for digit, grade in enumerate(Grade, start=1):
        counter = Counter(grade, digit, KEYS[grade])
        if counter.needs_defect:
            counter.options = _options(grade, defects)
            posted = _posted_rows(grade, data) if data is not None else []
            typed = [row for row in posted if row.count or row.defect or row.serials]
            spare = max(SPARE_ROWS - len(typed), 0)
            counter.rows = typed + [Row() for _ in range(spare)]
        else:
            counter.rows = [Row(count=data.get(grade, "")[:12] if data else "")]
        found.append(counter)
    return found


def _options(grade: Grade, defects: list[Defect]) -> list[Defect]:
    """Defects that can cause this grade; for B the differences within a batch first."""
    differs = [one for one in defects if one.defect_class == DefectClass.CONSISTENCY]
    rest = [one for one in defects if one.defect_class != DefectClass.CONSISTENCY]
    return differs + rest if grade == Grade.B else rest


def _posted_rows(grade: Grade, data: QueryDict) -> list[Row]:
    counts = data.getlist(f"{grade}_count")
    defects = data.getlist(f"{grade}_defect")
    serials = data.getlist(f"{grade}_serials")
    rows = []
    for index in range(max(len(counts), len(defects))):
        rows.append(
            Row(
                _at(counts, index).strip()[:12],
                _at(defects, index).strip()[:30],
                _at(serials, index).strip()[:4_000],
            )
        )
    return rows


def _at(values: list[str], index: int) -> str:
    return values[index] if index < len(values) else ""


def read_verdicts(
    batch: Batch, defects: list[Defect], data: QueryDict
) -> list[Verdict]:
    """What was posted as verdicts. Raises ``Invalid`` for what is no number, no defect."""
    by_code = {defect.code: defect for defect in defects}
    verdicts = []
    for grade in Grade:
        if grade not in NEEDS_DEFECT:
            count = _count(data.get(grade, ""), grade)
            verdicts.append(Verdict(grade, count))
            continue
        for row in _posted_rows(grade, data):
            count = _count(row.count, grade)
            if not count:
                continue
            if row.defect and row.defect not in by_code:
                raise Invalid(
                    f"{grade.label}: choose a defect of the list.", field=grade
                )
            serials = row.serials.split() if batch.kind == BatchKind.REWORK else []
            verdicts.append(
                Verdict(grade, count, by_code.get(row.defect), tuple(serials))
            )
    return verdicts


def _count(text: str, grade: Grade) -> int:
    digits = text.strip()
    if not digits:
        return 0
    count = whole_number(digits, most=7)
    if count is None:
        raise Invalid(
            f"{grade.label}: give a whole number of pieces, 0 or more.", field=grade
        )
    return count


def sum_words(found: list[Counter], counted: int) -> dict[str, Any]:
    """The total line for the values as they stand: "60 + 28 = 88 of 98"."""
    values = []
    for counter in found:
        for row in counter.rows:
            values.append(whole_number(row.count) or 0)
    done = sum(values)
    left = counted - done
    return {
        "parts": " + ".join(str(value) for value in values if value) or "0",
        "done": done,
        "state": "over" if left < 0 else "under" if left else "ok",
        "words": f"{-left} too many"
        if left < 0
        else f"{left} to grade"
        if left
        else "",
    }
