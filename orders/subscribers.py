"""What this room does when another room records an event."""

from orders import (
    clock,  # noqa: F401  (declares the room's beats)
    importing,  # noqa: F401  (declares the import of orders)
    webhooks,  # noqa: F401  (tells buyers' systems, and registers the outbox)
)
