"""Real feed readers, from Debian and PyPI, against the real service: `make test-readers`."""
