"""The Airflow DAG that looks after every job once a day."""

from dayspring.maintenance_dag import maintenance_dag

dag = maintenance_dag()
