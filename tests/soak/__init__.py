"""One service over hours: readers, editors and attackers at once: `make soak MINUTES=20`."""
