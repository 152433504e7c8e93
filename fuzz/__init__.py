"""Fuzzing: what reads foreign bytes, tried with bytes that nobody thought of (`make fuzz`)."""
