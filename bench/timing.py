"""Taking times so that two things can be compared: turn by turn, medians, ratios.

A machine's speed drifts while it measures. So everything to be compared runs in every
round, in turns of a few calls; a ratio is taken within a round, and the median of the
rounds is quoted.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass
class Sample:
    """Seconds of each call, by round."""

    rounds: list[list[float]] = field(default_factory=list)

    @property
    def all(self) -> list[float]:
        return [one for taken in self.rounds for one in taken]

    def quantile(self, share: float) -> float:
        """The value below which that share (0..1) of all calls lies, in seconds."""
        ordered = sorted(self.all)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

    @property
    def p50(self) -> float:
        return statistics.median(self.all)

    @property
    def p99(self) -> float:
        return self.quantile(0.99)

    def ratio_to(self, other: Sample) -> tuple[float, float, float]:
        """Ratio of the rounds' medians to the other's: lowest, median, highest."""
        ratios = sorted(
            statistics.median(ours) / statistics.median(theirs)
            for ours, theirs in zip(self.rounds, other.rounds, strict=True)
        )
        return ratios[0], statistics.median(ratios), ratios[-1]


def in_turns(
    calls: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    each: int,
    warm_up: int = 2,
    measure: Callable[[Callable[[], object]], float] | None = None,
) -> dict[str, Sample]:
    """Run every call ``each`` times a round, one after the other; their times.

    Every second round runs in reverse order, so that nobody always follows the same.
    ``measure`` is what a call costs: ``seconds`` unless given.
    """
    measure = measure or seconds
    for call in calls.values():
        for _ in range(warm_up):
            call()
    taken = {name: Sample() for name in calls}
    names = list(calls)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            taken[name].rounds.append([measure(calls[name]) for _ in range(each)])
    return taken


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def cpu_seconds(
    call: Callable[[], object], processes: Callable[[], list[int]]
) -> float:
    """Processor time that a call takes in this thread and in other processes.

    Unlike the time on the wall it hardly depends on what else the machine does.
    ``processes`` is asked before and after; who is new began at zero.
    """
    call_began, others = time.thread_time(), {p: _on_cpu(p) for p in processes()}
    call()
    used = time.thread_time() - call_began
    return used + sum(_on_cpu(p) - others.get(p, 0.0) for p in processes())


def _on_cpu(process: int) -> float:
    """Seconds that a process has run on a processor so far, to the nanosecond."""
    with open(f"/proc/{process}/schedstat", encoding="ascii") as counters:
        return int(counters.read().split()[0]) / 1e9
