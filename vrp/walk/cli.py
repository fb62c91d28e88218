"""The tour's command line: options, the end's words, the exit status."""

import argparse
import traceback
from pathlib import Path

from vrp.walk.problem import NotRight
from vrp.walk.scenes import SCENES
from vrp.walk.show import Show
from vrp.walk.tour import make_tour, walk

SMALLEST, LARGEST = 20, 2_000
ABOUT = (
    "Walk one order from the buyer's API call to paid artisans, over HTTP only, on a "
    "system started by bin/up. Ends with 1 at the first thing that is not as it should be."
)


def _quantity(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not SMALLEST <= number <= LARGEST:
        raise argparse.ArgumentTypeError(f"a number from {SMALLEST} to {LARGEST}")
    return number


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options, for this module's parser and Django's."""
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("var"),
        metavar="DIR",
        help="the --data folder of bin/up (default: var)",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="print chapters and the end only"
    )
    parser.add_argument(
        "--po", default="", metavar="NUMBER", help="the PO number (default: a new one)"
    )
    parser.add_argument(
        "--quantity",
        type=_quantity,
        default=60,
        metavar="N",
        help=f"necklaces to order, {SMALLEST} to {LARGEST} (default 60)",
    )
    parser.add_argument(
        "--no-webhook",
        action="store_true",
        help="the system is not one of bin/up: it sends webhooks to public https "
        "addresses only, and the tour makes sure that its own address is refused",
    )


def tell(
    data: Path, *, quiet: bool, po: str, quantity: int, webhook: bool = True
) -> int:
    """Take the tour; returns the exit status."""
    show = Show(quiet=quiet)
    try:
        tour = make_tour(data, show, po=po, quantity=quantity)
        tour.webhook = webhook
        walk(tour, SCENES)
    except NotRight as error:
        show.failed(str(error))
        return 1
    except (LookupError, ValueError, TypeError) as error:
        # An answer in a shape nobody expected: a page or the API has changed.
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}, line {where.lineno}"
        show.failed(f"an answer cannot be understood ({place}): {error!r}")
        return 1
    except KeyboardInterrupt:
        show.failed("stopped by hand. What was begun stays as it is.")
        return 130
    show.end(f"{tour.po}: from the buyer's call to paid artisans, all as it should be.")
    return 0


def main(arguments: list[str]) -> int:
    """``manage.py walk`` without any settings: it speaks HTTP only, from any shell."""
    parser = argparse.ArgumentParser(prog="manage.py walk", description=ABOUT)
    add_options(parser)
    found = parser.parse_args(arguments)
    return tell(
        found.data,
        quiet=found.quiet,
        po=found.po,
        quantity=found.quantity,
        webhook=not found.no_webhook,
    )
