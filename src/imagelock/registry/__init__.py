"""Fetch content from registries and OCI layouts, and verify it by its digest. Import from the module that owns a name.

A request goes down four stages, and a response comes up; no stage knows the one above it, and any seam takes a fake:

``client`` and ``host``: choose the location, use the cache, verify digests, turn refusals into errors
``auth.authenticator``: adds credentials or a token, and renews them after a refusal
``http.sender``: retries, redirects, warnings and the trace, over ``httpx.Client``
``http.transport``: one exchange by h11 over ``http.connections``, which open before httpx is imported

``protocol``, ``refusals`` and ``locations`` are pure: values in, values out. ``sources`` opens all of it.
"""
