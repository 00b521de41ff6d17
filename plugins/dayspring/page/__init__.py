"""The page inside Airflow's UI: an app behind its login that draws what `pipeline.monitoring.overview` reads."""
