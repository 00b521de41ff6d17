"""The command line: ``python -m pipeline …``. It calls the same stages that Airflow calls."""
