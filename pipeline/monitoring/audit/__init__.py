"""Is everything that was ever committed still what it says it is? Nothing is changed by looking."""

from pipeline.monitoring.audit.findings import Audit, Finding
from pipeline.monitoring.audit.job import audit

__all__ = ["Audit", "Finding", "audit"]
