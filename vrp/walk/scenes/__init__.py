"""What happens, in order. Each scene is a function of the tour."""

from collections.abc import Callable

from vrp.walk.scenes.answering import answers_come, short_pieces_are_offered_again
from vrp.walk.scenes.grading import (
    headquarters_counts_and_grades,
    missing_and_mended_pieces_come,
)
from vrp.walk.scenes.making import workshops_make_and_deliver
from vrp.walk.scenes.ordering import buyer_orders
from vrp.walk.scenes.paying import workshops_are_paid
from vrp.walk.scenes.planning import planner_releases
from vrp.walk.scenes.shipping import order_is_shipped
from vrp.walk.tour import Tour

SCENES: list[Callable[[Tour], None]] = [
    buyer_orders,
    planner_releases,
    answers_come,
    short_pieces_are_offered_again,
    workshops_make_and_deliver,
    headquarters_counts_and_grades,
    missing_and_mended_pieces_come,
    workshops_are_paid,
    order_is_shipped,
]
