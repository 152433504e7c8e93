#!/bin/sh
# All feeds and pages as files in a CDN's bucket: no server at all. deploy/README.md tells more.
#
#   build-to-bucket.sh DIRECTORY BUCKET
#
# DIRECTORY keeps what was built last, so that only what changed is sent; BUCKET is a place as rclone names it, such as
# feeds:example-feeds. Settings are those of `feedsvc serve`: FEEDSVC_ARTICLES, FEEDSVC_BASE_URL, FEEDSVC_STORE_URL, …
set -eu

out=${1:?the directory to build in}
bucket=${2:?the bucket, as rclone names it}
# As the service says it (http.max_age and what is below it).
cache_control=${CACHE_CONTROL:-public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400}

# Ends here where something is wrong: what is in the bucket stays.
feedsvc build "$out"

# A bucket takes the type of a file from its name, and knows few of these.
send() {
    # By checksum: a file that is written again, or on another machine, is sent where its bytes differ.
    rclone copy --checksum --filter '- .feedsvc-*' --filter "+ *.$1" --filter '- *' \
        --header-upload "Content-Type: $2; charset=utf-8" --header-upload "Cache-Control: $cache_control" \
        "$out" "$bucket"
}
send atom application/atom+xml
send rss application/rss+xml
send json application/feed+json
send opml text/x-opml
# Pages lead to feeds, so they come after them.
send html text/html
# Last, what is no more goes.
rclone sync --ignore-existing --filter '- .feedsvc-*' "$out" "$bucket"
