"""What Airflow needs to run Dayspring's stages; every decision is taken in `pipeline`."""
