"""Legal moves between states: one table per thing, one check."""

from collections.abc import Mapping

from vrp.errors import IllegalMove


def check_move(
    moves: Mapping[str, frozenset[str]], old: str, new: str, what: str
) -> bool:
    """False if ``new`` is where it already is (nothing to do), True if the move is legal.

    Raises ``IllegalMove`` otherwise, naming the thing and both states.
    """
    if old == new:
        return False
    if new not in moves[old]:
        raise IllegalMove(f"{what} is {old}, so it cannot become {new}.")
    return True
