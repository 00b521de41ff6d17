"""Tables of HBase, through its Thrift gateway."""
