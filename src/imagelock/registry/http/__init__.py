"""An HTTP conversation as values, and the rules of a careful client: redirects, retries, bounds."""
