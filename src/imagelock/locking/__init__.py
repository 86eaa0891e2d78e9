"""images.lock: read, compared, planned, resolved and written."""
