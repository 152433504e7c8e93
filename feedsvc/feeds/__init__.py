"""Article → selected → feed: pure functions of articles, memory, configuration and now."""
