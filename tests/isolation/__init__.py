"""Every model, route, task and command is tried as the other tenant and in each role."""
