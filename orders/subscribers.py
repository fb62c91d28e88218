"""What this room does when another room records an event."""

from orders import clock  # noqa: F401  (declares the room's beats)
