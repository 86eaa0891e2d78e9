"""What ``docker login`` and ``podman login`` left behind: text in, values out. Import from the module that owns it."""
