"""The Airflow DAG that looks after both jobs once a day."""

from dayspring.maintenance_dag import maintenance_dag

dag = maintenance_dag("homework", "ads")
