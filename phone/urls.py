"""Console routes of this room, below ``/ops/``."""

from django.urls import path

from phone import console

urlpatterns = [
    path("messages/", console.message_list, name="messages"),
    path("messages/<int:pk>/again/", console.message_again, name="message-again"),
    path("messages/<int:pk>/close/", console.message_close, name="message-close"),
]
