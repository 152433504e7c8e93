"""The pages in a real browser, Debian's Chromium, against the real service: `make test-pages`."""
