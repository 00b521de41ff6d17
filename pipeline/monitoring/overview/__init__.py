"""What the page shows of a job, read from manifests alone: no payload, no database, nothing of Airflow."""
