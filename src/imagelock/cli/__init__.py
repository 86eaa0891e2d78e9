"""The command line: one command a file. Only this package knows click, prints, or chooses exit codes."""
