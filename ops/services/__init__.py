"""The real servers on this machine, without containers: MariaDB, Redis, S3, HBase with its Thrift gateway."""
