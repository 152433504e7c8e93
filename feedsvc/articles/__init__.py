"""File → article: scan the directory, read what changed, parse it, choose among revisions."""
