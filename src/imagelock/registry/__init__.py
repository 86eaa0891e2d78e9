"""Ask registries: the only package that knows HTTP. Import from the module that owns the name.

From the outside in: ``client`` answers what ``resolving`` wants to know; ``session`` sends one request with the right
credentials to the right place; ``delivery`` repeats, redirects and counts; ``transport`` alone opens sockets. All
other modules are pure: bytes and values in, values out.
"""
