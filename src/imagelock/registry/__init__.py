"""Ask registries and layouts on disk for content, and prove it by its digest. Import from the module that owns a name.

A request goes down four stages, and a response comes up; no stage knows the one above it, and any seam takes a fake:

``client`` and ``host``: which location is asked, what is cached, what a digest proves, what a refusal means
``auth.authenticator``: credentials, tokens, and one renewal after the other
``http.sender``: retries, redirects, warnings, the trace; by ``httpx.Client``
``http.transport``: one exchange by h11 over ``http.connections``, which are begun before httpx is imported

``protocol``, ``refusals`` and ``locations`` are pure: values in, values out. ``sources`` opens all of it.
"""
