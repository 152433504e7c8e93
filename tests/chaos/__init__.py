"""Publishers and replicas that share a database, while anything may happen to them: `make chaos ROUNDS=200`."""
