"""A job's YAML, typed and strict."""

from pipeline.config.job import JobConfig
from pipeline.config.load import conf_folder, job_names, load_job

__all__ = ["JobConfig", "conf_folder", "job_names", "load_job"]
