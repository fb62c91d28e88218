"""What this room does when another room records an event."""
