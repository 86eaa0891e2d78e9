"""Ask registries and layouts on disk for content, and prove it by its digest. Import from the module that owns a name.

From the outside in: ``client`` answers what locking wants to know; ``session`` authenticates one request by ``auth``
and turns a refusal into an error; ``http.sender`` retries and redirects; ``http.network`` alone opens sockets. All
other modules are pure: bytes and values in, values out.
"""
