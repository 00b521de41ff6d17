"""Where the shards of a day are worked on: in this process, by processes of this machine, by others."""
