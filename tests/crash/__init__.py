"""The service, killed at random moments, and what the next start serves: `make test-crash`."""
