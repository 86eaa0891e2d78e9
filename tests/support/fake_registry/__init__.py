"""A registry that misbehaves on demand: the same answers through the client's transport seam and over a socket."""
