"""The command line: one thin module a verb. Parse, call, print; nothing else lives here."""
