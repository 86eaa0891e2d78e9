"""What builders and other tools read instead of an edited file: one module a family of consumers."""
