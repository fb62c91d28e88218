"""Writes of the phone room: the account, messages out, reports about them, messages in."""

from phone.services.channels import rotate_route, set_channel
from phone.services.inbound import take_inbound
from phone.services.messages import close_message, queue_message, send_again
from phone.services.reports import take_report

__all__ = [
    "close_message",
    "queue_message",
    "rotate_route",
    "send_again",
    "set_channel",
    "take_inbound",
    "take_report",
]
