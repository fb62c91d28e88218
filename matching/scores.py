"""How a workshop is graded in five dimensions (facts A12), defined once.

A short history says little: a workshop with one late job of two is not a 50 % workshop.
A running mean ranks badly and misleads people, so each dimension that is learned from
history is shrunk to the mean of the tenant's whole network (empirical Bayes, beta prior)
as far as its own history is short, and comes with the range in which the true value lies
with 80 % probability. A new workshop has the network's mean and a wide range.

One job is one observation between 0 and 1. That is cautious for quality, where a job
has many pieces but they share one maker, one batch of material and one week; how much a
job tells is estimated from how jobs of the same workshop differ among themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from matching.enums import Dimension

Array = NDArray[np.float64]

VERSION = "five-1"
WINDOW_DAYS = 365
AHEAD_DAYS = 28
# What is done well and in time counts most; the weights add up to 1.
WEIGHTS: Mapping[Dimension, float] = {
    Dimension.QUALITY: 0.35,
    Dimension.TIMELINESS: 0.30,
    Dimension.RESPONSIVENESS: 0.10,
    Dimension.CAPACITY: 0.10,
    Dimension.AVAILABILITY: 0.15,
}
LEARNED = (
    Dimension.QUALITY,
    Dimension.TIMELINESS,
    Dimension.RESPONSIVENESS,
    Dimension.CAPACITY,
)
FORMULAS: Mapping[Dimension, str] = {
    Dimension.QUALITY: (
        "Pieces graded AA, A or B at first inspection, of all pieces inspected. "
        "B never lowers it: the pieces are sold and paid for."
    ),
    Dimension.TIMELINESS: (
        "Accepted jobs delivered in full by their due date, of those that were due."
    ),
    Dimension.RESPONSIVENESS: (
        "Offers answered in time, of all offers answered or lapsed. "
        "A no counts like a yes."
    ),
    Dimension.CAPACITY: (
        "Pieces a week while at work, of the pieces a week the job needed; at most 1. "
        "How much a workshop can take is its stated capacity, not this."
    ),
    Dimension.AVAILABILITY: (
        "Share of the capacity of the next weeks that no job has taken. "
        "Days of a pause are left out of both."
    ),
}
UNITS: Mapping[Dimension, str] = {
    Dimension.QUALITY: "jobs inspected",
    Dimension.TIMELINESS: "jobs due",
    Dimension.RESPONSIVENESS: "offers",
    Dimension.CAPACITY: "jobs delivered",
    Dimension.AVAILABILITY: "days open for work",
}
LOW, HIGH = 0.1, 0.9
# Between how many jobs of prior knowledge the estimate of the prior is kept: below, a
# single job would decide; above, long good work could never show.
PRIOR_LOW, PRIOR_HIGH = 2.0, 60.0
PRIOR_UNKNOWN = 8.0


@dataclass(frozen=True)
class DimensionValue:
    """One dimension of one workshop.

    ``value``, ``low``, ``high`` and ``network`` are shares 0..1 (None: nothing is known
    of any workshop); ``n`` counts what ``unit`` names; ``window`` says of which time.
    """

    dimension: Dimension
    value: float | None
    low: float | None
    high: float | None
    n: int
    network: float | None
    window: str

    @property
    def label(self) -> str:
        return str(self.dimension.label)

    @property
    def formula(self) -> str:
        return FORMULAS[self.dimension]

    @property
    def unit(self) -> str:
        return UNITS[self.dimension]

    @property
    def note(self) -> str:
        """What ``n`` counts, of which time, and what the network is at."""
        words = f"{self.unit}, {self.window}"
        if self.network is None or self.value is None:
            return words
        if not self.n and self.dimension in LEARNED:
            return f"{words}; until more is known it stands at the network's mean"
        return f"{words}; network {percent(self.network)}"

    def as_json(self) -> dict[str, float | int | str | None]:
        """Plain values, rounded, as a plan keeps them."""
        return {
            "value": _rounded(self.value),
            "low": _rounded(self.low),
            "high": _rounded(self.high),
            "n": self.n,
            "network": _rounded(self.network),
            "window": self.window,
        }

    @classmethod
    def from_json(cls, name: str, kept: Mapping[str, object]) -> "DimensionValue":
        """The reverse of ``as_json``."""

        def share(key: str) -> float | None:
            value = kept.get(key)
            return float(value) if isinstance(value, int | float) else None

        n = kept.get("n")
        return cls(
            dimension=Dimension(name),
            value=share("value"),
            low=share("low"),
            high=share("high"),
            n=n if isinstance(n, int) else 0,
            network=share("network"),
            window=str(kept.get("window", "")),
        )


@dataclass(frozen=True)
class Counts:
    """Per workshop: number of observations, their sum and sum of squares (each 0..1)."""

    n: Array
    total: Array
    squares: Array


@dataclass(frozen=True)
class Estimates:
    """Shrunk means with their 80 % range, per workshop, and the network's mean."""

    value: Array
    low: Array
    high: Array
    network: float | None


def percent(share: float) -> str:
    """0.944 as "94"; screens show grades of 100."""
    return str(round(share * 100))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def shrink(counts: Counts) -> Estimates:
    """Shrink each workshop's mean to the network's; arrays in the order given.

    With no observation at all the values are NaN and ``network`` is None.
    """
    n, total = counts.n, counts.total
    known = float(n.sum())
    if not known:
        blank = np.full(n.shape, np.nan)
        return Estimates(blank, blank, blank, None)
    # One good and one bad job more, so that a perfect young network is not certain.
    mean = (float(total.sum()) + 1.0) / (known + 2.0)
    spread = mean * (1.0 - mean)
    weight = _information(counts, spread)
    prior = _prior_strength(counts, mean, spread, weight)
    informed = n * weight
    share = np.divide(total, n, out=np.full(n.shape, mean), where=n > 0)
    alpha = prior * mean + informed * share
    beta = prior * (1.0 - mean) + informed * (1.0 - share)
    value = alpha / (alpha + beta)
    low = np.minimum(betaincinv(alpha, beta, LOW), value)
    high = np.maximum(betaincinv(alpha, beta, HIGH), value)
    return Estimates(value, low, high, mean)


def _information(counts: Counts, spread: float) -> float:
    """How many yes-or-no observations one job is worth: 1 for yes-or-no itself.

    Variance of a yes-or-no answer over the variance seen between jobs of the same
    workshop; 1 to 10, and 1 while too few workshops have two jobs.
    """
    many = counts.n >= 2
    freedom = float((counts.n[many] - 1).sum())
    if freedom < 10:
        return 1.0
    within = counts.squares[many] - counts.total[many] ** 2 / counts.n[many]
    variance = float(np.maximum(within, 0.0).sum()) / freedom
    return min(max(spread / max(variance, 1e-6), 1.0), 10.0)


def _prior_strength(counts: Counts, mean: float, spread: float, weight: float) -> float:
    """How many observations the network's mean is worth, by the method of moments.

    The more alike workshops are, the more of a stranger's grade is the network's.
    """
    many = counts.n >= 3
    if int(many.sum()) < 5:
        return PRIOR_UNKNOWN
    n = counts.n[many] * weight
    share = counts.total[many] / counts.n[many]
    size, groups = float(n.sum()), len(n)
    between = float((n * (share - mean) ** 2).sum())
    scale = size - float((n**2).sum()) / size
    true_variance = (between - (groups - 1) * spread) / max(scale, 1e-9)
    if true_variance <= 0:
        return PRIOR_HIGH
    return min(max(spread / true_variance - 1.0, PRIOR_LOW), PRIOR_HIGH)


def combine(dimensions: Mapping[Dimension, DimensionValue]) -> float:
    """The score 0..1: weighted mean of the five; what nobody knows counts as one half.

    An availability that is not measured (paused throughout) counts as the network's.
    """
    return sum(
        weight * standing(dimensions.get(dimension))
        for dimension, weight in WEIGHTS.items()
    )


def standing(value: DimensionValue | None) -> float:
    """The number that enters the score for one dimension."""
    if value is None:
        return 0.5
    if value.value is not None:
        return value.value
    return 0.5 if value.network is None else value.network
