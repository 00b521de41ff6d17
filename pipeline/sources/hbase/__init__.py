"""Tables of HBase, through its Thrift gateway."""

from __future__ import annotations

from pipeline.sources.hbase.source import HBaseSource

__all__ = ["HBaseSource"]
