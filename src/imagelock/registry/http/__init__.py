"""Careful HTTP: one exchange over sockets of our own, then retries, redirects and limits around it."""
