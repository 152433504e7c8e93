"""Memory ⇄ database: what is remembered over restarts."""
