from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "vrp.events"
    label = "events"
    verbose_name = "Events"
