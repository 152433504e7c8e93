"""Feed → document → snapshot: render what changed, seal it, publish all of it at once."""
