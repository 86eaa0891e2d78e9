"""Connections: how they are opened, trusted and kept. Only here are bytes sent."""
