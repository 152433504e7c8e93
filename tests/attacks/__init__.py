"""Attacks on the real process; what each did is a row of docs/security.md."""
